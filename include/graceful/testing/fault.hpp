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

/// Something bad that happens to a process at one point of its run, for instance
/// `fault::at_step(fault::step::ready, fault::action::kill)`.
struct fault {
  enum class action {
    kill,         ///< SIGKILL.
    stop,         ///< SIGSTOP, until somebody sends SIGCONT.
    crash,        ///< SIGSEGV; twice if the program handles it.
    unreachable,  ///< As if its network had gone, to all that talk to it through Unix sockets.
    fail,         ///< The call is not made, and fails with `error`: see `failing_call`.
  };

  enum class moment { before, after };

  /// The messages of a handoff, as docs/protocol.md has them: a call, and the reply to it, which
  /// may be an error. Both processes pass each of them: `before` is before the one sends it, or
  /// before the other takes it from the socket; `after` is when it has been sent, or received.
  ///
  /// | call   | reply   | what it says                                           |
  /// |--------|---------|--------------------------------------------------------|
  /// | begin  | begun   | a successor is there / what is on offer                |
  /// | fetch  | batch   | asks for descriptors / has some                        |
  /// | ready  | readied | the successor serves / the predecessor does no more    |
  /// | settle | settled | the successor asks, and is there / it stays, or is to ask again |
  enum class step { begin, begun, fetch, batch, ready, readied, settle, settled };

  action what = action::kill;
  moment when = moment::before;

  /// A step, or the name of a system call: see `fault_injector::kinds()`. "any" is any of them.
  std::variant<step, std::string> where = "any";

  /// It strikes when the point is passed for the `count`-th time: since it was armed, in a process
  /// that runs; since its start, in one that is started with it. 1 is the first time.
  std::uint32_t count = 1;

  /// The errno of a call that is to fail.
  int error = 0;

  static fault at_step(step where, action what, moment when = moment::before,
                       std::uint32_t count = 1) {
    return {what, when, where, count, 0};
  }

  /// The `count`-th call of this kind, by any thread: before it is made; or after it has returned
  /// to the library that asked for it, and before the program knows.
  static fault at_call(std::string_view kind, std::uint32_t count, action what,
                       moment when = moment::before) {
    return {what, when, std::string{kind}, count, 0};
  }

  /// The `count`-th call of this kind fails with `error` (EMFILE, ENOMEM, ...), without being made.
  /// A close(2) that fails so leaves the descriptor open, which the kernel's does not.
  static fault failing_call(std::string_view kind, std::uint32_t count, int error) {
    return {action::fail, moment::before, std::string{kind}, count, error};
  }

  /// "kill before call accept4 3", "stop after step ready 1", "fail:24 before call accept4 1". With
  /// this in the environment variable GRACEFUL_TESTING_FAULT a process begins with the fault armed,
  /// by `graceful-ctl upgrade --env` for instance; its own successors do not inherit it.
  [[nodiscard]] GRACEFUL_API std::string to_string() const;
};

/// A fault that has struck.
struct fault_hit {
  std::string fault{};  ///< As `fault::to_string()` has it, with a count of 1.
  std::string call{};   ///< The kind of the call in which it struck.
  /// How many calls the process had made in all, that one included.
  std::uint64_t calls = 0;
};

/// What a process has called.
struct call_trace {
  std::uint64_t calls = 0;                         ///< In all.
  std::map<std::string, std::uint64_t> by_kind{};  ///< Without those that it never called.
  std::map<fault::step, std::uint64_t> by_step{};  ///< The steps that it has seen, or made.
  std::uint64_t first = 0;                         ///< The number of `sequence.front()`, from 0 on.
  std::vector<std::string> sequence{};             ///< The kinds of the last 65,536.
};

/// Lets faults strike processes, without a hook in their code: a shared object is preloaded into
/// them (LD_PRELOAD) that wraps the functions of libc by which programs make system calls, counts
/// the calls, and strikes where it is told to.
///
/// A program needs nothing for it but that it is dynamically linked, and calls libc's functions:
/// what libc calls inside of itself is not seen (stdio, getaddrinfo, a thread's start), nor are
/// futex, mmap and brk. A call costs about two microseconds more.
///
/// The processes inherit the shim from each other: so their successors have it too.
///
/// **Sanitizers.** Programs that are built with AddressSanitizer or ThreadSanitizer can be struck
/// too. Where AddressSanitizer is a shared object (gcc) it wants to be loaded first: set
/// ASAN_OPTIONS=verify_asan_link_order=0 for them.
///
/// Not thread-safe.
class GRACEFUL_API fault_injector {
 public:
  /// Makes a directory, in that for temporary files, which goes with this object. If the program
  /// ends before, the process that waits for its end, graceful-guard, removes the directory, and
  /// kills what has been started with `environment()`. Throws `std::runtime_error` if the shim is
  /// missing: it is where it was installed, or where the environment variable GRACEFUL_TESTING_SHIM
  /// says; `std::system_error` if the directory or that process cannot be made. That is a child of
  /// the program: for SIGCHLD see `process`.
  fault_injector();
  fault_injector(const fault_injector&) = delete;
  fault_injector& operator=(const fault_injector&) = delete;
  ~fault_injector();

  /// What a server is to be started with, see `process_options`. `added`: what else it gets, of
  /// which an LD_PRELOAD is kept.
  [[nodiscard]] std::map<std::string, std::string> environment(
      std::map<std::string, std::string> added = {}) const;

  /// Arms a fault in a process that runs, in place of what is armed there, at once and atomically.
  /// In one that an upgrade is to start: see `upgrade_params::fault`. Throws
  /// `std::invalid_argument` if there is no such kind of call, or a count of 0;
  /// `std::runtime_error` if no process of this pid has loaded the shim within ten seconds, if it
  /// has loaded that of another version, or if what was armed is about to strike and has not within
  /// ten seconds: the process has been stopped in between, by somebody else. What was armed is then
  /// not replaced.
  void arm(pid_t pid, const fault& what);

  /// False if it has struck, or is about to. Throws as `arm()` does, if the process has no shim, or
  /// that of another version.
  bool disarm(pid_t pid);

  /// Waits until a fault has struck the process, and has done what it does: killed, it has ended;
  /// stopped, it stands still. None at the deadline, or if the process ends otherwise. Throws
  /// `std::runtime_error` if no process of this pid has loaded the shim by the deadline, or if it
  /// has loaded that of another version.
  std::optional<fault_hit> fired(pid_t pid, deadline until);

  /// What the process has called so far, also after its end. Throws as `disarm()` does.
  [[nodiscard]] call_trace calls(pid_t pid);

  /// The processes that have loaded the shim, also those that have ended.
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
