// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "terminal.hpp"

#include <cerrno>
#include <cstdlib>

#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace graceful::cli {

namespace {

constexpr std::size_t usual_width = 80;

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view{} : value;
}

}  // namespace

bool is_live_terminal(int fd) { return ::isatty(fd) == 1 && can_redraw(variable("TERM")); }

style style_of(int fd) {
  if (!is_live_terminal(fd)) return {};
  return style_of(variable("TERM"), variable("NO_COLOR"), ::nl_langinfo(CODESET));
}

std::size_t width_of(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return usual_width;
  return size.ws_col;
}

bool in_foreground(int fd) {
  const pid_t group = ::tcgetpgrp(fd);
  return group < 0 || group == ::getpgrp();  // a terminal that does not control this process has no
                                             // jobs
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {  // a process that shares it has made it non-blocking
      pollfd entry{fd, POLLOUT, 0};
      ::poll(&entry, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace graceful::cli
