// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_HANDOFF_SUCCESSOR_DRIVER_HPP
#define GRACEFUL_HANDOFF_SUCCESSOR_DRIVER_HPP

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

/// Joins the successor's state machine to its connection. Synchronous: a server that starts has no
/// running io_context yet.
class successor_driver {
 public:
  /// `token` and `manager` as in `handoff::successor`.
  successor_driver(varlink_connection connection, std::string token, std::string manager,
                   std::chrono::milliseconds step_timeout);

  enum class outcome {
    proceed,          ///< Done; go on.
    predecessor_died  ///< It had not passed everything: start cold.
  };

  /// Takes everything that is on offer.
  result<outcome> take_over();

  /// Says that this process serves. Does not return before the predecessor has stopped accepting,
  /// or has died.
  result<outcome> ready(std::vector<std::string> unwanted);

  /// Ends the connection under a ready() that waits on another thread: as if it had broken. No
  /// other member may be called while that is so.
  void break_off();
  [[nodiscard]] bool broken_off() const { return broken_off_; }

  /// Tells the predecessor why this process gives up; waits for nothing.
  void fail(const std::string& reason);

  [[nodiscard]] const wire::begun& offer() const { return machine_.offer(); }
  /// What the predecessor has measured of this upgrade, up to ready().
  [[nodiscard]] const wire::phase_durations& durations() const { return machine_.durations(); }
  /// Whether it asks before it commits, see `wire::readied`.
  [[nodiscard]] bool predecessor_asks() const { return machine_.asks(); }
  /// Who has answered Begin; 0 if it is not visible from here.
  [[nodiscard]] pid_t predecessor_pid() const { return predecessor_pid_; }

  /// What was passed, by its name in the protocol; the caller's.
  [[nodiscard]] std::vector<std::pair<std::string, unique_fd>> take_descriptors() {
    return std::exchange(descriptors_, {});
  }

  enum class standing {
    waits,  ///< For the next step, or for what it was about to say to be complete.
    died    ///< Without a word: whoever has everything has to serve.
  };

  /// Looks, between two steps, how it stands with the predecessor. An error if it has given the
  /// upgrade up. Waits a moment, if the connection has ended, to see whether the predecessor has.
  result<standing> look();

  /// The connection and the predecessor's pidfd (none if it cannot be had), which say that the
  /// predecessor has ended.
  [[nodiscard]] auto release() { return connection_.release(); }
  [[nodiscard]] unique_fd release_pidfd() { return std::move(predecessor_pidfd_); }

  /// Borrowed.
  [[nodiscard]] int socket() const { return connection_.socket(); }

 private:
  result<outcome> run(const handoff::successor_event& first);
  handoff::successor_event exchange(const wire::call& call);
  void identify(pid_t predecessor, unique_fd pidfd);
  [[nodiscard]] bool predecessor_lives() const;

  varlink_connection connection_;
  handoff::successor machine_;
  std::chrono::milliseconds step_timeout_;
  bool answered_ = false;  // the first call
  pid_t predecessor_pid_ = 0;
  unique_fd predecessor_pidfd_;
  std::atomic<bool> broken_off_{false};
  std::vector<unique_fd> arrived_;
  std::vector<std::pair<std::string, unique_fd>> descriptors_;
};

}  // namespace graceful

#endif
