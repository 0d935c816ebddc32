// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_PREDECESSOR_WATCH_HPP
#define GRACEFUL_LIB_PREDECESSOR_WATCH_HPP

#include <graceful/control_client.hpp>
#include <graceful/unique_fd.hpp>

#include "wire/varlink.hpp"

#include "log.hpp"
#include "varlink_stream.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <sys/types.h>

namespace graceful {

/// The successor's end of the connection after ready(): waits for the end of its probation, and
/// knows whether the predecessor still drains, and what. Lives on the control thread.
class predecessor_watch {
 public:
  struct outcomes {
    std::function<void()> committed;  ///< This process stays: its predecessor says so, or has gone.
    std::function<void(const std::string& why)> rolled_back;  ///< The predecessor serves again.
    std::function<void(const drain_progress&)> drains;        ///< Once a second, after `committed`.
    std::function<void()> ended;                              ///< The predecessor has.
  };

  /// Calls `committed` or `rolled_back`, once.
  predecessor_watch(asio::io_context& control, log& log, pid_t pid, unique_fd connection,
                    outcomes on);

  [[nodiscard]] bool alive() const { return stream_->is_open(); }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  void on_message(const std::string& text);
  void settle(const std::optional<wire::reply>& reply);
  void on_end();

  log& log_;
  const pid_t pid_;
  const outcomes on_;
  bool settled_ = false;
  std::shared_ptr<varlink_stream> stream_;
};

}  // namespace graceful

#endif
