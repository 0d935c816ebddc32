// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "spawned_successor.hpp"

#include "os/system_failure.hpp"

#include <chrono>
#include <utility>

#include <fcntl.h>

namespace graceful {

namespace {

constexpr std::chrono::milliseconds retired_interval{100};

}  // namespace

spawned_successor::spawned_successor(asio::io_context& control, log& log, ended on_end)
    : log_{log}, on_end_{std::move(on_end)}, watched_{control}, retired_timer_{control} {}

result<void> spawned_successor::spawn(const os::start_command& command, os::placement where,
                                      int channel) {
  auto child = os::child::spawn(command, where, {}, channel);
  if (!child) return child.error();
  unique_fd watched{::fcntl(child->pidfd(), F_DUPFD_CLOEXEC, 3)};
  boost::system::error_code ec = os::system_code(watched ? 0 : errno);
  if (watched) watched_.assign(watched.get(), ec);
  if (ec) {
    child->kill();
    child->wait();
    return failure{ec, "cannot watch the successor: " + ec.message()};
  }
  (void)watched.release();
  child_.emplace(std::move(*child));
  watch();
  return {};
}

std::optional<pid_t> spawned_successor::pid() const {
  return child_ ? std::optional{child_->pid()} : std::nullopt;
}

void spawned_successor::kill() {
  if (child_) child_->kill();
}

void spawned_successor::wait() {
  if (child_) child_->wait();
}

void spawned_successor::watch() {
  watched_.async_wait(watched_.wait_read, [this](boost::system::error_code ec) {
    if (ec || !child_) return;
    const auto how = child_->reap();
    if (!how) return watch();  // the wake-up was spurious
    const auto pid = child_->pid();
    child_.reset();
    boost::system::error_code ignored;
    watched_.close(ignored);
    on_end_(how->to_string(), pid);
  });
}

void spawned_successor::retire(std::chrono::milliseconds time_to_end) {
  if (!child_) return;
  boost::system::error_code ignored;
  watched_.close(ignored);
  retired_.push_back({std::move(*child_), std::chrono::steady_clock::now() + time_to_end});
  child_.reset();
  watch_retired();
}

/// Nobody waits for it: now and then is enough.
void spawned_successor::watch_retired() {
  if (retired_.empty()) return;
  retired_timer_.expires_after(retired_interval);
  retired_timer_.async_wait([this](boost::system::error_code ec) {
    if (ec) return;
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(retired_, [this, now](retired& child) {
      const auto how = child.process.reap();
      if (how) {
        // That it has ended its connections tell already.
        if (*how != os::ending{os::ending::kind::exited, 0}) {
          log_.info("the successor that was rolled back " + how->to_string());
        }
      } else if (now >= child.deadline && !std::exchange(child.killed, true)) {
        log_.warning("the successor that was rolled back does not end: it is killed");
        child.process.kill();
      }
      return how.has_value();
    });
    watch_retired();
  });
}

}  // namespace graceful
