// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/deadline.hpp>

#include <chrono>

#include <poll.h>

namespace graceful_test {

/// Polls until it is true; for changes that nothing reports. False at the deadline.
template <class Predicate>
bool eventually(Predicate predicate, graceful::testing::deadline until = std::chrono::seconds{10}) {
  while (!predicate()) {
    if (until.passed()) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

}  // namespace graceful_test
