// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTING_CENSUS_HPP
#define GRACEFUL_TESTING_CENSUS_HPP

#include <graceful/detail/api.hpp>
#include <graceful/testing/deadline.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful::testing {

/// The resources of a process, so that a test can tell whether anything was left behind.
struct GRACEFUL_API census {
  std::size_t descriptors{};
  std::size_t sockets{};
  std::size_t epoll_entries{};  ///< Registrations in all its epoll instances.
  std::size_t threads{};
  std::size_t zombies{};             ///< Children that it has not reaped.
  std::vector<std::string> listing;  ///< Each descriptor: "7 socket:[4711]".

  /// Compares the figures only: the same things may have other numbers.
  friend bool operator==(const census& a, const census& b) {
    return a.descriptors == b.descriptors && a.sockets == b.sockets &&
           a.epoll_entries == b.epoll_entries && a.threads == b.threads && a.zombies == b.zombies;
  }

  [[nodiscard]] std::string to_string() const;
};

/// Counts the resources of a process, which may be the test program itself. All figures are zero
/// for a process that has ended.
GRACEFUL_API census take_census(pid_t pid);

/// The descriptors above 2 that an exec would pass on.
GRACEFUL_API std::vector<int> descriptors_without_cloexec(pid_t pid);

/// Waits until a process has settled at `wanted`.
GRACEFUL_API bool wait_for_census(pid_t pid, const census& wanted, deadline until);

}  // namespace graceful::testing

#endif
