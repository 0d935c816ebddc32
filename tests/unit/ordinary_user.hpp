// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <cerrno>

#include <sys/types.h>
#include <system_error>
#include <unistd.h>

namespace graceful_test {

/// While it lives, the program runs as an ordinary user, even if the tests run as root.
class ordinary_user {
 public:
  ordinary_user() {
    if (before_ == 0 && ::seteuid(65534) != 0) {
      throw std::system_error{errno, std::system_category(), "seteuid"};
    }
  }
  ordinary_user(const ordinary_user&) = delete;
  ordinary_user& operator=(const ordinary_user&) = delete;
  ~ordinary_user() { (void)!::seteuid(before_); }

 private:
  uid_t before_ = ::geteuid();
};

}  // namespace graceful_test
