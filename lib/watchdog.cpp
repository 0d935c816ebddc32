// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "watchdog.hpp"

#include <boost/asio/post.hpp>

#include <atomic>
#include <utility>

namespace graceful {

struct watchdog::probe {
  explicit probe(std::shared_ptr<const os::service_manager> whom) : to{std::move(whom)} {}

  const std::shared_ptr<const os::service_manager> to;
  std::atomic<bool> under_way{false};
  std::atomic<bool> wanted{false};
};

watchdog::watchdog(asio::io_context& control, asio::any_io_executor application,
                   std::shared_ptr<const os::service_manager> to, std::chrono::microseconds period)
    : interval_{period / 2},
      application_{std::move(application)},
      probe_{std::make_shared<probe>(std::move(to))},
      timer_{control} {}

watchdog::~watchdog() { stop(); }

void watchdog::start() {
  if (interval_.count() == 0 || probe_->wanted.exchange(true)) return;
  look();
}

void watchdog::stop() {
  probe_->wanted = false;
  timer_.cancel();
}

void watchdog::look() {
  // One at a time: what hangs is not to find a heap of them when it goes on.
  if (!probe_->under_way.exchange(true)) {
    asio::post(application_, [probe = probe_] {
      // Lost if the manager is behind; it will hear the next.
      if (probe->wanted) (void)probe->to->notify("WATCHDOG=1");
      probe->under_way = false;
    });
  }
  timer_.expires_after(interval_);
  timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec && probe_->wanted) look();
  });
}

}  // namespace graceful
