// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/close_aside.hpp"

#include "os/blocked_signals.hpp"
#include "os/socket_option.hpp"
#include "os/spare_descriptors.hpp"

#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <system_error>

namespace graceful::os {

namespace {

/// A peer that sends more slow descriptors only makes its own wait.
constexpr int most_closers = 16;

struct closers {
  std::mutex mutex;
  std::deque<unique_fd> waiting;
  int running = 0;
};

/// Never destroyed: a thread may still wait in close(2) when the process ends.
closers& all_closers() {
  static auto& all = *new closers;
  return all;
}

bool closes_at_once(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || S_ISFIFO(status.st_mode)) return true;
  return is_listening(fd) && socket_option(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_TCP;
}

void close_all_that_waits() {
  auto& all = all_closers();
  std::unique_lock lock{all.mutex};
  while (!all.waiting.empty()) {
    auto next = std::move(all.waiting.front());
    all.waiting.pop_front();
    lock.unlock();
    next.reset();
    lock.lock();
  }
  --all.running;
}

/// The thread blocks all signals: other threads take them. False if no thread can be started.
bool start_closer() {
  const blocked_signals while_made;
  try {
    std::thread{close_all_that_waits}.detach();
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

}  // namespace

void close_connection(unique_fd socket) {
  if (!socket) return;
  // Ends the connection, not just this descriptor: a child of fork(2) may have a copy.
  ::shutdown(socket.get(), SHUT_RDWR);
  int unread = 0;
  if (::ioctl(socket.get(), FIONREAD, &unread) == 0 && unread == 0) {
    return spare_descriptors::close(std::move(socket));
  }
  std::vector<unique_fd> alone;
  alone.push_back(std::move(socket));
  close_aside(std::move(alone));
}

void close_aside(std::vector<unique_fd> descriptors) {
  std::erase_if(descriptors, [](const unique_fd& fd) { return closes_at_once(fd.get()); });
  if (descriptors.empty()) return;
  auto& all = all_closers();
  const std::lock_guard lock{all.mutex};
  for (auto& fd : descriptors) all.waiting.push_back(std::move(fd));
  // A running thread may block for long.
  if (all.running < most_closers && start_closer()) ++all.running;
}

}  // namespace graceful::os
