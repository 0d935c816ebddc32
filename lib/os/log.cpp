// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/log.hpp"

#include "os/at_start.hpp"
#include "os/blocked_signals.hpp"
#include "os/text.hpp"

#include <cerrno>
#include <ctime>
#include <memory>
#include <mutex>
#include <utility>

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace graceful {

namespace {

/// The prefix by which the journal knows the priority of a line: sd-daemon(3).
const char* syslog_priority(log_level level) {
  return level == log_level::error ? "<3>" : level == log_level::warning ? "<4>" : "<6>";
}

/// Like write(2), but does not wait for room where the kernel supports that. Checking for room
/// beforehand proves little: both processes of an upgrade write to the same pipe, and a thread that
/// waits there cannot answer the other process.
ssize_t write_now(const std::string& line) {
  struct stat is {};
  (void)::fstat(STDERR_FILENO, &is);
  if (S_ISSOCK(is.st_mode)) {
    return ::send(STDERR_FILENO, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  if (S_ISFIFO(is.st_mode)) {
    const iovec whole{.iov_base = const_cast<char*>(line.data()), .iov_len = line.size()};
    const ssize_t written = ::pwritev2(STDERR_FILENO, &whole, 1, -1, RWF_NOWAIT);
    // Before Linux 6.4 pipes do not support it, and a sandbox may not know the call.
    if (written >= 0 || errno == EAGAIN || errno == EPIPE) return written;
  }
  return ::write(STDERR_FILENO, line.data(), line.size());
}

/// Neither blocks nor raises SIGPIPE: standard error may be a pipe that nobody reads any more, from
/// the shell that started the first generation. A server must not stop or die because of that.
void write_line(const std::string& line) {
  pollfd writable{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (::poll(&writable, 1, 0) <= 0) return;
  sigset_t broken_pipe;
  sigset_t pending;
  ::sigemptyset(&broken_pipe);
  ::sigaddset(&broken_pipe, SIGPIPE);
  const os::blocked_signals quiet{broken_pipe};
  ::sigpending(&pending);
  const bool was_pending = ::sigismember(&pending, SIGPIPE) == 1;
  // Written with one call, so that the lines of two processes do not mix.
  if (write_now(line) < 0 && errno == EPIPE && !was_pending) {
    constexpr timespec at_once{};
    ::sigtimedwait(&broken_pipe, nullptr, &at_once);
  }
}

}  // namespace

log::log(std::function<void(log_level, std::string_view)> sink, log_level threshold)
    : sink_{std::move(sink)},
      threshold_{threshold},
      journal_stream_{os::trusted_variable("JOURNAL_STREAM")} {}

void log::write(log_level level, const std::string& message) noexcept {
  if (level > threshold_) return;
  try {
    const std::lock_guard lock{mutex_};
    if (sink_) return sink_(level, printable(message));
    // Checked each time: the application may redirect its standard error. The journal knows by
    // itself which process writes.
    const bool journal = os::is_journal_stream(STDERR_FILENO, journal_stream_);
    const std::string head =
        journal ? syslog_priority(level) : "graceful[" + std::to_string(::getpid()) + "]: ";
    write_line(head + printable(message) + '\n');
  } catch (...) {
    // A log function that fails must not end an upgrade.
  }
}

bool os::is_journal_stream(int fd, std::string_view variable) {
  struct stat is {};
  if (variable.empty() || ::fstat(fd, &is) != 0) return false;
  return variable == std::to_string(is.st_dev) + ':' + std::to_string(is.st_ino);
}

options with_safe_log(options opts) {
  if (!opts.log) return opts;
  opts.log = [mutex = std::make_shared<std::mutex>(), sink = std::move(opts.log)](
                 log_level level, std::string_view text) {
    const std::lock_guard lock{*mutex};
    sink(level, text);
  };
  return opts;
}

}  // namespace graceful
