// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CONTROL_RUN_AFTER_HPP
#define GRACEFUL_CONTROL_RUN_AFTER_HPP

#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <utility>

namespace graceful {

/// Calls `f` after `pause`, unless the timer is cancelled, set again or destroyed before that.
template <class F>
void run_after(boost::asio::steady_timer& timer, std::chrono::steady_clock::duration pause, F f) {
  timer.expires_after(pause);
  timer.async_wait([f = std::move(f)](boost::system::error_code cancelled) mutable {
    if (!cancelled) f();
  });
}

}  // namespace graceful

#endif
