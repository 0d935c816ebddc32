// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_TESTING_SHIM_STRIKE_HPP
#define GRACEFUL_LIB_TESTING_SHIM_STRIKE_HPP

#include "testing/shim/fault_file.hpp"

namespace graceful::testing::shim {

/// The process passes this point, in a call of kind `in`: if it is the point of the fault that is
/// armed, and has been passed often enough now, the fault strikes. Returns the errno with which the
/// call is to fail, or 0.
int pass(fault_file& own, point where, kind in);

}  // namespace graceful::testing::shim

#endif
