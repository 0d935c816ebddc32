// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/output_capture.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

namespace graceful::testing {

output_capture::output_capture() : stop_{::eventfd(0, EFD_CLOEXEC)} {
  for (stream& s : streams_) {
    std::array<int, 2> ends;
    if (!stop_ || ::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw std::system_error{errno, std::system_category(), "pipe2"};
    }
    s.read_end.reset(ends[0]);
    s.write_end.reset(ends[1]);
    // Only this end: the other is an open file description of its own, and children block as usual.
    ::fcntl(s.read_end.get(), F_SETFL, O_NONBLOCK);
  }
  reader_ = std::jthread{[this] { read_until_stopped(); }};
}

output_capture::~output_capture() {
  // Successors of the child may hold the pipes open: end-of-file alone does not end the thread.
  ::eventfd_write(stop_.get(), 1);
  reader_.join();
}

std::array<int, 2> output_capture::child_ends() const {
  return {streams_[0].write_end.get(), streams_[1].write_end.get()};
}

void output_capture::close_child_ends() {
  for (stream& s : streams_) s.write_end.reset();
}

bool output_capture::wait_for(std::string_view needle, deadline until) {
  std::unique_lock lock{mutex_};
  // Within one stream: what the other writes meanwhile may cut a line of both() in two.
  const auto found = [&] {
    return std::any_of(streams_.begin(), streams_.end(),
                       [&](const stream& s) { return s.text.find(needle) != s.text.npos; });
  };
  const auto ended = [&] { return streams_[0].ended && streams_[1].ended; };
  arrived_.wait_until(lock, until.when(), [&] { return found() || ended(); });
  return found();
}

std::string output_capture::both() {
  const std::lock_guard lock{mutex_};
  drain();
  return both_;
}

std::string output_capture::standard_output() {
  const std::lock_guard lock{mutex_};
  drain();
  return streams_[0].text;
}

void output_capture::read_until_stopped() {
  for (;;) {
    std::array<pollfd, 3> entries{{{stop_.get(), POLLIN, 0}}};
    {
      const std::lock_guard lock{mutex_};
      for (std::size_t i = 0; i < 2; ++i) {
        entries[i + 1] = {streams_[i].ended ? -1 : streams_[i].read_end.get(), POLLIN, 0};
      }
    }
    if (::poll(entries.data(), entries.size(), -1) < 0) continue;
    if (entries[0].revents != 0) return;
    const std::lock_guard lock{mutex_};
    drain();
  }
}

void output_capture::drain() {
  // As much as a pipe holds (pipe(7)): one read takes all that a process left when it ended, and
  // one that never stops writing does not keep the mutex.
  std::array<char, 64 * 1024> chunk;
  for (stream& s : streams_) {
    const ssize_t size = ::read(s.read_end.get(), chunk.data(), chunk.size());
    if (size < 0) continue;  // EAGAIN
    s.ended = size == 0;
    s.text.append(chunk.data(), static_cast<std::size_t>(size));
    both_.append(chunk.data(), static_cast<std::size_t>(size));
  }
  arrived_.notify_all();
}

}  // namespace graceful::testing
