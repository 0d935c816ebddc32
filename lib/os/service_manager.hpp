// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_SERVICE_MANAGER_HPP
#define GRACEFUL_OS_SERVICE_MANAGER_HPP

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include "os/start_command.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>
#include <sys/un.h>

namespace graceful::os {

/// Where the process that has started this one hears of it: systemd or `graceful-ctl run`, by the
/// datagrams of sd_notify(3). Connects again for each, so whoever binds the address next hears the
/// next. Thread-safe.
class service_manager {
 public:
  /// `address` is a path or, with '@' in front, an abstract name: the value of NOTIFY_SOCKET.
  static result<service_manager> at(std::string_view address);

  /// Sends `assignments`, "READY=1\nSTATUS=..."; with `descriptors`, 253 at most, which stay the
  /// caller's. Does not block: fails with EAGAIN if the manager is slow to read.
  [[nodiscard]] result<void> notify(std::string_view assignments,
                                    const std::vector<int>& descriptors = {}) const;

  /// Success if `notify` would find somebody to write to; says nothing to them.
  [[nodiscard]] result<void> reach() const;

 private:
  service_manager() = default;

  unique_fd socket_;
  sockaddr_un address_{};
  socklen_t length_ = 0;
};

struct named_descriptor {
  std::string name;
  unique_fd fd;
};

/// The descriptor from which on a service manager passes sockets: SD_LISTEN_FDS_START.
inline constexpr int first_passed = 3;

/// Whom LISTEN_PID names if what is passed is meant for this process.
enum class addressee {
  itself,
  /// Or a shell above it, which was started in its place, and has passed on what it does not know.
  /// That may have closed or reused what it was passed: so it is all listening sockets, or nothing.
  or_ancestor
};

/// What a service manager has passed to this process at its start, sd_listen_fds(3): close-on-exec
/// and non-blocking, by name ("unknown" without one). Takes LISTEN_PID, LISTEN_FDS and
/// LISTEN_FDNAMES out of the environment and out of `start`: no child may believe that they are
/// meant for it. None if they are not meant for this process.
std::vector<named_descriptor> take_listen_fds(start_command& start,
                                              addressee whom = addressee::itself);

/// A listener's name as an FDNAME: 255 ASCII characters at most, none of them a colon or a control
/// character. What is not allowed, a space and '%' become %XX; what is too long then ends in a
/// hash.
std::string to_fd_name(std::string_view name);

/// The way back. What `to_fd_name` has not made comes out as it is.
std::string from_fd_name(std::string_view fd_name);

}  // namespace graceful::os

#endif
