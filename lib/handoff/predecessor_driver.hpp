// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/control_client.hpp>

#include "control/control_session.hpp"
#include "handoff/predecessor.hpp"
#include "handoff/spawned_successor.hpp"
#include "handoff/statistics.hpp"
#include "handoff/upgrade_report.hpp"
#include "os/log.hpp"
#include "os/start_command.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace graceful {

/// A descriptor on offer to a successor, with its name in the handoff protocol.
struct offered_descriptor {
  std::string name;
  passed_descriptor descriptor;
  bool kept = false;  // a service manager holds it too
};

/// Connects the predecessor's state machine to processes, connections and time. Lives on the
/// control thread.
class predecessor_driver {
 public:
  struct callbacks {
    /// Makes the successor's end of a connection that is served here; empty: none can be made.
    std::function<unique_fd()> open_channel;
    std::function<os::placement()> place;  ///< Whose child a spawned successor is.
    std::function<std::string()> manager;  ///< The service manager of this process, as in
                                           ///< `wire::begin`.
    /// Returns what is on offer now. The offer does not change until `withdraw` is called, or the
    /// handover.
    std::function<std::vector<offered_descriptor>()> offer;
    std::function<void()> withdraw;
    /// Why this process must not be replaced now; none if it may be. `spawned`: by a process that
    /// it has spawned itself.
    std::function<std::optional<std::string>(bool spawned)> objection;
    /// `unwanted`: the listeners on offer that the successor does not take. They are not paused.
    std::function<void(const std::vector<std::string>& unwanted)> pause_accepting;
    std::function<void()> resume_accepting;
    /// Stops accepting on the listeners that were taken, at once and for good.
    std::function<void(const std::vector<std::string>& unwanted)> stop_accepting;
    /// Tells the monitors about an upgrade, as the log is told.
    std::function<void(const std::string& event, const std::string& message)> tell_monitors;
  };

  struct settings {
    std::string name;
    std::uint64_t generation;
    std::string control_path;
    os::start_command start;
    std::chrono::milliseconds ready_timeout;
    /// How long a successor that is about to be committed may take to confirm.
    std::chrono::milliseconds confirm_timeout;
    /// How long a rolled-back successor may take to end.
    std::chrono::milliseconds drain_timeout;
    /// How long a successor that serves is watched before it stays; 0: no probation.
    std::chrono::milliseconds probation;
  };

  predecessor_driver(asio::io_context& control, log& log, statistics& measured, callbacks on,
                     settings s);

  /// Starts an upgrade and streams its phases to `from`. The call is answered in any case.
  void upgrade(control_session& from, const upgrade_request& request);

  /// Starts an upgrade that nobody waits for; the log tells how it goes.
  void upgrade();

  /// What such an upgrade would do, and what would prevent it, as far as this class knows: the
  /// listeners are not included.
  [[nodiscard]] upgrade_plan plan(const upgrade_request& request) const;

  /// Aborts the upgrade that is under way; false if there is none.
  bool abort();

  /// Handles a call of io.graceful.Handoff; false if there is no such method.
  bool handoff(control_session& from, const wire::call& call);

  /// Ends the probation of the successor. Answers the call when the outcome is decided.
  void commit(control_session& from);
  void rollback(control_session& from, const std::string& reason);

  /// Why no upgrade can start now, and what to do.
  [[nodiscard]] std::string why_busy() const;

  [[nodiscard]] bool in_probation() const { return machine_.in_probation(); }

  /// The pid of the successor that has connected.
  [[nodiscard]] std::optional<pid_t> successor_pid() const;
  /// The same; none if it has another service manager than this process.
  [[nodiscard]] std::optional<pid_t> heir() const {
    return elsewhere_ ? std::nullopt : successor_pid();
  }

  /// Why the last upgrade failed; empty if none did.
  [[nodiscard]] const std::string& last_failure() const { return report_.last_failure(); }

  /// A connection has ended.
  void closed(const control_session& session);

  /// This process ends. Aborts an upgrade whose successor is not ready. Commits one in probation,
  /// or rolls it back if the spawned successor must end `with_it`.
  void shutdown(bool with_it = false);

  [[nodiscard]] const std::string& name() const { return settings_.name; }
  [[nodiscard]] bool busy() const { return !machine_.idle(); }
  [[nodiscard]] bool handed_over() const {
    return machine_.current() == handoff::predecessor::state::handed_over;
  }
  [[nodiscard]] bool is_successor(const control_session& session) const {
    return machine_.is_successor(session.id());
  }

 private:
  void resume(handoff::predecessor_event event);

  void act(const handoff::predecessor_action& next);
  void spawn(const std::string& token);
  void begin(handoff::peer_id id, wire::begin message);
  void reply_begun(handoff::peer_id id);
  void reply_batch(const handoff::action::reply_batch& a);
  void refuse(const handoff::action::refuse& a);
  void stop_accepting();
  void arm(std::chrono::milliseconds duration);

  void start(std::weak_ptr<control_session> from, const upgrade_request& request);
  void withdraw();
  [[nodiscard]] wire::reply nothing_to(const std::string& decide, const std::string& instead) const;
  void on_exited(const std::string& how, pid_t pid);
  void answer(handoff::peer_id id, const wire::reply& reply) const;
  [[nodiscard]] std::shared_ptr<control_session> peer(handoff::peer_id id) const;
  [[nodiscard]] std::optional<pid_t> known_pid() const;

  struct handoff_peer {
    std::weak_ptr<control_session> session;
    bool refused = false;  // and the log has said so
  };

  log& log_;
  statistics& measured_;
  const callbacks callbacks_;
  const settings settings_;
  handoff::predecessor machine_;
  std::deque<handoff::predecessor_event> events_;
  bool resuming_ = false;
  upgrade_report report_;

  std::vector<offered_descriptor> offer_;  // of the upgrade under way
  bool elsewhere_ = false;  // the successor has another service manager than this process
  std::vector<std::string> unwanted_;  // among the offer
  bool unwanted_is_final_ = true;      // else the successor may still ask for those after ready()
  std::vector<dropped_listener> dropped_;           // at the handover
  std::map<handoff::peer_id, handoff_peer> peers_;  // peers that have called io.graceful.Handoff
  upgrade_request request_;
  asio::steady_timer timer_;
  std::uint64_t timer_armed_ = 0;
  spawned_successor child_;
  bool shutting_down_ = false;
};

}  // namespace graceful
