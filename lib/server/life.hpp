// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <vector>

namespace graceful {

/// What becomes of a process: a state machine without I/O, clock or threads. `lifecycle` performs
/// its actions.
///
///     starting -> [announcing ->] opening -> [probation ->] serving -> handed_over, or draining
///
/// A process without a predecessor skips what stands in brackets.
class life {
 public:
  enum class stage {
    starting,     ///< Before ready().
    announcing,   ///< ready() waits for the predecessor's answer.
    opening,      ///< ready() begins to accept.
    unready,      ///< A successor that will never be ready: its predecessor keeps serving.
    probation,    ///< It serves, and its predecessor may take the sockets back.
    leaving,      ///< The same, but it was told to end, and has asked its predecessor to go on.
    serving,      ///< It serves, and nobody else may.
    draining,     ///< It ends, and no process serves in its place.
    handed_over,  ///< Another process serves: its successor, or its predecessor again. Final.
  };

  enum class event {
    ready_called,     ///< By the application, any number of times.
    announced,        ///< The predecessor has answered, or has died: this process serves.
    not_accepted,     ///< The predecessor keeps serving.
    opened,           ///< This process accepts.
    given_up,         ///< The predecessor has given the upgrade up before ready().
    told_to_end,      ///< By a signal, an operator or the application.
    told_to_end_now,  ///< The same, and connections are cut.
    upgrade_settled,  ///< No upgrade is under way any more, as `settle_upgrade` wants it.
    committed,        ///< The predecessor does not come back.
    rolled_back,      ///< The predecessor accepts again.
    succeeded,        ///< The successor stays.
  };

  enum class action {
    // For the thread that called ready(), and always the first:
    announce,      ///< Say that this process serves, and wait for the answer.
    open,          ///< Begin to accept.
    refuse_ready,  ///< ready() fails.
    // For the control thread:
    say_serves,      ///< A process without a predecessor serves.
    say_unserved,    ///< It has become ready, and was told to end before.
    watch,           ///< The predecessor: what becomes of the probation.
    break_off,       ///< The connection under a ready() that waits.
    give_back,       ///< What the predecessor has passed.
    tell_end,        ///< In the log.
    settle_upgrade,  ///< Commit the successor that is in its probation, or end the upgrade.
    ask_back,        ///< The predecessor is to go on.
    stay,            ///< Committed.
    serve_path,      ///< Answer on the control path.
    end_alone,       ///< Drain; no process serves in its place.
    go_back,         ///< Drain; the predecessor serves.
    hand_over,       ///< Drain; the successor serves.
    hurry,           ///< Cut what drains.
  };

  using actions = std::vector<action>;

  explicit life(bool has_predecessor) : committed_{!has_predecessor} {}

  /// Returns no action for an event that means nothing in this stage.
  actions resume(event e);

  [[nodiscard]] stage current() const { return stage_; }
  [[nodiscard]] bool was_ready() const { return ready_; }
  /// True if no other process may go on accepting: this one has no predecessor, or was committed.
  [[nodiscard]] bool committed() const { return committed_; }
  /// True if connections are cut when this process drains.
  [[nodiscard]] bool in_a_hurry() const { return hurry_; }
  [[nodiscard]] bool told_to_end() const { return told_; }

  [[nodiscard]] bool handed_over() const { return stage_ == stage::handed_over; }
  [[nodiscard]] bool drains() const { return stage_ == stage::draining || handed_over(); }
  [[nodiscard]] bool in_probation() const {
    return stage_ == stage::probation || stage_ == stage::leaving;
  }

  bool operator==(const life&) const = default;

 private:
  actions on_ready_called();
  actions on_opened();
  actions on_told_to_end(bool now);

  stage stage_ = stage::starting;
  bool ready_ = false;
  bool committed_;
  bool told_ = false;
  bool hurry_ = false;
};

}  // namespace graceful
