// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/deadline.hpp>
#include <graceful/unique_fd.hpp>

#include "testing/timeline.hpp"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace graceful::testing {

/// The processes of a server, and when they ended. Thread-safe.
class generations {
 public:
  struct member {
    std::uint64_t number;
    pid_t pid;
    std::string end;  ///< "exited 0", "signalled 9", "ended"; empty while it is alive.
  };

  explicit generations(timeline& into);
  generations(const generations&) = delete;
  generations& operator=(const generations&) = delete;
  ~generations();

  /// Adding the same process twice has no effect.
  void add(std::uint64_t number, pid_t pid);

  /// The newest process with this number: a successor that was rolled back has the same number as
  /// the next one. Throws `std::out_of_range`.
  [[nodiscard]] pid_t pid(std::uint64_t number) const;

  bool signal(std::uint64_t number, int signal);
  bool wait_stopped(std::uint64_t number, deadline until);
  bool wait_gone(std::uint64_t number, deadline until) { return wait_ended(pid(number), until); }
  bool wait_ended(pid_t pid, deadline until);

  /// All of them, in the order in which they became known.
  [[nodiscard]] std::vector<member> members() const;

  /// "generation 2", or "pid 4711" for an unknown process.
  [[nodiscard]] std::string name_of(pid_t pid) const;

 private:
  struct watched {
    member who;
    graceful::unique_fd pidfd;  // empty once it has ended, or while no descriptor is free
  };

  [[nodiscard]] const watched& newest(std::uint64_t number) const;  // call with mutex_ held
  void watch();
  void ended(watched& which);  // call with mutex_ held

  timeline& into_;
  graceful::unique_fd changed_;
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  std::vector<watched> watched_;
  bool stopping_ = false;
  std::jthread watcher_;
};

}  // namespace graceful::testing
