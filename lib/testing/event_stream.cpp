// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/event_stream.hpp"

#include "testing/blocked_signals.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/eventfd.h>
#include <system_error>

namespace graceful::testing {

event_stream::event_stream(std::string control, std::chrono::milliseconds patience, timeline& into,
                           generations& known)
    : control_{std::move(control)},
      patience_{patience},
      into_{into},
      known_{known},
      stop_{::eventfd(0, EFD_CLOEXEC)} {
  if (!stop_) throw std::system_error{errno, std::system_category(), "eventfd"};
  const blocked_signals in_the_thread;
  follower_ = std::jthread{[this] { follow(); }};
}

event_stream::~event_stream() { stop(); }

void event_stream::stop() {
  stopping_ = true;
  ::eventfd_write(stop_.get(), 1);
}

std::optional<server_event> event_stream::wait_for(std::string_view event, std::size_t nth,
                                                   deadline until) {
  std::unique_lock lock{mutex_};
  std::optional<server_event> found;
  arrived_.wait_until(lock, until.when(), [&] {
    std::size_t count = 0;
    for (const server_event& each : events_) {
      if (each.event == event && ++count == nth) {
        found = each;
        return true;
      }
    }
    return false;
  });
  return found;
}

bool event_stream::wait_watching(pid_t pid, deadline until) {
  std::unique_lock lock{mutex_};
  return arrived_.wait_until(lock, until.when(), [&] { return watching_ == pid; });
}

bool event_stream::wait_watched(pid_t pid, deadline until) {
  std::unique_lock lock{mutex_};
  return arrived_.wait_until(lock, until.when(), [&] {
    return std::any_of(events_.begin(), events_.end(),
                       [&](const server_event& each) { return each.pid == pid; });
  });
}

void event_stream::follow() {
  while (!stopping_) {
    if (auto client = control_client::connect(control_, patience_)) {
      const auto over = client->monitor([this](const server_event& event) { take(event); });
      {
        const std::lock_guard lock{mutex_};
        watching_ = 0;
      }
      if (over) continue;
    }
    // The server has ended, or a successor is about to answer: no event tells which.
    wait_readable(stop_.get(), std::chrono::milliseconds{20});
  }
}

void event_stream::take(const server_event& event) {
  const auto pid = static_cast<pid_t>(event.pid);
  known_.add(event.generation, pid);
  into_.add("generation " + std::to_string(event.generation), event.event + ": " + event.message,
            timeline::clock::time_point{event.time});
  {
    const std::lock_guard lock{mutex_};
    events_.push_back(event);
    watching_ = pid;
  }
  arrived_.notify_all();
}

}  // namespace graceful::testing
