// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CONTROL_AWAIT_READABLE_HPP
#define GRACEFUL_CONTROL_AWAIT_READABLE_HPP

#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace graceful {

inline constexpr std::chrono::milliseconds await_again_after{100};

/// Calls `ready` when the descriptor can be read, or may be; does not call it if the wait is
/// cancelled. After a wait that fails otherwise (a seccomp(2) filter, no memory), `ready` is called
/// after a pause and finds out, so that this was not the last wait.
template <class Descriptor, class Ready>
void await_readable(Descriptor& descriptor, Ready ready) {
  namespace asio = boost::asio;
  using boost::system::error_code;
  descriptor.async_wait(Descriptor::wait_read, [executor = descriptor.get_executor(),
                                                ready = std::move(ready)](error_code ec) mutable {
    if (!ec) return ready();
    if (ec == asio::error::operation_aborted) return;
    auto timer = std::make_shared<asio::steady_timer>(executor, await_again_after);
    timer->async_wait([timer, ready = std::move(ready)](error_code) mutable { ready(); });
  });
}

}  // namespace graceful

#endif
