// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_TESTING_SHIM_OWN_FILE_HPP
#define GRACEFUL_LIB_TESTING_SHIM_OWN_FILE_HPP

#include "testing/shim/fault_file.hpp"

namespace graceful::testing::shim {

/// The file of this process, made at the first call. Null where the environment names no directory
/// or it cannot be written to, and between vfork(2) and exec, where the memory is the parent's.
/// A process that executes another program keeps its file, with all that is counted and armed.
fault_file* own_file();

/// In the child of a fork(2): it has a file of its own from now on, and nothing is armed.
void attach_again();

}  // namespace graceful::testing::shim

#endif
