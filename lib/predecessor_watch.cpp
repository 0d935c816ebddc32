// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "predecessor_watch.hpp"

#include "os/channel.hpp"

#include <string>

namespace graceful {

predecessor_watch::predecessor_watch(asio::io_context& control, log& log, pid_t pid,
                                     unique_fd connection)
    : log_{log}, pid_{pid}, connection_{control} {
  connection_.assign(asio::local::stream_protocol{}, connection.get());
  (void)connection.release();
  watch();
}

void predecessor_watch::watch() {
  connection_.async_wait(connection_.wait_read, [this](boost::system::error_code ec) {
    if (ec) return;
    os::inbox ignored;  // it has nothing more to say; descriptors are closed
    const auto got = os::receive_now(connection_.native_handle(), ignored);
    using kind = os::transfer::kind;
    if (got.what == kind::some || got.what == kind::would_block) return watch();
    connection_.close(ec);
    log_.info("the predecessor (pid " + std::to_string(pid_) + ") has ended");
  });
}

}  // namespace graceful
