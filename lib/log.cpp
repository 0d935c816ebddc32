// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "log.hpp"

#include "os/journal_stream.hpp"

#include "printable.hpp"

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <utility>

#include <poll.h>
#include <signal.h>
#include <unistd.h>

namespace graceful {

namespace {

/// What the journal takes from the head of a line: sd-daemon(3).
const char* syslog_priority(log_level level) {
  switch (level) {
    case log_level::error:
      return "<3>";
    case log_level::warning:
      return "<4>";
    case log_level::info:
      return "<6>";
  }
  return "<6>";
}

std::string journal_stream_variable() {
  const char* value = std::getenv("JOURNAL_STREAM");
  return value == nullptr ? "" : value;
}

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

log::log(std::function<void(log_level, std::string_view)> sink, log_level threshold)
    : sink_{std::move(sink)}, threshold_{threshold}, journal_stream_{journal_stream_variable()} {}

void log::write(log_level level, const std::string& message) noexcept {
  if (level > threshold_) return;
  try {
    const std::lock_guard lock{mutex_};
    if (sink_) return sink_(level, printable(message));
    // Looked at each time: the application may send its standard error elsewhere. The journal knows
    // by itself which process writes.
    const bool journal = os::is_journal_stream(STDERR_FILENO, journal_stream_);
    const std::string head =
        journal ? syslog_priority(level) : "graceful[" + std::to_string(::getpid()) + "]: ";
    write_line(head + printable(message) + '\n');
  } catch (...) {
    // A log that fails must not end an upgrade.
  }
}

}  // namespace graceful
