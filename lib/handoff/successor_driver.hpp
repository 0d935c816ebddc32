// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include "control/varlink_connection.hpp"
#include "handoff/successor.hpp"

#include <atomic>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace graceful {

/// Connects the successor's state machine to its connection. Synchronous: a starting server has no
/// running io_context yet.
class successor_driver {
 public:
  /// `token` and `manager` as in `handoff::successor`.
  successor_driver(varlink_connection connection, std::string token, std::string manager,
                   std::chrono::milliseconds step_timeout);

  enum class outcome {
    proceed,          ///< Done; continue.
    predecessor_died  ///< The predecessor had not passed everything: start cold.
  };

  /// Takes everything that is on offer.
  result<outcome> take_over();

  /// Tells the predecessor that this process serves. Returns only after the predecessor has
  /// answered, or has died.
  result<outcome> ready(std::vector<std::string> unwanted);

  /// Ends the connection while another thread waits in ready(), as if it had broken. No other
  /// member may be called meanwhile.
  void break_off();

  /// Tells the predecessor why this process gives up. Does not wait.
  void fail(const std::string& reason);

  [[nodiscard]] const wire::begun& offer() const { return machine_.offer(); }
  /// What the predecessor has measured of this upgrade, up to ready().
  [[nodiscard]] const wire::phase_durations& durations() const { return machine_.durations(); }
  /// Whether the predecessor asks before it commits, see `wire::readied`.
  [[nodiscard]] bool predecessor_asks() const { return machine_.asks(); }
  /// The process that answered Begin; 0 if it is not visible from here.
  [[nodiscard]] pid_t predecessor_pid() const { return predecessor_pid_; }

  /// Moves the passed descriptors, by their names in the protocol, to the caller.
  [[nodiscard]] std::vector<std::pair<std::string, unique_fd>> take_descriptors() {
    return std::exchange(descriptors_, {});
  }

  enum class standing {
    waits,  ///< Waits for the next step, or for the rest of a message.
    died    ///< It died without a message: a process that has everything has to serve.
  };

  /// Checks, between two steps, the state of the predecessor. An error if it has given the upgrade
  /// up. If the connection has ended, waits a moment to see whether the predecessor has too.
  result<standing> look();

  /// The connection and the predecessor's pidfd (none if there is none), which tell when the
  /// predecessor has ended.
  [[nodiscard]] auto release() { return connection_.release(); }
  [[nodiscard]] unique_fd release_pidfd() { return std::move(predecessor_pidfd_); }

  /// Borrowed.
  [[nodiscard]] int socket() const { return connection_.socket(); }

 private:
  result<outcome> run(const handoff::successor_event& first);
  handoff::successor_event exchange(const wire::call& call);
  [[nodiscard]] bool predecessor_lives() const;

  varlink_connection connection_;
  handoff::successor machine_;
  std::chrono::milliseconds step_timeout_;
  bool answered_ = false;  // the first call has been answered
  pid_t predecessor_pid_ = 0;
  unique_fd predecessor_pidfd_;
  std::atomic<bool> broken_off_{false};
  std::vector<unique_fd> arrived_;
  std::vector<std::pair<std::string, unique_fd>> descriptors_;
};

}  // namespace graceful
