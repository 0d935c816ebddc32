// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTING_PROCESS_HPP
#define GRACEFUL_TESTING_PROCESS_HPP

#include <graceful/detail/api.hpp>
#include <graceful/testing/deadline.hpp>
#include <graceful/unique_fd.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/resource.h>
#include <sys/types.h>

namespace graceful::testing {

class output_capture;

struct process_options {
  std::map<std::string, std::string> environment{};  ///< Added to the test's.
  std::string directory{};                           ///< Default: the test's.
  std::optional<uid_t> user{};                       ///< User to switch to, as root; the group too.
  std::optional<rlim_t> descriptor_limit{};          ///< RLIMIT_NOFILE, soft and hard.
  /// Makes each of its outputs a Unix socket, not a pipe, so that the kernel says which process
  /// wrote what. As under systemd's journal, opening /dev/stderr by name fails then.
  bool attribute_output = false;
  std::optional<int> terminal{};  ///< Its controlling terminal, and all that it reads and writes.
};

/// A text that one process has written at once.
struct output_piece {
  std::chrono::system_clock::time_point when{};
  pid_t pid{};  ///< The writer; 0 if `process_options::attribute_output` is not set.
  bool standard_error{};
  std::string text{};
};

/// How a process ended. If it has not ended, this is false, and neither exited nor signalled. If
/// somebody else has reaped it (a `waitpid(-1)` of the test program), this is true, but matches no
/// exit code and no signal.
class GRACEFUL_API exit_status {
 public:
  exit_status() = default;
  exit_status(bool by_signal, int value)
      : what_{by_signal ? what::signalled : what::exited}, value_{value} {}

  explicit operator bool() const { return what_ != what::running; }
  [[nodiscard]] bool exited(int code) const { return what_ == what::exited && value_ == code; }
  [[nodiscard]] bool signalled(int signal) const {
    return what_ == what::signalled && value_ == signal;
  }
  /// "exited 0", "signalled 9", "still running"; "ended" if nobody knows how.
  [[nodiscard]] std::string to_string() const;

 private:
  enum class what { running, exited, signalled } what_ = what::running;
  int value_ = 0;
};

/// A child of the test. It starts with default signal dispositions, nothing blocked, standard input
/// from /dev/null, its outputs captured, and no other descriptor. It dies when the thread that
/// started it ends (PR_SET_PDEATHSIG goes by the thread), and with this object.
///
/// **SIGCHLD.** The kernel keeps the exit status of a child only if SIGCHLD is not ignored and has
/// no SA_NOCLDWAIT, see sigaction(2). So starting a process changes that for the whole program: an
/// ignored SIGCHLD gets its default disposition, SA_NOCLDWAIT is removed, and neither is restored.
/// A handler stays; it is called for the kit's children too.
///
/// Not thread-safe, but for the outputs.
class GRACEFUL_API process {
 public:
  /// Returns once the program runs. Throws `std::system_error` if it cannot be executed.
  explicit process(std::vector<std::string> argv, const process_options& options = {});
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  ~process();

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// False if it has ended.
  bool signal(int number);

  /// Sends SIGSTOP, which no process can ignore; returns when it has stopped. False if it has
  /// ended.
  bool stop();

  [[nodiscard]] bool running() const;

  /// Reaps the process if it ends before the deadline. See `exit_status` for a process that
  /// somebody else has reaped.
  exit_status wait_exit(deadline until);

  /// Searches each of its outputs from the beginning, including the output of its successors.
  bool wait_for_output(std::string_view needle, deadline until);

  [[nodiscard]] std::string output();  ///< Both, in the order of arrival.
  [[nodiscard]] std::string stdout_text();
  [[nodiscard]] std::vector<output_piece> pieces_of_output();  ///< In the order of arrival.
  [[nodiscard]] const std::string& program() const { return program_; }

  /// True if this is the pid of a living object. Then nobody else may reap it.
  static bool owns(pid_t pid);

 private:
  std::string program_;
  std::unique_ptr<output_capture> outputs_;
  pid_t pid_;
  graceful::unique_fd pidfd_;
  exit_status exit_;
};

}  // namespace graceful::testing

#endif
