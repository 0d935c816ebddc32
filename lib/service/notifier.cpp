// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "service/notifier.hpp"

#include "control/await.hpp"
#include "os/channel.hpp"
#include "os/spare_descriptors.hpp"
#include "os/system_failure.hpp"
#include "os/text.hpp"

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace graceful {

namespace {

/// The pause between two attempts to write to a socket whose reader is behind. No event tells when
/// it has caught up: the socket is not connected, because another may take its name.
constexpr std::chrono::milliseconds send_again_after{20};

/// The same where the socket is missing.
constexpr std::chrono::milliseconds look_again_after{200};

/// True if the reader is behind, or has too many descriptors waiting in its socket.
bool passes_by(const error_code& why) {
  return why == os::system_code(EAGAIN) || why == os::system_code(ENOBUFS) ||
         why == os::system_code(ETOOMANYREFS);
}

/// True if nothing is at the path of the manager's socket.
bool is_gone(const error_code& why) {
  return why == os::system_code(ENOENT) || why == os::system_code(ENOTDIR);
}

}  // namespace

void notifier::send(message m) {
  queue_.push_back(std::move(m));
  pump();
}

void notifier::say_status(const std::string& text) {
  if (!queue_.empty() && queue_.back().status) queue_.pop_back();
  send({.text = "STATUS=" + printable(text), .status = true});
}

void notifier::barrier() {
  std::array<int, 2> ends{};
  const auto make = [&ends] { return ::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK); };
  if (os::spare_descriptors::with(make) != 0) return;
  through_.reset(ends[0]);
  send({.text = "BARRIER=1", .barrier = unique_fd{ends[1]}});
}

void notifier::pump() {
  if (waiting_ || send_all()) return;
  waiting_ = true;
  call_after(again_, deaf_ ? look_again_after : send_again_after, [this] {
    waiting_ = false;
    pump();
  });
}

/// False if the manager is behind.
bool notifier::send_all() {
  for (; !queue_.empty(); queue_.pop_front()) {
    const message& m = queue_.front();
    std::vector<int> descriptors;
    if (m.socket) descriptors.push_back(m.socket->fd.get());
    if (m.barrier) descriptors.push_back(m.barrier.get());
    const auto sent = to_->notify(m.text, descriptors);
    if (sent) {
      deaf_ = false;
    } else if (passes_by(sent.error().code)) {
      return false;
    } else {
      if (!std::exchange(deaf_, true)) {
        log_.warning("the service manager does not hear this process: " + sent.error().message);
      }
      if (m.insists && is_gone(sent.error().code)) return false;
    }
  }
  return true;
}

void notifier::finish(std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!send_all()) {
    if (std::chrono::steady_clock::now() >= until) return;
    ::poll(nullptr, 0, static_cast<int>(send_again_after.count()));
  }
  if (through_ && !os::wait_readable(through_.get(), until)) {
    log_.warning("the service manager has not said that it knows of the successor");
  }
  through_.reset();
}

}  // namespace graceful
