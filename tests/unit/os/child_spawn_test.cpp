// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing/deadline.hpp>

#include "os/child.hpp"
#include "os/shell.hpp"
#include "os/system_failure.hpp"

#include "patience.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

namespace os = graceful::os;
using namespace graceful_test;
using namespace graceful::testing;
using namespace std::chrono_literals;
using graceful::unique_fd;

namespace {

/// A shell with a script, and with the variables of another service manager's sockets.
os::start_command told_of_sockets(const std::string& script, const std::string& directory = "/") {
  auto command = shell(script, {"LISTEN_PID=1", "LISTEN_FDS=9"});
  command.directory = directory;
  return command;
}

/// Files that can be told apart by their sizes.
struct sized_files {
  explicit sized_files(int count) {
    for (int i = 1; i <= count; ++i) {
      const auto path = d.path(std::to_string(i));
      std::ofstream{path} << std::string(static_cast<std::size_t>(i), 'x');
      files.emplace_back(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    }
  }
  temporary_directory d;
  std::vector<unique_fd> files;
};

/// Runs `body` in a forked process, without other threads; returns its result, 99 if it has thrown.
template <class Body>
int in_fork(Body body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    int status = 99;
    try {
      status = body();
    } catch (...) {
    }
    ::_exit(status);
  }
  int status = -1;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE(
    "descriptors are passed from 3 on, in order, whatever their numbers were, and no others") {
  // Each case: the numbers that the four have beforehand, so that some are in the way of others.
  for (const auto& numbers : std::vector<std::array<int, 4>>{{50, 51, 52, 53},
                                                             {3, 4, 5, 6},
                                                             {6, 5, 4, 3},
                                                             {4, 3, 6, 5},
                                                             {4, 5, 6, 60},
                                                             {60, 3, 4, 5}}) {
    const sized_files f{4};  // for each case, because wc may leave the file offset at the end
    const temporary_directory out;
    const auto status = in_fork([&] {
      std::vector<os::passed_socket> sockets;
      std::array<int, 4> safe{};
      for (std::size_t i = 0; i < 4; ++i) safe[i] = ::fcntl(f.files[i].get(), F_DUPFD, 100);
      for (std::size_t i = 0; i < 4; ++i) {
        ::dup2(safe[i], numbers[i]);
        ::fcntl(numbers[i], F_SETFD, FD_CLOEXEC);
        sockets.push_back({"s" + std::to_string(i), numbers[i]});
      }
      auto child = os::child::spawn(
          told_of_sockets(
              "for n in 3 4 5 6; do wc -c <&$n; done > out; [ ! -e /proc/$$/fd/7 ] || exit 7; "
              "[ $LISTEN_PID = $$ ] || exit 8; "
              "echo $LISTEN_FDS $LISTEN_FDNAMES >> out; env | grep -c ^LISTEN_ >> out",
              out.path()),
          os::placement::child, sockets);
      if (!child) return 90;
      if (!wait_readable(child->pidfd(), patience)) return 91;
      return child->reap()->value;
    });
    CHECK(status == 0);
    CHECK(content(out.path("out")) == "1\n2\n3\n4\n4 s0:s1:s2:s3\n3\n");
  }
}

TEST_CASE("names of the maximum length together are accepted, and longer ones are not") {
  const sized_files f{1};
  const int fd = f.files[0].get();
  const std::string most(os::longest_socket_names - 2 - 1, 'x');  // next to "a", and two separators
  auto child =
      os::child::spawn(told_of_sockets("exit 5"), os::placement::child, {{"a", fd}, {most, fd}});
  REQUIRE(child.has_value());
  CHECK(end_of(*child) == "exited with status 5");
  const auto refused = os::child::spawn(told_of_sockets("exit 5"), os::placement::child,
                                        {{"a", fd}, {most + 'x', fd}});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == os::system_code(E2BIG));
}

TEST_CASE("one descriptor may be passed twice") {
  const sized_files f{1};
  const int fd = f.files[0].get();
  auto child =
      os::child::spawn(told_of_sockets("[ $(wc -c <&3) = 1 ] && [ -e /proc/$$/fd/4 ] && exit 5"),
                       os::placement::child, {{"a", fd}, {"b", fd}});
  REQUIRE(child.has_value());
  CHECK(end_of(*child) == "exited with status 5");
}

TEST_CASE("a descriptor that does not exist is an error, and no child is left") {
  const auto refused =
      os::child::spawn(told_of_sockets("exit 0"), os::placement::child, {{"a", 900}});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == os::system_code(EBADF));
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("a sibling is the child of this process's parent, and its ending is known here") {
  const temporary_directory d;
  // The parent is this test; a process in between does the spawning.
  int ends[2]{};
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const unique_fd from{ends[0]};
  const unique_fd to{ends[1]};
  const pid_t middle = ::fork();
  if (middle == 0) {
    auto sibling = os::child::spawn(told_of_sockets("echo $PPID > parent; exit 6", d.path()),
                                    os::placement::sibling);
    if (!sibling) ::_exit(90);
    const pid_t pid = sibling->pid();
    if (::write(to.get(), &pid, sizeof pid) != sizeof pid) ::_exit(91);
    if (!wait_readable(sibling->pidfd(), patience)) ::_exit(92);
    if (::waitpid(pid, nullptr, WNOHANG) != -1) ::_exit(93);  // it would be its own child
    const auto how = sibling->reap();
    if (!how) ::_exit(94);
    ::_exit(how->how == os::ending::kind::unknown ? 95 : how->value);
  }
  pid_t sibling = -1;
  REQUIRE(::read(from.get(), &sibling, sizeof sibling) == sizeof sibling);
  int status = -1;
  REQUIRE(::waitpid(sibling, &status, 0) == sibling);  // ours to reap
  CHECK(WEXITSTATUS(status) == 6);
  CHECK(content(d.path("parent")) == std::to_string(::getpid()) + '\n');
  REQUIRE(::waitpid(middle, &status, 0) == middle);
  const bool told = WEXITSTATUS(status) == 6;  // by the kernel, since Linux 6.15
  CHECK((told || WEXITSTATUS(status) == 95));
}

TEST_CASE("a running sibling does not count as ended, and can be killed") {
  const auto status = in_fork([] {
    auto sibling = os::child::spawn(told_of_sockets("exec sleep 60"), os::placement::sibling);
    if (!sibling) return 90;
    if (sibling->reap()) return 91;
    sibling->kill();
    REQUIRE(sibling->wait(std::chrono::seconds{10}));
    return wait_readable(sibling->pidfd(), 0s) ? 0 : 92;
  });
  CHECK(status == 0);
  CHECK(::waitpid(-1, nullptr, 0) > 0);  // the sibling is this process's own
}

TEST_CASE("PID 1 of a namespace, which can have no siblings, gets a child instead") {
  const auto status = in_fork([] {
    if (::unshare(CLONE_NEWPID) != 0) return 77;
    return in_fork([] {
      auto child = os::child::spawn(told_of_sockets("exit 4"), os::placement::sibling);
      if (!child) return 90;
      if (!wait_readable(child->pidfd(), patience)) return 91;
      const auto how = child->reap();
      return how ? how->value : 92;
    });
  });
  if (status == 77) {
    MESSAGE("not allowed to make a PID namespace here: not tested");
  } else {
    CHECK(status == 4);
  }
}

TEST_CASE("a sibling whose program cannot be executed is an error") {
  const auto status = in_fork([] {
    auto command = told_of_sockets("exit 0");
    command.file = "/no/such/program";
    const auto refused = os::child::spawn(command, os::placement::sibling);
    return !refused && refused.error().code == os::system_code(ENOENT) ? 0 : 1;
  });
  CHECK(status == 0);
  CHECK(::waitpid(-1, nullptr, 0) > 0);  // it ended at once, and is this process's to reap
}

TEST_CASE("many threads that spawn at once each get their own child") {
  const auto spawn_some = [](int status, int& wrong) {
    for (int i = 0; i < 20; ++i) {
      auto child = os::child::spawn(told_of_sockets("exit " + std::to_string(status)));
      if (!child || !wait_readable(child->pidfd(), patience)) {
        ++wrong;
        continue;
      }
      const auto how = child->reap();
      if (!how || how->value != status) ++wrong;
    }
  };
  std::array<int, 4> wrong{};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back(spawn_some, i, std::ref(wrong[static_cast<std::size_t>(i)]));
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == std::array<int, 4>{});
}

TEST_CASE("a channel is passed after the sockets, and is not one of LISTEN_FDS") {
  const sized_files f{2};
  auto alone = os::child::spawn(told_of_sockets("[ $(wc -c <&3) = 1 ] && [ ! -e /proc/$$/fd/4 ] && "
                                                "[ $LISTEN_FDS = 9 ] && exit 5"),
                                os::placement::child, {}, f.files[0].get());
  REQUIRE(alone.has_value());
  CHECK(end_of(*alone) == "exited with status 5");
  auto behind =
      os::child::spawn(told_of_sockets("[ $(wc -c <&4) = 2 ] && [ $LISTEN_FDS = 1 ] && exit 5"),
                       os::placement::child, {{"a", f.files[0].get()}}, f.files[1].get());
  REQUIRE(behind.has_value());
  CHECK(end_of(*behind) == "exited with status 5");
}
