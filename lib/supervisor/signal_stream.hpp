// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SUPERVISOR_SIGNAL_STREAM_HPP
#define GRACEFUL_SUPERVISOR_SIGNAL_STREAM_HPP

#include <graceful/error.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <utility>

#include <signal.h>

namespace graceful {

namespace asio = boost::asio;

/// The signals that this process gets, one after the other, with their sender: signalfd(2). The
/// caller has blocked them, so none is lost, not even across an execve(2), and PID 1 gets them too.
class signal_stream {
 public:
  struct signal {
    int number;
    bool by_kernel;  ///< Not sent by kill(2), but for example by a terminal.
  };

  signal_stream(asio::io_context& context, std::function<void(const signal&)> on)
      : descriptor_{context}, on_{std::move(on)} {}

  result<void> start(const sigset_t& signals);
  void stop();

 private:
  void wait();

  asio::posix::stream_descriptor descriptor_;
  std::function<void(const signal&)> on_;
};

}  // namespace graceful

#endif
