// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTING_PENDING_UPGRADE_HPP
#define GRACEFUL_TESTING_PENDING_UPGRADE_HPP

#include <graceful/detail/api.hpp>
#include <graceful/testing/deadline.hpp>
#include <graceful/testing/upgrade_outcome.hpp>

#include <memory>
#include <string_view>

namespace graceful::testing {

class upgrade_run;

/// An upgrade that runs while the test does something else. A handle, valid even after the end of
/// its deployment; destroying it neither ends the upgrade nor waits for it. Thread-safe.
class GRACEFUL_API pending_upgrade {
 public:
  /// True once this phase ("spawned", "begun", "passed", "ready", "committed") has been reached;
  /// false at the deadline, and if the upgrade fails before.
  [[nodiscard]] bool wait_for(std::string_view phase, deadline until) const;

  /// Waits for the end. At the deadline it returns the progress so far, with `errc::timed_out`.
  [[nodiscard]] upgrade_outcome wait(deadline until) const;

  /// The progress so far.
  [[nodiscard]] upgrade_outcome so_far() const;

 private:
  friend class deployment;
  explicit pending_upgrade(std::shared_ptr<upgrade_run> run);
  std::shared_ptr<upgrade_run> run_;
};

}  // namespace graceful::testing

#endif
