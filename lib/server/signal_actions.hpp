// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>

#include <functional>

namespace graceful {

namespace asio = boost::asio;

/// Implements `upgrader::handle_signals`: TERM and INT drain, the second one ends the process, the
/// third has its default action; QUIT drains; USR2 upgrades. The callbacks run on the control
/// thread. It also takes signals that all other threads block, for example with a mask that the
/// parent process has left, since execve(2) keeps it.
class signal_actions {
 public:
  struct callbacks {
    std::function<void(bool now)> drain;
    std::function<void()> upgrade;
  };

  /// Takes the signals as soon as it returns. Throws `boost::system::system_error`.
  signal_actions(asio::io_context& control, callbacks on);

 private:
  void wait();
  void wait_blocked();
  void on_signal(int number) const;

  const callbacks callbacks_;
  asio::signal_set signals_;
  asio::posix::stream_descriptor blocked_;  // readable: one of them is pending
  int endings_ = 0;
};

}  // namespace graceful
