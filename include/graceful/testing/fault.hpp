// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTING_FAULT_HPP
#define GRACEFUL_TESTING_FAULT_HPP

#include <graceful/detail/api.hpp>
#include <graceful/testing/deadline.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <sys/types.h>

namespace graceful::testing {

class faulty_process;
class guardian;

/// A fault that strikes a process at one point of its run, for instance
/// `fault::at_step(fault::step::ready, fault::action::kill)`.
struct fault {
  enum class action {
    kill,         ///< SIGKILL.
    stop,         ///< SIGSTOP, until SIGCONT.
    crash,        ///< SIGSEGV; twice if the program handles it.
    unreachable,  ///< Looks like a lost network to all that talk to it through Unix sockets.
    fail,         ///< The call is not made, and fails with `error`: see `failing_call`.
  };

  enum class moment { before, after };

  /// The messages of a handoff, see docs/protocol.md: a call, and the reply to it, which may be an
  /// error. Each message is a step in both processes. `before` means before one process sends it,
  /// or before the other reads it from the socket; `after` means after it was sent, or received.
  ///
  /// | call   | reply   | what it says                                           |
  /// |--------|---------|--------------------------------------------------------|
  /// | begin  | begun   | a successor is there / what is on offer                |
  /// | fetch  | batch   | asks for descriptors / has some                        |
  /// | ready  | readied | the successor is ready / it may accept                 |
  /// | settle | settled | the successor confirms / it stays, or has to ask again |
  enum class step { begin, begun, fetch, batch, ready, readied, settle, settled };

  action what = action::kill;
  moment when = moment::before;

  /// A step, or the name of a system call: see `fault_injector::kinds()`. "any" is any of them.
  std::variant<step, std::string> where = "any";

  /// It strikes when the point is passed for the `count`-th time. In a running process the count
  /// starts when the fault is armed; in a process that is started with the fault, at its start. 1
  /// is the first time.
  std::uint32_t count = 1;

  /// The errno of a failing call.
  int error = 0;

  static fault at_step(step where, action what, moment when = moment::before,
                       std::uint32_t count = 1) {
    return {what, when, where, count, 0};
  }

  /// Strikes at the `count`-th call of this kind, by any thread: before it is made; or after it has
  /// returned to the library that made it, and before the program knows.
  static fault at_call(std::string_view kind, std::uint32_t count, action what,
                       moment when = moment::before) {
    return {what, when, std::string{kind}, count, 0};
  }

  /// Makes the `count`-th call of this kind fail with `error` (EMFILE, ENOMEM, ...); the real call
  /// is not made. A close(2) that fails so leaves the descriptor open, unlike one that fails in the
  /// kernel.
  static fault failing_call(std::string_view kind, std::uint32_t count, int error) {
    return {action::fail, moment::before, std::string{kind}, count, error};
  }

  /// "kill before call accept4 3", "stop after step ready 1", "fail:24 before call accept4 1". If
  /// the environment variable GRACEFUL_TESTING_FAULT has this text, a process starts with the fault
  /// armed. Set it by `graceful-ctl upgrade --env`, for instance; its own successors do not inherit
  /// it.
  [[nodiscard]] GRACEFUL_API std::string to_string() const;
};

/// A fault that has struck.
struct fault_hit {
  std::string fault{};  ///< The text of `fault::to_string()`, with a count of 1.
  std::string call{};   ///< The kind of the call in which it struck.
  /// The number of calls that the process had made in all, including that one.
  std::uint64_t calls = 0;
};

/// The calls of a process.
struct call_trace {
  std::uint64_t calls = 0;                         ///< All calls.
  std::map<std::string, std::uint64_t> by_kind{};  ///< Only kinds that it has called.
  std::map<fault::step, std::uint64_t> by_step{};  ///< The steps that it has received, or sent.
  std::uint64_t first = 0;                         ///< The number of `sequence.front()`, from 0 on.
  std::vector<std::string> sequence{};             ///< The kinds of the last 65,536 calls.
};

/// Makes faults strike processes, without a hook in their code. It preloads a shared object into
/// them (LD_PRELOAD) that wraps the functions of libc by which programs make system calls. The shim
/// counts the calls, and strikes where it is told to.
///
/// A program only has to be linked dynamically, and to call libc's functions. Calls that libc makes
/// internally are not seen (stdio, getaddrinfo, a thread's start), nor are futex, mmap and brk.
/// Each call takes about two microseconds longer.
///
/// Processes inherit the shim from each other, so successors have it too.
///
/// **Sanitizers.** Faults also strike programs that are built with AddressSanitizer or
/// ThreadSanitizer. If AddressSanitizer is a shared object (gcc), it has to be loaded first: set
/// ASAN_OPTIONS=verify_asan_link_order=0 for these programs.
///
/// Not thread-safe.
class GRACEFUL_API fault_injector {
 public:
  /// Makes a directory, in that for temporary files, and removes it with this object. If the
  /// program ends before, graceful-guard, a process that waits for its end, removes the directory
  /// and kills the processes that were started with `environment()`. Throws `std::runtime_error` if
  /// the shim is missing: it is where it was installed, or where the environment variable
  /// GRACEFUL_TESTING_SHIM says. Throws `std::system_error` if the directory or that process cannot
  /// be made. That process is a child of the program: for SIGCHLD see `process`.
  fault_injector();
  fault_injector(const fault_injector&) = delete;
  fault_injector& operator=(const fault_injector&) = delete;
  ~fault_injector();

  /// The environment to start a server with, see `process_options`. `added` is added to it; an
  /// LD_PRELOAD in it is kept.
  [[nodiscard]] std::map<std::string, std::string> environment(
      std::map<std::string, std::string> added = {}) const;

  /// Arms a fault in a running process, in place of the fault that is armed there, at once and
  /// atomically. For a process that an upgrade starts, see `upgrade_params::fault`. Throws
  /// `std::invalid_argument` if there is no such kind of call, or for a count of 0. Throws
  /// `std::runtime_error` in three cases: no process of this pid has loaded the shim within ten
  /// seconds; it has loaded the shim of another version; or the armed fault is about to strike and
  /// has not within ten seconds, because somebody else has stopped the process in between. Then the
  /// armed fault is not replaced.
  void arm(pid_t pid, const fault& what);

  /// Disarms the fault. False if it has struck, or is about to. Throws like `arm()` if the process
  /// has no shim, or that of another version.
  bool disarm(pid_t pid);

  /// Waits until a fault has struck the process and has taken effect: a killed process has ended, a
  /// stopped one stands still. None at the deadline, or if the process ends otherwise. Throws
  /// `std::runtime_error` if no process of this pid has loaded the shim by the deadline, or if it
  /// has loaded that of another version.
  std::optional<fault_hit> fired(pid_t pid, deadline until);

  /// The calls of the process so far, even after its end. Throws like `disarm()`.
  [[nodiscard]] call_trace calls(pid_t pid);

  /// The processes that have loaded the shim, including those that have ended.
  [[nodiscard]] std::vector<pid_t> processes() const;

  /// The names that `fault::where` may have.
  [[nodiscard]] static std::vector<std::string> kinds();

 private:
  faulty_process& process_of(pid_t pid, deadline until);

  std::string shim_;
  std::string directory_;
  std::unique_ptr<guardian> guardian_;
  std::map<pid_t, std::unique_ptr<faulty_process>> processes_;
};

}  // namespace graceful::testing

#endif
