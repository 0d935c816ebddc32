// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "wire/handoff_values.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// The predecessor's side of an upgrade, without I/O and without a clock: events in, actions out.
namespace graceful::handoff {

/// Identifies a connection to the control socket; chosen by the caller, never reused.
using peer_id = std::uint64_t;

/// What happened. `peer` is the connection on which it happened.
namespace event {
/// An operator asks for an upgrade; `token` identifies the successor to be spawned.
struct upgrade {
  std::string token;
};
struct spawned {
  std::int64_t pid;
};
struct spawn_failed {
  std::string reason;
};
struct begin {
  peer_id peer;
  wire::begin message;
};
struct fetch {
  peer_id peer;
  wire::fetch message;
};
struct ready {
  peer_id peer;
};
struct fail {
  peer_id peer;
  wire::fail message;
};
/// The successor asks whether it stays.
struct settle {
  peer_id peer;
};
struct closed {
  peer_id peer;
};
/// The spawned process has ended; `how` continues a sentence that begins with "the successor".
struct exited {
  std::string how;
  bool had_connected = false;  ///< The successor itself was spawned, not a shell that started it.
};
/// For the report: who is late, and how much time it had.
struct timeout {
  std::string who = "the successor";
  std::string after = "its time";
};
/// An operator wants to give the upgrade up before the successor is ready.
struct abort {};
/// The probation is to end now: the successor stays if it confirms, and is rolled back otherwise.
struct commit {};
struct rollback {
  std::string reason;
};
/// This process ends, and not because a successor replaces it.
struct shutdown {};
}  // namespace event

using predecessor_event =
    std::variant<event::upgrade, event::spawned, event::spawn_failed, event::begin, event::fetch,
                 event::ready, event::fail, event::settle, event::closed, event::exited,
                 event::timeout, event::abort, event::commit, event::rollback, event::shutdown>;

/// What to do, in this order.
namespace action {
enum class refusal {
  busy,
  incompatible_version,
  not_on_offer,
  not_expected,
  out_of_order,
  rolled_back
};

struct spawn {
  std::string token;
};
struct arm_timer {};
/// Arms the timer for the probation.
struct arm_probation {};
struct arm_confirmation {};
struct disarm_timer {};
struct reply_begun {
  peer_id peer;
};
struct reply_batch {
  peer_id peer;
  std::uint64_t first;
  std::uint64_t count;
};
/// Stop accepting, but keep the sockets: the successor accepts now.
struct pause_accepting {};
struct resume_accepting {};
/// Stop accepting, and let go of the sockets.
struct stop_accepting {};
/// Answers Ready.
struct acknowledge_ready {
  peer_id peer;
};
/// Answers Fail.
struct acknowledge {
  peer_id peer;
};
/// Answers Settle: the successor stays, or must ask again. If it was not asked, this is the last
/// message.
struct settle {
  peer_id peer;
  bool settled;
  bool asked;
};
/// Answers the call with an error; the connection stays open.
struct refuse {
  peer_id peer;
  refusal why;
  std::string message;
  std::vector<std::int64_t> versions{};  ///< The versions that the successor speaks, if that is the
                                         ///< reason.
};
/// Tells the successor that the upgrade is given up, and closes the connection.
struct abort_peer {
  peer_id peer;
  std::string message;
};
/// Kills the spawned process, which leads to event::exited.
struct kill_successor {};
/// The spawned process will end by itself at some time, and this machine has no more to do with it:
/// there is no event.
struct retire_successor {};
/// For the operator.
struct report_spawned {
  std::int64_t pid;
};
struct report_begun {};
struct report_passed {};
struct report_ready {};
struct report_committed {};
struct report_failed {
  std::string reason;
};
/// For the log: the successor was lost after it had taken over.
struct report_lost {};
}  // namespace action

using predecessor_action = std::variant<
    action::spawn, action::arm_timer, action::arm_probation, action::arm_confirmation,
    action::disarm_timer, action::reply_begun, action::reply_batch, action::pause_accepting,
    action::resume_accepting, action::stop_accepting, action::acknowledge_ready,
    action::acknowledge, action::settle, action::refuse, action::abort_peer, action::kill_successor,
    action::retire_successor, action::report_spawned, action::report_begun, action::report_passed,
    action::report_ready, action::report_committed, action::report_failed, action::report_lost>;

using predecessor_actions = std::vector<predecessor_action>;

/// The life of one process as a predecessor: any number of upgrades that fail, and one that
/// succeeds.
class predecessor {
 public:
  /// Until a successor is committed, every failure leads back to `serving`.
  enum class state {
    serving,      ///< No upgrade is under way.
    spawning,     ///< The successor is being spawned, or has been spawned and has not called Begin.
    passing,      ///< Begin has been answered; descriptors are being passed, or all have been.
    ending,       ///< The upgrade has failed; the spawned process has not ended yet.
    probation,    ///< The successor serves; this process waits, and can resume.
    confirming,   ///< The successor stays as soon as it has confirmed.
    handed_over,  ///< The successor stays. Final.
  };

  /// Without a probation, a successor stays as soon as it asks whether it does.
  predecessor() = default;
  explicit predecessor(bool has_probation) : has_probation_{has_probation} {}

  /// True if no upgrade is under way: one can begin.
  [[nodiscard]] bool idle() const { return state_ == state::serving; }
  [[nodiscard]] state current() const { return state_; }
  /// True if an upgrade has begun and the successor is not ready: it can be aborted.
  [[nodiscard]] bool under_way() const {
    return state_ == state::spawning || state_ == state::passing || state_ == state::ending;
  }
  /// True if the successor serves, and may still be rolled back.
  [[nodiscard]] bool in_probation() const {
    return state_ == state::probation || state_ == state::confirming;
  }
  /// The connection of the successor that has begun.
  [[nodiscard]] std::optional<peer_id> successor() const { return peer_; }
  [[nodiscard]] bool is_successor(peer_id peer) const { return peer_ == peer; }

  /// `descriptors`: how many are on offer; used when an upgrade begins.
  predecessor_actions resume(const predecessor_event& event, std::uint64_t descriptors);

  /// Equal machines behave the same from now on, whatever happens.
  std::strong_ordering operator<=>(const predecessor&) const = default;

 private:
  /// State that has no meaning between two events.
  struct scratch {
    predecessor_actions actions;
    std::uint64_t on_offer = 0;  // as given with the event

    bool operator==(const scratch&) const { return true; }
    std::strong_ordering operator<=>(const scratch&) const { return std::strong_ordering::equal; }
  };

  void on(const event::upgrade& e);
  void on(const event::spawned& e);
  void on(const event::spawn_failed& e);
  void on(const event::begin& e);
  void on(const event::fetch& e);
  void on(const event::ready& e);
  void on(const event::fail& e);
  void on(const event::settle& e);
  void on(const event::closed& e);
  void on(const event::exited& e);
  void on(const event::timeout& e);
  void on(const event::abort& e);
  void on(const event::commit& e);
  void on(const event::rollback& e);
  void on(const event::shutdown& e);

  void refuse(peer_id peer, action::refusal why, std::string message);
  void confirm();
  void commit(bool asked);
  void lose_successor();
  void await_end(std::string reason);
  void give_up(std::string reason);
  void conclude(std::string reason);
  [[nodiscard]] std::string end_of_child() const;

  bool has_probation_ = false;
  state state_ = state::serving;
  std::string token_;            // of the spawned successor
  bool child_alive_ = false;     // the spawned process has not been reaped
  std::string child_end_;        // how it ended; empty: it has not ended, or there was none
  std::optional<peer_id> peer_;  // the successor's connection
  std::uint64_t offered_ = 0;    // descriptors on offer in this upgrade
  std::uint64_t passed_ = 0;     // how many of these were passed
  std::string reason_;           // why the upgrade failed, in the state `ending`
  bool settling_ = false;        // the successor's Settle has to be answered
  bool asked_ = false;           // the successor was asked to confirm
  bool rolled_back_ = false;     // the successor of the upgrade that is ending had been ready
  scratch now_;                  // for the event that is being handled
};

}  // namespace graceful::handoff
