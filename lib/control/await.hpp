// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace graceful {

/// Calls `then` at this time. Does not call it if the timer is cancelled, or set again, first.
template <class Then>
void call_at(boost::asio::steady_timer& timer, std::chrono::steady_clock::time_point when,
             Then then) {
  timer.expires_at(when);
  timer.async_wait([then = std::move(then)](boost::system::error_code cancelled) mutable {
    if (!cancelled) then();
  });
}

template <class Then>
void call_after(boost::asio::steady_timer& timer, std::chrono::steady_clock::duration pause,
                Then then) {
  call_at(timer, std::chrono::steady_clock::now() + pause, std::move(then));
}

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
    auto timer = std::make_shared<asio::steady_timer>(executor);
    call_after(*timer, await_again_after, [timer, ready = std::move(ready)]() mutable { ready(); });
  });
}

}  // namespace graceful
