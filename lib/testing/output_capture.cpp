// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/output_capture.hpp"

#include "testing/blocked_signals.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <system_error>
#include <unistd.h>

namespace graceful::testing {

output_capture::output_capture(writers of) : writers_{of}, stop_{::eventfd(0, EFD_CLOEXEC)} {
  for (stream& s : streams_) {
    std::array<int, 2> ends;
    const int made = of == writers::mixed
                         ? ::pipe2(ends.data(), O_CLOEXEC)
                         : ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data());
    if (!stop_ || made != 0) throw std::system_error{errno, std::system_category(), "outputs"};
    if (of == writers::told_apart) {
      const int on = 1;
      ::setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    }
    s.read_end.reset(ends[0]);
    s.write_end.reset(ends[1]);
    // Only this end is non-blocking: the other is a separate open file description, and children
    // block as usual.
    ::fcntl(s.read_end.get(), F_SETFL, O_NONBLOCK);
  }
  const blocked_signals in_the_thread;
  reader_ = std::jthread{[this] { read_until_stopped(); }};
}

output_capture::~output_capture() {
  // Successors of the child may hold the pipes open, so end-of-file alone does not end the thread.
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
  // Searches each stream by itself: output of the other one may split a line of both().
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

std::vector<output_piece> output_capture::pieces() {
  const std::lock_guard lock{mutex_};
  drain();
  return pieces_;
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
  // As much as a pipe holds (pipe(7)): one read takes everything that an ended process has left,
  // and a process that never stops writing does not keep the mutex.
  constexpr std::size_t most = 64UL * 1024;
  std::vector<char> chunk(most);
  for (stream& s : streams_) {
    for (std::size_t taken = 0; taken < most && !s.ended;) {
      pid_t writer = 0;
      const ssize_t size = receive(s, chunk, writer);
      if (size < 0) break;  // EAGAIN
      s.ended = size == 0;
      const std::string_view text{chunk.data(), static_cast<std::size_t>(size)};
      s.text += text;
      both_ += text;
      if (size > 0) {
        pieces_.push_back(
            {std::chrono::system_clock::now(), writer, &s == &streams_[1], std::string{text}});
      }
      taken += text.size();
      if (writers_ == writers::mixed) break;
    }
  }
  arrived_.notify_all();
}

ssize_t output_capture::receive(stream& from, std::vector<char>& into, pid_t& writer) const {
  if (writers_ == writers::mixed) return ::read(from.read_end.get(), into.data(), into.size());
  // One message never has bytes of two writers: unix(7), SO_PASSCRED. What else a process attaches
  // (descriptors) does not fit into the control buffer, and the kernel drops it.
  iovec part{into.data(), into.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(from.read_end.get(), &message, MSG_CMSG_CLOEXEC);
  const cmsghdr* header = size > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (header != nullptr && header->cmsg_type == SCM_CREDENTIALS) {
    ucred sender{};
    std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
    writer = sender.pid;
  }
  return size;
}

}  // namespace graceful::testing
