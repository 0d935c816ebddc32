// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/deployment.hpp>

namespace graceful_test {

/// An upgrade whose probation an operator ends as soon as the successor is ready.
inline graceful::testing::upgrade_outcome upgrade_and_commit(graceful::testing::deployment& site) {
  const auto run = site.start_upgrade();
  if (run.wait_for("ready", site.patience()) && !run.so_far().committed()) (void)site.commit();
  return run.wait(site.patience());
}

}  // namespace graceful_test
