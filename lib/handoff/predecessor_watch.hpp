// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/unique_fd.hpp>

#include "control/varlink_link.hpp"
#include "os/log.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful {

/// The successor's end of the connection after ready(). Waits for the end of the probation; knows
/// whether the predecessor still drains, and how much. Lives on the control thread.
class predecessor_watch {
 public:
  struct callbacks {
    /// A callback that confirms that this process serves. It is called on the control thread as
    /// soon as that is true, or never. `unwanted`: the listeners that this process leaves to the
    /// predecessor for good.
    using vouch = std::function<void(std::vector<std::string> unwanted)>;
    std::function<void(vouch)> whether_it_serves;
    std::function<void()> committed;  ///< This process stays: its predecessor says so, or has gone.
    std::function<void(const std::string& why)> rolled_back;  ///< The predecessor serves again.
    std::function<void()> ended = [] {};  ///< The predecessor has ended, after one of these.
  };

  struct predecessor {
    pid_t pid;
    unique_fd connection;
    wire::framer incoming;  // what has already been read from it
    unique_fd pidfd;        // none: it is unknown whether the predecessor lives
    bool asks = false;      // the predecessor asks before it commits, see `wire::readied`
  };

  /// After `start`, `committed` or `rolled_back` is called, once.
  predecessor_watch(asio::io_context& control, log& log, predecessor whom, std::string control_path,
                    callbacks on);

  void start();

  /// This process ends in its probation: asks the predecessor, over the control path, to serve
  /// again. The decision comes by a callback; so does a missing answer.
  void ask_back(const std::string& reason);

  /// This process does not stay, whatever the predecessor says. The predecessor sees the connection
  /// end, and accepts again.
  void leave();

  /// This process cannot serve: the predecessor accepts again, and learns why.
  void fail(const std::string& why);

  [[nodiscard]] bool alive() const { return connection_.is_open(); }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  void confirm();
  void on_reply(const std::optional<wire::reply>& reply);
  void on_end();
  void await_death();
  bool decided();
  void outlive();
  void give_up(const std::string& why);

  log& log_;
  const pid_t pid_;
  const bool asks_;
  asio::posix::stream_descriptor pidfd_;
  asio::steady_timer dying_;
  const std::string control_path_;
  varlink_link orders_;
  asio::steady_timer patience_;
  const callbacks callbacks_;
  bool settled_ = false;
  bool asked_back_ = false;
  varlink_link connection_;
};

/// Watches, for a successor that is not ready yet, whether its predecessor gives the upgrade up.
/// Knows when to look; its callback knows what to look at. Its handlers run on the control thread.
class giving_up_watch {
 public:
  enum class seen {
    nothing,  ///< Keep waiting.
    busy,     ///< No look is possible now; try again in a while.
    enough    ///< There is nothing left to wait for.
  };

  struct callbacks {
    std::function<seen()> look;
  };

  giving_up_watch(asio::io_context& control, callbacks on);

  /// Calls `look` whenever something has arrived on the connection, and sometimes for no reason.
  /// Borrows `connection` for the time of the call. Throws `boost::system::system_error`.
  void start(int connection);

  void stop();

 private:
  void await();

  asio::posix::stream_descriptor connection_;
  asio::steady_timer look_again_;
  const callbacks callbacks_;
};

}  // namespace graceful
