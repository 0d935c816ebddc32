// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "testing/shim/fault_file.hpp"

namespace graceful::testing::shim {

/// The process passes this point, in a call of kind `in`. If it is the point of the armed fault,
/// and has now been passed often enough, the fault strikes. Returns the errno with which the call
/// must fail, or 0.
int pass(fault_file& own, point where, kind in);

}  // namespace graceful::testing::shim
