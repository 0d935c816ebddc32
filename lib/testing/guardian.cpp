// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/guardian.hpp"

#include "testing/owned_children.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace graceful::testing {
namespace {

// The following code runs in a child that was forked from a threaded program: no allocation, no
// lock, and no libc functions other than system calls and those that only touch memory. Each
// guardian has its own copy.
constexpr std::size_t longest_mark = 512;
std::array<char, longest_mark> mark;  // with its NUL
std::size_t mark_size;
std::array<char, longest_mark> directory;
constexpr std::size_t buffer_size = 32UL * 1024;
alignas(8) std::array<char, buffer_size> entries;
std::array<char, buffer_size> environment;

constexpr char dismissed = 0;
constexpr char at_once = 1;

// linux_dirent64, which no header declares: getdents64(2).
constexpr std::size_t length_at = 16;
constexpr std::size_t name_at = 19;

/// Calls `visit` with the name of each entry of a directory.
template <class Visit>
void for_each_entry(int fd, Visit visit) {
  for (;;) {
    const long size = ::syscall(SYS_getdents64, fd, entries.data(), entries.size());
    if (size <= 0) return;
    for (long at = 0; at < size;) {
      std::uint16_t length{};
      std::memcpy(&length, entries.data() + at + length_at, sizeof length);
      visit(entries.data() + at + name_at);
      at += length;
    }
  }
}

pid_t to_pid(const char* name) {
  pid_t pid = 0;
  for (; *name != '\0'; ++name) {
    if (*name < '0' || *name > '9') return 0;
    pid = pid * 10 + (*name - '0');
  }
  return pid;
}

bool carries_mark(int proc, const char* name) {
  const int process = ::openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (process < 0) return false;
  const int file = ::openat(process, "environ", O_RDONLY | O_CLOEXEC);
  ::close(process);
  if (file < 0) return false;
  bool found = false;
  std::size_t kept = 0;  // bytes of the previous read: a mark may be split
  while (!found) {
    const ssize_t size = ::read(file, environment.data() + kept, environment.size() - kept);
    if (size <= 0) break;
    const std::size_t there = kept + static_cast<std::size_t>(size);
    for (std::size_t at = 0; !found && at + mark_size <= there; ++at) {
      found = std::memcmp(environment.data() + at, mark.data(), mark_size) == 0;
    }
    kept = there < mark_size ? there : mark_size - 1;
    std::memmove(environment.data(), environment.data() + there - kept, kept);
  }
  ::close(file);
  return found;
}

/// False if there was no process to kill.
bool kill_all() {
  const int proc = ::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool any = false;
  for_each_entry(proc, [&](const char* name) {
    const pid_t pid = to_pid(name);
    if (pid == 0) return;
    // Opened before the environment is read: if the pid is reused in between, this pidfd means the
    // process that has gone, never another one.
    const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (pidfd < 0) return;
    // A process that it may not kill, another user's, cannot be waited for either.
    if (carries_mark(proc, name) &&
        ::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0) == 0) {
      any = true;
      pollfd gone{pidfd, POLLIN, 0};
      ::poll(&gone, 1, 5'000);
    }
    ::close(pidfd);
  });
  ::close(proc);
  return any;
}

void remove_directory() {
  const int fd = ::open(directory.data(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return;
  for_each_entry(fd, [fd](const char* name) { ::unlinkat(fd, name, 0); });
  ::close(fd);
  ::rmdir(directory.data());
}

[[noreturn]] void guard(int lifeline) {
  // It must not get the signals of the terminal, or those for the test's process group.
  ::setsid();
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  ::prctl(PR_SET_PDEATHSIG, 0);
  ::prctl(PR_SET_NAME, "graceful-guard");

  // Keeps only the socket: not the lifelines of others, which it would hold open, nor the outputs
  // of the test, whose end another process may wait for.
  if (lifeline > 0) ::close_range(0, static_cast<unsigned>(lifeline) - 1, 0);
  ::close_range(static_cast<unsigned>(lifeline) + 1, ~0U, 0);

  char word = at_once;
  ssize_t size = 0;
  do size = ::read(lifeline, &word, 1);
  while (size < 0 && errno == EINTR);
  if (word == dismissed) ::_exit(0);  // an end of file alone does not count as dismissal

  // Must find none twice: a process that was started just before its parent ended may have a number
  // that the first pass had already gone past.
  for (int nobody = 0; nobody < 2;) nobody = kill_all() ? 0 : nobody + 1;
  remove_directory();
  ::_exit(0);
}

template <std::size_t Size>
void copy(const std::string& text, std::array<char, Size>& to) {
  if (text.size() >= Size) throw std::length_error{text + ": too long a path"};
  std::memcpy(to.data(), text.c_str(), text.size() + 1);
}

}  // namespace

guardian::guardian(const std::string& its_mark, const std::string& its_directory) {
  std::array<char, longest_mark> mark_text{};
  std::array<char, longest_mark> directory_text{};
  copy(its_mark, mark_text);
  copy(its_directory, directory_text);
  std::array<int, 2> ends;
  // Not a pipe: writing to one without a reader raises SIGPIPE.
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw std::system_error{errno, std::system_category(), "socketpair"};
  }
  const graceful::unique_fd read_end{ends[0]};
  lifeline_.reset(ends[1]);
  pid_ = fork_owned_child();
  if (pid_ < 0) throw std::system_error{errno, std::system_category(), "fork"};
  if (pid_ == 0) {
    // Set in the child, so that threads that make guardians at the same time do not conflict.
    mark = mark_text;
    mark_size = its_mark.size() + 1;
    directory = directory_text;
    guard(read_end.get());
  }
}

guardian::~guardian() {
  if (lifeline_) send(dismissed);
}

void guardian::act() {
  if (lifeline_) send(at_once);
}

void guardian::send(const char& word) {
  // Another process may have killed it; it then only has to be reaped.
  [[maybe_unused]] const auto told = ::send(lifeline_.get(), &word, 1, MSG_NOSIGNAL);
  lifeline_.reset();
  reap_owned_child(pid_);
}

}  // namespace graceful::testing
