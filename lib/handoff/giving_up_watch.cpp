// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/giving_up_watch.hpp"

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include "control/await_readable.hpp"
#include "os/system_failure.hpp"

#include <chrono>
#include <utility>

#include <fcntl.h>

namespace graceful {

namespace {

/// The pause before the next look when a busy application prevented one.
constexpr std::chrono::milliseconds pause{100};

}  // namespace

giving_up_watch::giving_up_watch(asio::io_context& control, callbacks on)
    : connection_{control}, look_again_{control}, callbacks_{std::move(on)} {}

void giving_up_watch::start(int connection) {
  unique_fd watched{::fcntl(connection, F_DUPFD_CLOEXEC, 3)};
  if (!watched) throw error{os::system_failure("cannot watch the predecessor")};
  connection_.assign(watched.get());
  (void)watched.release();
  await();
}

void giving_up_watch::stop() {
  boost::system::error_code ignored;
  connection_.close(ignored);
}

void giving_up_watch::await() {
  await_readable(connection_, [this] {
    if (!connection_.is_open()) return;
    switch (callbacks_.look()) {
      case seen::nothing:  // the wake-up was spurious, or only half a message has arrived
        return await();
      case seen::busy:
        look_again_.expires_after(pause);
        return look_again_.async_wait([this](boost::system::error_code cancelled) {
          if (!cancelled && connection_.is_open()) await();
        });
      case seen::enough:
        return stop();
    }
  });
}

}  // namespace graceful
