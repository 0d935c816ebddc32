// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/deadline.hpp>
#include <graceful/testing/fault.hpp>
#include <graceful/unique_fd.hpp>

#include "testing/shim/fault_file.hpp"

#include <memory>
#include <string>

#include <sys/types.h>

namespace graceful::testing {

/// A process that has loaded the shim: its counts, and the fault that is armed in it.
class faulty_process {
 public:
  /// Waits until the process has made its file in `directory`; null at the deadline. Throws
  /// `std::runtime_error` if another version of the shim made the file.
  static std::unique_ptr<faulty_process> wait_for(const std::string& directory, pid_t pid,
                                                  deadline until);
  faulty_process(const faulty_process&) = delete;
  faulty_process& operator=(const faulty_process&) = delete;
  ~faulty_process();

  [[nodiscard]] const shim::fault_file& shared() const { return *shared_; }

  /// True if the process has ended, and another one has its pid.
  [[nodiscard]] bool superseded() const;

  /// Replaces the armed fault. Throws `std::runtime_error` if that is about to strike, and has not
  /// within ten seconds.
  void arm(shim::armed_word word);

  /// False if the fault has struck, or can no longer be prevented.
  bool disarm();

  /// False at the deadline, or when the process has ended without the fault.
  bool wait_until_struck(deadline until);

  /// Waits until the fault that has struck has done its work.
  bool wait_until_done(deadline until);

 private:
  faulty_process(pid_t pid, shim::fault_file* shared);
  bool wait_for_stage(std::uint32_t wanted, deadline until);
  [[nodiscard]] bool ended() const;

  pid_t pid_;
  shim::fault_file* shared_;
  graceful::unique_fd pidfd_;
};

}  // namespace graceful::testing
