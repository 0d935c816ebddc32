// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/spawned_successor.hpp"

#include "control/await.hpp"
#include "os/spare_descriptors.hpp"
#include "os/system_failure.hpp"

#include <utility>

#include <fcntl.h>

namespace graceful {

namespace {

constexpr std::chrono::milliseconds retired_interval{100};

/// How long a killed process may take to end before an upgrade stops waiting for it.
constexpr std::chrono::seconds time_to_die{3};

/// The same for a process that is ending itself.
constexpr std::chrono::seconds last_wait{1};

}  // namespace

spawned_successor::spawned_successor(asio::io_context& control, log& log, callbacks on)
    : log_{log},
      callbacks_{std::move(on)},
      watched_{control},
      retired_timer_{control},
      killed_timer_{control} {}

result<void> spawned_successor::spawn(const os::start_command& command, os::placement where,
                                      int channel) {
  auto child = os::child::spawn(command, where, {}, channel);
  if (!child) return child.error();
  unique_fd watched{os::spare_descriptors::with(
      [&child] { return ::fcntl(child->pidfd(), F_DUPFD_CLOEXEC, 3); })};
  boost::system::error_code ec = os::system_code(watched ? 0 : errno);
  if (watched) watched_.assign(watched.get(), ec);
  if (ec) {
    child->kill();
    child->wait(last_wait);
    return failure{ec, "cannot watch the successor: " + ec.message()};
  }
  (void)watched.release();
  child_.emplace(std::move(*child));
  killed_ = false;
  watch();
  return {};
}

void spawned_successor::kill() {
  if (!child_) return;
  if (const auto failed = child_->kill(); failed && failed != os::system_code(ESRCH)) {
    log_.error("cannot kill the successor (pid " + std::to_string(child_->pid()) +
               "): " + failed.message());
  }
  if (std::exchange(killed_, true)) return;
  killed_timer_.expires_after(time_to_die);
  killed_timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec && killed_ && child_) leave_alone();
  });
}

/// Stops waiting for the successor's end, which may never come: it may run as another user by now,
/// or sleep in the kernel.
void spawned_successor::leave_alone() {
  const auto pid = child_->pid();
  log_.error(
      "the successor (pid " + std::to_string(pid) +
      ") does not end although it was killed: it is left alone, with the sockets that it was "
      "passed; end it by hand, as its user or root");
  retire(std::chrono::milliseconds{0});
  retired_.back().why = "could not be killed";
  retired_.back().killed = true;
  callbacks_.ended("was killed and does not end", pid);
}

void spawned_successor::wait() {
  if (child_) child_->wait(last_wait);
}

void spawned_successor::watch() {
  await_readable(watched_, [this] {
    if (!child_) return;
    const auto how = child_->reap();
    if (!how) return watch();  // the wake-up was spurious
    const auto pid = child_->pid();
    child_.reset();
    killed_timer_.cancel();
    boost::system::error_code ignored;
    watched_.close(ignored);
    callbacks_.ended(how->to_string(), pid);
  });
}

void spawned_successor::retire(std::chrono::milliseconds time_to_end) {
  if (!child_) return;
  boost::system::error_code ignored;
  watched_.close(ignored);
  killed_timer_.cancel();
  retired_.push_back({std::move(*child_), std::chrono::steady_clock::now() + time_to_end});
  child_.reset();
  watch_retired();
}

/// Nobody waits for it, so a look now and then is enough.
void spawned_successor::watch_retired() {
  if (retired_.empty()) return;
  retired_timer_.expires_after(retired_interval);
  retired_timer_.async_wait([this](boost::system::error_code ec) {
    if (ec) return;
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(retired_, [this, now](retired& child) {
      const auto how = child.process.reap();
      const auto who = "the successor (pid " + std::to_string(child.process.pid()) + "), which " +
                       child.why + ", ";
      if (how) {
        // Its closed connections already tell that it has ended; the log needs only a failure.
        if (*how != os::ending{os::ending::kind::exited, 0}) {
          log_.info(who + how->to_string());
        }
      } else if (now >= child.deadline && !std::exchange(child.killed, true)) {
        const bool possible = !child.process.kill();
        log_.warning(who + "does not end: " +
                     (possible ? "it is killed" : "it cannot be killed; end it by hand"));
      }
      return how.has_value();
    });
    watch_retired();
  });
}

}  // namespace graceful
