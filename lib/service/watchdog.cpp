// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "service/watchdog.hpp"

#include <utility>

namespace graceful {

watchdog::watchdog(asio::io_context& control, const inventory& sockets,
                   asio::any_io_executor application, std::shared_ptr<const os::service_manager> to,
                   std::chrono::microseconds period)
    : interval_{period / 2},
      to_{std::move(to)},
      roll_{control, sockets, std::move(application)},
      timer_{control} {}

void watchdog::start() {
  if (interval_.count() == 0 || std::exchange(wanted_, true)) return;
  look();
}

void watchdog::stop() {
  wanted_ = false;
  timer_.cancel();
  roll_.dismiss();
}

void watchdog::look() {
  // One at a time: an application that hangs must not find a heap of them when it resumes.
  if (!roll_.under_way()) {
    // Lost if the manager is behind; the next one will arrive.
    roll_.call([this] { (void)to_->notify("WATCHDOG=1"); });
  }
  timer_.expires_after(interval_);
  timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec && wanted_) look();
  });
}

}  // namespace graceful
