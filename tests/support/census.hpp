// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTS_SUPPORT_CENSUS_HPP
#define GRACEFUL_TESTS_SUPPORT_CENSUS_HPP

#include "deadline.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful_test {

/// What a process holds, so that a test can tell whether anything was left behind.
struct census {
  std::size_t descriptors{};
  std::size_t sockets{};
  std::size_t epoll_entries{};  ///< Registrations in all its epoll instances.
  std::size_t threads{};
  std::size_t zombies{};             ///< Children that it has not reaped.
  std::vector<std::string> listing;  ///< Each descriptor: "7 socket:[4711]".

  /// Of the figures: the same things may have other numbers.
  friend bool operator==(const census& a, const census& b) {
    return a.descriptors == b.descriptors && a.sockets == b.sockets &&
           a.epoll_entries == b.epoll_entries && a.threads == b.threads && a.zombies == b.zombies;
  }

  [[nodiscard]] std::string to_string() const;
};

/// Of the test program itself too. All zero for a process that has gone.
census take_census(pid_t pid);

/// Those above 2 that an exec would pass on.
std::vector<int> descriptors_without_cloexec(pid_t pid);

/// Waits for a process to settle.
bool wait_for_census(pid_t pid, const census& wanted, deadline until);

}  // namespace graceful_test

#endif
