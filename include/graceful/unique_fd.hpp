// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_UNIQUE_FD_HPP
#define GRACEFUL_UNIQUE_FD_HPP

#include <utility>

#include <unistd.h>

namespace graceful {

/// Owns one file descriptor and closes it when destroyed; -1 means "none". Move-only.
///
/// Not thread-safe; distinct objects are independent. close(2) is called once and never retried:
/// on Linux the number is free again even when close(2) reports EINTR.
class unique_fd {
 public:
  unique_fd() noexcept = default;

  /// Takes ownership of `fd`.
  explicit unique_fd(int fd) noexcept : fd_{fd} {}

  unique_fd(unique_fd&& other) noexcept : fd_{other.release()} {}
  unique_fd& operator=(unique_fd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  unique_fd(const unique_fd&) = delete;
  unique_fd& operator=(const unique_fd&) = delete;
  ~unique_fd() { reset(); }

  /// The descriptor, still owned by this object.
  [[nodiscard]] int get() const noexcept { return fd_; }

  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }

  /// Gives the descriptor to the caller, who has to close it.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

  /// Closes the descriptor that is owned, and owns `fd` from now on.
  void reset(int fd = -1) noexcept {
    if (const int old = std::exchange(fd_, fd); old >= 0) ::close(old);
  }

 private:
  int fd_ = -1;
};

}  // namespace graceful

#endif
