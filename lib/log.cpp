// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "log.hpp"

#include "printable.hpp"

#include <cerrno>
#include <ctime>

#include <poll.h>
#include <signal.h>
#include <unistd.h>

namespace graceful {

namespace {

/// Neither blocks nor raises SIGPIPE: standard error may be a pipe that nobody reads any more, of
/// a shell that started the first generation, and a server must not stop or die of that.
void write_line(const std::string& line) {
  pollfd writable{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (::poll(&writable, 1, 0) <= 0) return;
  sigset_t broken_pipe;
  sigset_t before;
  sigset_t pending;
  ::sigemptyset(&broken_pipe);
  ::sigaddset(&broken_pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
  ::sigpending(&pending);
  const bool was_pending = ::sigismember(&pending, SIGPIPE) == 1;
  // One write(2), so that the lines of two processes do not mix.
  if (::write(STDERR_FILENO, line.data(), line.size()) < 0 && errno == EPIPE && !was_pending) {
    constexpr timespec at_once{};
    ::sigtimedwait(&broken_pipe, nullptr, &at_once);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

void log::write(log_level level, const std::string& message) noexcept {
  try {
    const std::lock_guard lock{mutex_};
    if (sink_) return sink_(level, printable(message));
    if (level == log_level::debug) return;
    write_line("graceful[" + std::to_string(::getpid()) + "]: " + printable(message) + '\n');
  } catch (...) {
    // A log that fails must not end an upgrade.
  }
}

}  // namespace graceful
