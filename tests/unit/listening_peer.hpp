// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/deadline.hpp>
#include <graceful/unique_fd.hpp>

#include "os/control_path.hpp"

#include "patience.hpp"
#include "varlink_peer.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <stdexcept>
#include <string>

#include <sys/socket.h>
#include <unistd.h>

namespace graceful_test {

/// Runs `io` until this is true. Throws if that takes too long.
template <class Done>
void run_until(boost::asio::io_context& io, Done done) {
  for (const graceful::testing::deadline until{patience}; !done();) {
    if (until.passed()) throw std::runtime_error{"it does not happen"};
    io.restart();
    io.run_for(std::chrono::milliseconds{1});
  }
}

/// What listens at the path to which a client under test connects.
class listening_peer {
 public:
  explicit listening_peer(std::string path)
      : path_{std::move(path)}, listener_{graceful::os::bind_control(path_).value()} {}
  ~listening_peer() { ::unlink(path_.c_str()); }
  listening_peer(const listening_peer&) = delete;
  listening_peer& operator=(const listening_peer&) = delete;

  /// The next connection; `io` runs until it comes.
  varlink_peer accept(boost::asio::io_context& io) {
    run_until(io, [this] { return somebody_waits(); });
    return varlink_peer{graceful::unique_fd{
        ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)}};
  }

  [[nodiscard]] bool somebody_waits() const {
    return graceful::testing::wait_readable(listener_.get(), std::chrono::seconds{0});
  }

 private:
  std::string path_;
  graceful::unique_fd listener_;
};

}  // namespace graceful_test
