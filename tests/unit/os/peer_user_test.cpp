// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/peer.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace os = graceful::os;

namespace {

constexpr uid_t overflow = 65'534;

bool write_file(const char* path, const std::string& text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  return ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

/// Runs in a process of `user` in its own user namespace, where the number of `user` is `inside`;
/// -1: it has none. False also if no such namespace can be made.
bool holds_in_namespace(uid_t user, int inside, const std::function<bool()>& condition) {
  const pid_t child = ::fork();
  if (child == 0) {
    // After that the files in /proc of another user would belong to root.
    const bool is_user = ::setresuid(user, user, user) == 0 && ::prctl(PR_SET_DUMPABLE, 1) == 0;
    const bool made =
        is_user && ::unshare(CLONE_NEWUSER) == 0 &&
        (inside < 0 || write_file("/proc/self/uid_map",
                                  std::to_string(inside) + ' ' + std::to_string(user) + " 1\n"));
    ::_exit(!made ? 2 : condition() ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 2) {
    MESSAGE("skipped: a user namespace cannot be had here");
    return true;
  }
  return status == 0;
}

bool trusts(uid_t user, os::trust whom = os::trust::own_user) {
  return os::peer{1, user, user}.trusted(whom);
}

}  // namespace

TEST_CASE("a map tells which users have a number") {
  CHECK(os::is_mapped("         0          0 4294967295\n", overflow));
  CHECK_FALSE(os::is_mapped("0 1000 1\n33 33 1\n", overflow));
  CHECK(os::is_mapped("0 1000 1\n65534 33 1\n", overflow));
  CHECK(os::is_mapped("0 1000 1\n65000 100000 536\n", 65'535));
  CHECK_FALSE(os::is_mapped("0 1000 1\n65000 100000 536\n", 65'536));
  CHECK_FALSE(os::is_mapped("", 0));
}

TEST_CASE("in the first user namespace every number is a user, even 65534") {
  CHECK(os::is_one_user(overflow));
  CHECK(os::is_own_user(::geteuid()));
  CHECK_FALSE(os::is_own_user(::geteuid() + 1));
  CHECK_FALSE(os::is_one_user(static_cast<uid_t>(-1)));
}

TEST_CASE("in a user namespace a user without a number of its own is not trusted") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: an ordinary user cannot become another");
    return;
  }
  CHECK(
      holds_in_namespace(65'533, -1, [] { return ::geteuid() == overflow && !trusts(overflow); }));
  CHECK(holds_in_namespace(65'533, 0, [] {
    return ::geteuid() == 0 && trusts(0) && trusts(0, os::trust::operators) && !trusts(overflow) &&
           !trusts(overflow, os::trust::operators);
  }));
  CHECK(holds_in_namespace(65'533, 1000,
                           [] { return trusts(1000) && !trusts(overflow) && !trusts(1001); }));
  CHECK(holds_in_namespace(65'533, overflow, [] { return trusts(overflow); }));
}
