// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "testing/shim/fault_file.hpp"

namespace graceful::testing::shim {

/// The file of this process, made at the first call. Null if the environment names no directory or
/// it is not writable, and between vfork(2) and exec, where the memory is the parent's. A process
/// that executes another program keeps its file, with its counts and the armed fault.
fault_file* own_file();

/// Call it in the child of a fork(2): from now on the child has its own file, with nothing armed.
void attach_again();

}  // namespace graceful::testing::shim
