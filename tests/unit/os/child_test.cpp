// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/child.hpp"

#include <graceful/testing/deadline.hpp>

#include "os/shell.hpp"
#include "os/system_failure.hpp"

#include "ordinary_user.hpp"
#include "patience.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace os = graceful::os;
using namespace graceful_test;
using namespace graceful::testing;
using namespace std::chrono_literals;
using graceful::unique_fd;

namespace {

os::child spawn(const os::start_command& command) { return os::child::spawn(command).value(); }

uid_t user_of(pid_t pid) {
  struct stat status {};
  return ::stat(("/proc/" + std::to_string(pid)).c_str(), &status) == 0 ? status.st_uid : 0;
}

/// How a script ended.
std::string end_of_script(const std::string& script) {
  auto child = spawn(shell(script));
  return end_of(child);
}

/// From now on the call fails with `error` in this process, as under a container's seccomp filter.
bool forbid(long number, int error) {
  std::array<sock_filter, 4> program{{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<std::uint32_t>(number)},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error)},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  }};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// A child that runs until its standard input ends, which the test holds.
struct until_told {
  until_told() {
    const unique_fd before{::fcntl(0, F_DUPFD_CLOEXEC, 3)};
    int ends[2]{};
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    told.reset(ends[1]);
    const unique_fd input{ends[0]};
    ::dup2(input.get(), 0);
    child.emplace(spawn(shell("read line")));
    ::dup2(before.get(), 0);
  }
  unique_fd told;
  std::optional<os::child> child;
};

}  // namespace

TEST_CASE("how a child exited continues a sentence that begins with 'the successor'") {
  CHECK(end_of_script("exit 0") == "exited with status 0");
  CHECK(end_of_script("exit 3") == "exited with status 3");
}

TEST_CASE("the signal that killed a child is named") {
  CHECK(end_of_script("kill -TERM $$") == "was killed by signal 15 (SIGTERM)");
  CHECK(end_of_script("kill -SEGV $$") == "was killed by signal 11 (SIGSEGV)");
  CHECK(end_of_script("kill -40 $$") == "was killed by signal 40");
}

TEST_CASE("a program that cannot be executed is an error, and no child is left") {
  const auto refused = os::child::spawn(
      {.file = "/no/such/program", .arguments = {"program"}, .environment = {}, .directory = "/"});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == os::system_code(ENOENT));
  CHECK(refused.error().message ==
        "cannot execute /no/such/program in /: No such file or directory");
  CHECK(os::child::spawn({"/dev/null", {"x"}, {}, "/"}).error().code == os::system_code(EACCES));
  CHECK(os::child::spawn({"/bin/sh", {"sh"}, {}, "/no/such"}).error().code ==
        os::system_code(ENOENT));
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE(
    "a child gets its own arguments, environment and directory, and nothing of the parent's") {
  temporary_directory d;
  ::setenv("GRACEFUL_UNIT_TEST", "of the parent", 1);
  auto command = shell(R"sh(printf '%s|' "$0" "$@" "$A" "$GRACEFUL_UNIT_TEST" "$(pwd)" > out)sh");
  command.arguments.insert(command.arguments.end(), {"zero", "", "two words"});
  command.environment.push_back("A=of the child");
  command.directory = d.path();
  auto child = spawn(command);
  ::unsetenv("GRACEFUL_UNIT_TEST");
  CHECK(end_of(child) == "exited with status 0");
  CHECK(content(d.path("out")) == "zero||two words|of the child||" + d.path() + "|");
}

TEST_CASE("a file without a slash is looked up in PATH") {
  auto command = shell("exit 7");
  command.file = "sh";
  auto child = spawn(command);
  CHECK(end_of(child) == "exited with status 7");
}

TEST_CASE("a child inherits standard input, output and error and no other descriptor") {
  const unique_fd low{::open("/dev/null", O_RDONLY)};  // without O_CLOEXEC
  const unique_fd high{::fcntl(low.get(), F_DUPFD, 500)};
  const auto has = [](int fd) { return "[ -e /proc/$$/fd/" + std::to_string(fd) + " ]"; };
  CHECK(end_of_script(has(0) + " && " + has(1) + " && " + has(2)) == "exited with status 0");
  CHECK(end_of_script(has(low.get())) == "exited with status 1");
  CHECK(end_of_script(has(high.get())) == "exited with status 1");
}

TEST_CASE("a child starts with the signals that it is given, not with the parent's") {
  temporary_directory d;
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  ::signal(SIGHUP, SIG_IGN);
  auto command = shell(
      R"(while read k v; do case $k in SigBlk:|SigIgn:) echo $v >> out;; esac; done < /proc/$$/status)");
  command.directory = d.path();
  ::sigaddset(&command.signals.blocked, SIGUSR1);
  ::sigaddset(&command.signals.ignored, SIGUSR2);
  ::signal(SIGUSR2, SIG_IGN);
  auto child = os::child::spawn(command);
  ::signal(SIGUSR2, SIG_DFL);
  ::signal(SIGHUP, SIG_DFL);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  REQUIRE(child.has_value());
  CHECK(end_of(*child) == "exited with status 0");
  std::istringstream out{content(d.path("out"))};
  std::uint64_t blocked = 0;
  std::uint64_t ignored = 0;
  out >> std::hex >> blocked >> ignored;
  constexpr std::uint64_t of_the_c_library = std::uint64_t{3} << 31;  // SIGCANCEL, SIGSETXID
  CHECK(blocked == 1U << (SIGUSR1 - 1));
  CHECK((ignored & ~of_the_c_library) == 1U << (SIGUSR2 - 1));
}

TEST_CASE("a running child is not reaped, however often it is tried") {
  until_told t;
  CHECK_FALSE(t.child->reap());
  CHECK_FALSE(t.child->reap());
  CHECK_FALSE(wait_readable(t.child->pidfd(), 0s));
  t.told.reset();
  CHECK(end_of(*t.child) == "exited with status 1");
}

TEST_CASE("a child is killed, and killing it again harms no other process") {
  until_told t;
  t.child->kill();
  CHECK(end_of(*t.child) == "was killed by signal 9 (SIGKILL)");
  t.child->kill();
}

TEST_CASE("a child gets a signal even if the system forbids to send it by a pidfd") {
  for (const int error : {EPERM, ENOSYS}) {
    const pid_t tester = ::fork();  // a filter cannot be removed again
    REQUIRE(tester >= 0);
    if (tester == 0) {
      const bool forbidden = forbid(SYS_pidfd_send_signal, error);
      auto child = spawn(shell("exec sleep 1000"));
      const bool told = !child.signal(SIGTERM);
      const bool ended = end_of(child) == "was killed by signal 15 (SIGTERM)";
      ::_exit(forbidden && told && ended && child.signal(SIGTERM) ? 0 : 1);
    }
    int status = -1;
    REQUIRE(::waitpid(tester, &status, 0) == tester);
    CHECK(status == 0);
  }
}

TEST_CASE("a signal to a child that has ended, or belongs to another user, fails with the reason") {
  auto gone = spawn(shell("exit 0"));
  CHECK(end_of(gone) == "exited with status 0");
  CHECK(gone.signal(SIGTERM) == os::system_code(ESRCH));
  if (::geteuid() != 0) {
    MESSAGE("skipped in part: an ordinary user cannot become another");
    return;
  }
  auto foreign = spawn(shell("exec setpriv --reuid=65533 --clear-groups sleep 1000"));
  while (user_of(foreign.pid()) != 65'533) ::sched_yield();
  {
    const ordinary_user nobody;
    CHECK(foreign.signal(SIGTERM) == os::system_code(EPERM));
  }
  CHECK_FALSE(foreign.kill());
  REQUIRE(foreign.wait(std::chrono::seconds{10}));
}

TEST_CASE("a child that the application has reaped still counts as ended") {
  auto child = spawn(shell("exit 3"));
  REQUIRE(wait_readable(child.pidfd(), patience));
  REQUIRE(::waitpid(child.pid(), nullptr, 0) == child.pid());
  const auto how = child.reap();
  REQUIRE(how.has_value());
  const bool told = how->how != os::ending::kind::unknown;  // by the kernel, since Linux 6.15
  CHECK(how->to_string() == (told ? "exited with status 3" : "ended"));
}

TEST_CASE("a child's pidfd is close-on-exec, and reaping leaves no zombie") {
  auto child = spawn(shell("exit 0"));
  CHECK((::fcntl(child.pidfd(), F_GETFD) & FD_CLOEXEC) != 0);
  end_of(child);
  CHECK(::kill(child.pid(), 0) == -1);
}

TEST_CASE("a process that does not exist has no pidfd") {
  CHECK_FALSE(os::open_pidfd(0));
  CHECK_FALSE(os::open_pidfd(-1));
  CHECK_FALSE(os::open_pidfd(1 << 30));
  CHECK(os::open_pidfd(::getpid()));
}
