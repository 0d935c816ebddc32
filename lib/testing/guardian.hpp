// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_TESTING_GUARDIAN_HPP
#define GRACEFUL_LIB_TESTING_GUARDIAN_HPP

#include <graceful/unique_fd.hpp>

#include <string>

#include <sys/types.h>

namespace graceful::testing {

/// A process that waits for the end of this one, however it ends, and then kills every process that
/// carries a mark in its environment, and removes a directory (the files in it, no directories).
/// PR_SET_PDEATHSIG does not do: it reaches children, not the successors whose parent has gone.
class guardian {
 public:
  /// `mark`: "NAME=VALUE". Throws `std::system_error`.
  guardian(const std::string& mark, const std::string& directory);
  guardian(const guardian&) = delete;
  guardian& operator=(const guardian&) = delete;

  /// Dismisses it: nothing is left for it to do.
  ~guardian();

  /// Has it do at once what it is there for, and waits until it has. It needs nothing of this
  /// process, whose descriptors may have run out.
  void act();

 private:
  void send(const char& word);

  graceful::unique_fd lifeline_;
  pid_t pid_;
};

}  // namespace graceful::testing

#endif
