// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/blocked_signals.hpp"
#include "os/child.hpp"
#include "os/service_manager.hpp"
#include "os/spare_descriptors.hpp"
#include "os/start_command.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/// clone(3) by its other name, which sanitizers do not intercept. Their version treats the call as
/// a fork(2): it undoes its work in the child and then again in the parent, which shares the
/// memory.
extern "C" int graceful_plain_clone(int (*function)(void*), void* stack, int flags, void* argument,
                                    ...) asm("__clone");

namespace graceful::os {

namespace {

constexpr std::size_t stack_size = 65'536;
constexpr std::size_t kernel_sigset_size = 8;

/// struct sigaction of the kernel, where all but the handler is zero.
struct disposition {
  void (*handler)(int);
  std::array<unsigned long, 4> nothing{};
};

/// All that the child needs, prepared beforehand: it shares the memory of this process and may call
/// only the kernel.
struct plan {
  const char* directory;
  char* const* files;  // to try in turn
  char* const* arguments;
  char* const* environment;
  char* own_pid;  // where to write the digits of LISTEN_PID; null: nowhere
  int* sockets;
  int socket_count;
  bool own_group;
  sigset_t blocked;
  std::array<bool, NSIG> ignored;
  int error;  // the child's answer
};

// No sanitizer code runs in the child: it would use this thread's state, which is the parent's.
#define GRACEFUL_IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))

GRACEFUL_IN_CHILD long duplicate_to(long from, long to) {
  if (from != to) return ::syscall(SYS_dup3, from, to, 0);
  return ::syscall(SYS_fcntl, from, F_SETFD, 0);
}

/// Puts the sockets at their numbers. Descriptors that are in the way and still needed are moved
/// first.
GRACEFUL_IN_CHILD bool place_sockets(plan& p) {
  for (int i = 0; i < p.socket_count; ++i) {
    const int target = first_passed + i;
    for (int later = i + 1; later < p.socket_count; ++later) {
      if (p.sockets[later] != target || p.sockets[i] == target) continue;
      const long moved = ::syscall(SYS_fcntl, target, F_DUPFD, first_passed + p.socket_count);
      if (moved < 0) return false;
      for (int same = later; same < p.socket_count; ++same) {
        if (p.sockets[same] == target) p.sockets[same] = static_cast<int>(moved);
      }
    }
    if (duplicate_to(p.sockets[i], target) < 0) return false;
  }
  return true;
}

GRACEFUL_IN_CHILD void close_others(long first) {
  // Asio opens nothing close-on-exec, so the application's descriptors may not be either.
  if (::syscall(SYS_close_range, first, ~0U, 0) != 0) {
    ::closefrom(static_cast<int>(first));  // Linux before 5.9
  }
}

GRACEFUL_IN_CHILD void set_signals(plan& p) {
  for (long number = 1; number < NSIG; ++number) {
    disposition d{p.ignored[static_cast<std::size_t>(number)] ? SIG_IGN : SIG_DFL};
    ::syscall(SYS_rt_sigaction, number, &d, nullptr, kernel_sigset_size);
  }
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &p.blocked, nullptr, kernel_sigset_size);
}

GRACEFUL_IN_CHILD void write_own_pid(char* digits) {
  long rest = ::syscall(SYS_getpid);
  long unit = 1;
  while (rest / unit >= 10) unit *= 10;
  for (; unit > 0; unit /= 10) {
    *digits++ = static_cast<char>('0' + rest / unit);
    rest %= unit;
  }
  *digits = '\0';
}

GRACEFUL_IN_CHILD int execute(plan& p) {
  int error = ENOENT;
  for (char* const* file = p.files; *file != nullptr; ++file) {
    ::syscall(SYS_execve, *file, p.arguments, p.environment);
    const int now = errno;
    if (now == ENOENT || now == ENOTDIR) continue;  // as execvp(3) walks through PATH
    error = now;
    if (now != EACCES) break;
  }
  return error;
}

GRACEFUL_IN_CHILD int in_child(void* argument) {
  plan& p = *static_cast<plan*>(argument);
  if ((p.own_group && ::syscall(SYS_setpgid, 0, 0) != 0) ||
      ::syscall(SYS_chdir, p.directory) != 0 || !place_sockets(p)) {
    p.error = errno;
  } else {
    close_others(first_passed + p.socket_count);
    if (p.own_pid != nullptr) write_own_pid(p.own_pid);
    set_signals(p);
    p.error = execute(p);
  }
  ::syscall(SYS_exit_group, 127);
  return 127;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (std::string& s : strings) result.push_back(s.data());
  result.push_back(nullptr);
  return result;
}

/// A variable for the child, with room for the pid, which only the child learns.
constexpr std::string_view pid_variable = "LISTEN_PID=";
constexpr std::string_view pid_room = "0000000000";

void announce(start_command& command, const std::vector<passed_socket>& sockets) {
  std::string names;
  for (const auto& socket : sockets) names += (names.empty() ? "" : ":") + socket.name;
  command.set("LISTEN_FDS", std::to_string(sockets.size()));
  command.set("LISTEN_FDNAMES", names);
  command.unset("LISTEN_PID");
  command.environment.push_back(std::string{pid_variable}.append(pid_room));
}

}  // namespace

result<child> child::spawn(const start_command& command, placement where,
                           const std::vector<passed_socket>& sockets, int channel) {
  start_command own = command;
  own.file = current_file(command.file);
  if (auto allowed = check_allowed(own); !allowed) return allowed.error();
  if (!sockets.empty()) announce(own, sockets);
  auto files = places_of(own.file);
  auto file_pointers = pointers(files);
  auto arguments = pointers(own.arguments);
  auto environment = pointers(own.environment);
  std::vector<int> descriptors;
  descriptors.reserve(sockets.size() + 1);
  for (const auto& socket : sockets) descriptors.push_back(socket.fd);
  if (channel >= 0) descriptors.push_back(channel);
  plan p{.directory = own.directory.c_str(),
         .files = file_pointers.data(),
         .arguments = arguments.data(),
         .environment = environment.data(),
         .own_pid = sockets.empty() ? nullptr : own.environment.back().data() + pid_variable.size(),
         .sockets = descriptors.data(),
         .socket_count = static_cast<int>(descriptors.size()),
         .own_group = where == placement::leader,
         .blocked = own.signals.blocked,
         .ignored = {},
         .error = 0};
  for (int number = 1; number < NSIG; ++number) {
    p.ignored[static_cast<std::size_t>(number)] = ::sigismember(&own.signals.ignored, number) == 1;
  }
  std::vector<std::byte> stack(stack_size);
  const auto end = reinterpret_cast<std::uintptr_t>(stack.data() + stack.size());
  void* const top = reinterpret_cast<void*>(end - end % 16);
  // Returns when the child has executed its program or ended: CLONE_VFORK.
  int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
  if (where == placement::sibling) flags |= CLONE_PARENT;
  int pidfd = -1;
  const auto clone = [&] { return graceful_plain_clone(in_child, top, flags, &p, &pidfd); };
  pid_t pid = -1;
  int error = 0;
  {
    // A handler that ran in the child would act on the parent's memory.
    const blocked_signals quiet;
    pid = spare_descriptors::with(clone);
    // PID 1 of a namespace has no parent there to reap a sibling.
    if (pid < 0 && errno == EINVAL && where == placement::sibling) {
      where = placement::child;
      flags &= ~CLONE_PARENT;
      pid = spare_descriptors::with(clone);
    }
    error = pid < 0 ? errno : p.error;
  }
  child started{pid, unique_fd{pidfd}};
  if (error == 0) return started;
  if (pid > 0 && where != placement::sibling) ::waitpid(pid, nullptr, __WALL);
  // chdir(2) in the child fails with the same errors as execve(2).
  const auto entered = check_directory(own);
  return entered ? cannot_execute(own, error) : entered.error();
}

}  // namespace graceful::os
