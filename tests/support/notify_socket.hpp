// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/deadline.hpp>
#include <graceful/unique_fd.hpp>

#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful_test {

/// One message of a service, with its sender.
struct notification {
  std::string text;
  pid_t pid = 0;
  std::vector<graceful::unique_fd> descriptors{};

  /// The value of a variable; empty if it is not set.
  [[nodiscard]] std::string value(const std::string& variable) const;
  [[nodiscard]] bool has(const std::string& assignment) const;
};

/// The service manager's end of sd_notify(3).
class notify_socket {
 public:
  /// A path, which is removed at the end, or an abstract name with a leading '@'.
  explicit notify_socket(std::string address);
  notify_socket(const notify_socket&) = delete;
  notify_socket& operator=(const notify_socket&) = delete;
  ~notify_socket();

  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] int socket() const { return socket_.get(); }

  /// Throws if no message comes.
  notification next(graceful::testing::deadline until);

 private:
  std::string address_;
  graceful::unique_fd socket_;
};

}  // namespace graceful_test
