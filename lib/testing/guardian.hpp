// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/unique_fd.hpp>

#include <string>

#include <sys/types.h>

namespace graceful::testing {

/// A process that waits for the end of this one, however it ends. It then kills every process that
/// carries a mark in its environment, and removes a directory (with its files, but not with
/// subdirectories). PR_SET_PDEATHSIG would not be enough: it reaches children, but not successors
/// whose parent has gone.
class guardian {
 public:
  /// `mark`: "NAME=VALUE". Throws `std::system_error`.
  guardian(const std::string& mark, const std::string& directory);
  guardian(const guardian&) = delete;
  guardian& operator=(const guardian&) = delete;

  /// Dismisses the guardian: it has nothing left to do.
  ~guardian();

  /// Makes the guardian act now, and waits until it has. Needs no resources of this process, whose
  /// descriptors may be used up.
  void act();

 private:
  void send(const char& word);

  graceful::unique_fd lifeline_;
  pid_t pid_;
};

}  // namespace graceful::testing
