// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/control_client.hpp>
#include <graceful/testing/deadline.hpp>
#include <graceful/testing/upgrade_outcome.hpp>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string_view>

namespace graceful::testing {

/// A running upgrade: one thread runs it, others look at it. Thread-safe.
class upgrade_run {
 public:
  /// Asks for the upgrade, and returns at its end. Call it once. `on_change` is called for each
  /// state.
  void run(result<control_client> client, const upgrade_request& request,
           const std::function<void(const upgrade_outcome&)>& on_change);

  bool wait_for(std::string_view phase, deadline until);

  /// True when the upgrade has ended.
  bool wait(deadline until);

  [[nodiscard]] upgrade_outcome so_far() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  upgrade_outcome outcome_;
  bool ended_ = false;
};

}  // namespace graceful::testing
