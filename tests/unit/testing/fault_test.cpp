// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "fault_fixture.hpp"
#include "testing/process_table.hpp"
#include "testing/shim/fault_file.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace graceful_test;

namespace {

bool said(process& p, const std::string& text) {
  return p.output().find(text) != std::string::npos;
}

/// Acts as a test program that uses faults and is killed: none of its destructors runs. Reports
/// what it leaves behind.
[[noreturn]] void leave_an_orphan(int told) {
  const fault_injector faults;
  const auto environment = faults.environment();
  process p{{"/bin/sh", "-c", "sleep 600 & echo $!."}, {.environment = environment}};
  if (!p.wait_for_output(".", patience)) ::_exit(99);
  const std::string text = p.output() + " " + environment.at(shim::directory_variable) + "\n";
  if (::write(told, text.data(), text.size()) < 0) ::_exit(98);
  for (;;) ::pause();
}

}  // namespace

TEST_CASE("a process is killed before its k-th call of a kind, which is not made") {
  fault_fixture s;
  process& p = s.start({"make", s.here.path()}, fault::at_call("mkdir", 3, fault::action::kill));
  CHECK(p.wait_exit(patience).signalled(SIGKILL));
  CHECK(said(p, "made 2"));
  CHECK(s.made("2"));
  CHECK_FALSE(s.made("3"));
  const auto hit = s.faults.fired(p.pid(), patience);
  REQUIRE(hit);
  CHECK(hit->fault == "kill before call mkdir 1");
  CHECK(hit->call == "mkdir");
  CHECK(s.faults.calls(p.pid()).by_kind.at("mkdir") == 3);
}

TEST_CASE(
    "a process is killed after its k-th call of a kind, which is made, before it sees the result") {
  fault_fixture s;
  process& p = s.start({"make", s.here.path()},
                       fault::at_call("mkdir", 3, fault::action::kill, fault::moment::after));
  CHECK(p.wait_exit(patience).signalled(SIGKILL));
  CHECK(s.made("3"));
  CHECK_FALSE(said(p, "made 3"));
}

TEST_CASE("the k-th call of a kind fails with the chosen error, and is not made") {
  fault_fixture s;
  process& p = s.start({"make", s.here.path()}, fault::failing_call("mkdir", 2, ENOSPC));
  CHECK(p.wait_exit(patience).exited(0));
  CHECK(said(p, "made 2: " + std::string{std::strerror(ENOSPC)}));
  CHECK_FALSE(s.made("2"));
  CHECK(s.made("3"));
  const auto hit = s.faults.fired(p.pid(), patience);
  REQUIRE(hit);
  CHECK(hit->fault == "fail:28 before call mkdir 1");
}

TEST_CASE("an invalid fault is refused") {
  fault_fixture s;
  for (const auto& wrong :
       {fault::failing_call("mkdir", 1, 0), fault::failing_call("mkdir", 1, 5000),
        fault{fault::action::fail, fault::moment::after, "mkdir", 1, ENOSPC},
        fault{fault::action::fail, fault::moment::before, fault::step::ready, 1, ENOSPC},
        fault::at_call("mkdir", 0, fault::action::kill)}) {
    CHECK_THROWS_AS(s.faults.arm(::getpid(), wrong), std::invalid_argument);
  }
}

TEST_CASE("a trace contains each call in order, and a fault can strike at each of them") {
  fault_fixture s;
  process& whole = s.start({"make", s.here.path()});
  CHECK(whole.wait_exit(patience).exited(0));
  const auto seen = s.faults.calls(whole.pid());
  CHECK(seen.first == 0);
  REQUIRE(seen.sequence.size() == seen.calls);
  CHECK(seen.by_kind.at("mkdir") == 5);
  CHECK(seen.by_kind.at("write") == 5);
  const std::vector<std::string> one_round{"mkdir", "write"};
  CHECK(std::search(seen.sequence.begin(), seen.sequence.end(), one_round.begin(),
                    one_round.end()) != seen.sequence.end());
  for (std::uint32_t call = 1; call <= seen.calls; ++call) {
    process& p = s.start({"make", s.here.path()}, fault::at_call("any", call, fault::action::kill));
    CHECK(p.wait_exit(patience).signalled(SIGKILL));
    const auto hit = s.faults.fired(p.pid(), patience);
    REQUIRE(hit);
    CHECK(hit->calls == call);
    CHECK(hit->call == seen.sequence[call - 1]);
  }
  process& beyond = s.start(
      {"make", s.here.path()},
      fault::at_call("any", static_cast<std::uint32_t>(seen.calls) + 1, fault::action::kill));
  CHECK(beyond.wait_exit(patience).exited(0));
  CHECK_FALSE(s.faults.fired(beyond.pid(), patience));
}

TEST_CASE("a fault that is armed in a running process counts from then on") {
  fault_fixture s;
  process& p = s.start({"make-when-told", s.here.path()});
  REQUIRE(p.wait_for_output("waiting", patience));
  p.signal(SIGUSR1);
  REQUIRE(p.wait_for_output("made 1", patience));
  s.faults.arm(p.pid(), fault::at_call("mkdir", 2, fault::action::kill));
  p.signal(SIGUSR1);
  REQUIRE(p.wait_for_output("made 2", patience));
  p.signal(SIGUSR1);
  CHECK(p.wait_exit(patience).signalled(SIGKILL));
  CHECK_FALSE(s.made("3"));
}

TEST_CASE("a fault can be disarmed, and another can replace it") {
  fault_fixture s;
  process& p =
      s.start({"make-when-told", s.here.path()}, fault::at_call("mkdir", 1, fault::action::kill));
  REQUIRE(p.wait_for_output("waiting", patience));
  CHECK(s.faults.disarm(p.pid()));
  p.signal(SIGUSR1);
  REQUIRE(p.wait_for_output("made 1", patience));
  s.faults.arm(p.pid(), fault::at_call("mkdir", 1, fault::action::kill));
  s.faults.arm(p.pid(), fault::at_call("mkdir", 2, fault::action::crash));
  p.signal(SIGUSR1);
  REQUIRE(p.wait_for_output("made 2", patience));
  p.signal(SIGUSR1);
  CHECK(p.wait_exit(patience).signalled(SIGSEGV));
  CHECK_FALSE(s.faults.disarm(p.pid()));
}

TEST_CASE("a process that is stopped at a call stays there, and goes on when it is told to") {
  fault_fixture s;
  process& p = s.start({"make", s.here.path()}, fault::at_call("mkdir", 2, fault::action::stop));
  const auto hit = s.faults.fired(p.pid(), patience);
  REQUIRE(hit);
  CHECK(p.running());
  CHECK(s.made("1"));
  CHECK_FALSE(s.made("2"));
  p.signal(SIGCONT);
  CHECK(p.wait_exit(patience).exited(0));
  CHECK(s.made("5"));
}

TEST_CASE("a crash kills even a process that handles the signal") {
  fault_fixture s;
  process& p =
      s.start({"handle-crash", s.here.path()}, fault::at_call("mkdir", 2, fault::action::crash));
  CHECK(p.wait_exit(patience).signalled(SIGSEGV));
  CHECK(said(p, "handled"));
  CHECK_FALSE(s.made("2"));
}

TEST_CASE("a test that waits for a fault is told at once that the process has ended without it") {
  fault_fixture s;
  process& p = s.start({"make", s.here.path()}, fault::at_call("mkdir", 6, fault::action::kill));
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(s.faults.fired(p.pid(), std::chrono::minutes{5}));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::minutes{1});
  CHECK(p.wait_exit(patience).exited(0));
}

TEST_CASE("wrappers keep errno: the old one on success, and that of the call on failure") {
  fault_fixture s;
  process& p = s.start({"errno", s.here.path()},
                       fault::at_call("mkdir", 100, fault::action::kill, fault::moment::after));
  CHECK(p.wait_exit(patience).exited(0));
  CHECK(said(p, "errno 77 " + std::to_string(EEXIST)));
}

TEST_CASE("a forked child has its own counts, and not the parent's fault") {
  fault_fixture s;
  process& p = s.start({"fork", s.here.path()}, fault::at_call("mkdir", 2, fault::action::kill));
  CHECK(p.wait_exit(patience).signalled(SIGKILL));
  REQUIRE(said(p, "child "));
  CHECK(said(p, "status 0\n"));
  CHECK(s.made("2"));
  CHECK(s.made("1/1"));
  CHECK_FALSE(s.made("1/2"));
  const std::string text = p.output();
  const pid_t child = std::stoi(text.substr(text.find("child ") + 6));
  CHECK(s.faults.calls(child).by_kind.at("mkdir") == 2);
  CHECK(s.faults.calls(p.pid()).by_kind.at("mkdir") == 2);
}

TEST_CASE("a process that executes another program keeps its counts and its fault") {
  fault_fixture s;
  process& p = s.start({"execute", s.here.path(), fault_subject(), "make", s.here.path()},
                       fault::at_call("mkdir", 3, fault::action::kill));
  CHECK(p.wait_exit(patience).signalled(SIGKILL));
  CHECK(s.made("0"));
  CHECK(s.made("1"));
  CHECK_FALSE(s.made("2"));
}

TEST_CASE("calls of a child between vfork and exec are not counted") {
  fault_fixture s;
  process& p = s.start({"vfork", s.here.path()}, fault::at_call("mkdir", 1, fault::action::kill));
  CHECK(p.wait_exit(patience).signalled(SIGKILL));
  CHECK(said(p, "child status 0\n"));
  CHECK(s.made("1"));
  CHECK_FALSE(s.made("1/1"));
}

TEST_CASE("calls through syscall(2) are counted as what they are") {
  fault_fixture s;
  process& p = s.start({"raw"}, fault::at_call("pidfd_send_signal", 1, fault::action::kill));
  CHECK(p.wait_exit(patience).signalled(SIGKILL));
  CHECK(s.faults.calls(p.pid()).by_kind.at("pidfd_open") == 1);
  CHECK_FALSE(said(p, "signalled"));
}

TEST_CASE("with many threads each call is counted once, and one is struck") {
  fault_fixture s;
  process& whole = s.start({"threads", s.here.path()});
  CHECK(whole.wait_exit(patience).exited(0));
  CHECK(s.faults.calls(whole.pid()).by_kind.at("mkdir") == 1000);
  temporary_directory fresh;
  process& p =
      s.start({"threads", fresh.path()}, fault::at_call("mkdir", 501, fault::action::kill));
  CHECK(p.wait_exit(patience).signalled(SIGKILL));
  const auto seen = s.faults.calls(p.pid());
  // A call is counted before it is made. The struck one is not made; each of the three others may
  // have been under way at the kill.
  const auto counted = seen.by_kind.at("mkdir");
  CHECK(counted >= 501);
  CHECK(fresh.listing().size() >= counted - 4);
  CHECK(fresh.listing().size() <= counted - 1);
}

TEST_CASE(
    "a fault is for one process: it leaves the environment, and everything else there stays") {
  fault_fixture s;
  process& p = s.start({"environment"}, fault::at_call("rmdir", 1, fault::action::kill));
  CHECK(p.wait_exit(patience).exited(0));
  CHECK(said(p, "none"));
  const auto given = s.faults.environment({{"LD_PRELOAD", "/libc.so.6"}, {"A", "B"}});
  CHECK(given.at("LD_PRELOAD").starts_with("/libc.so.6:/"));
  CHECK(given.at("A") == "B");
}

TEST_CASE("an unknown call, a count of 0, and a misspelt fault are refused") {
  fault_fixture s;
  CHECK_THROWS_AS((void)variable_for(fault::at_call("mkdi", 1, fault::action::kill)),
                  std::invalid_argument);
  CHECK_THROWS_AS((void)variable_for(fault::at_call("mkdir", 0, fault::action::kill)),
                  std::invalid_argument);
  process& p = s.start_with({{"GRACEFUL_TESTING_FAULT", "kill before accept 3"}}, {"environment"});
  CHECK(p.wait_exit(patience).exited(127));
  CHECK(said(p, "\"kill before call accept4 3\""));
}

TEST_CASE("the names of faults can be read back") {
  for (const auto& [what, text] : {
           std::pair{fault::at_call("accept4", 3, fault::action::kill),
                     "kill before call accept4 3"},
           std::pair{fault::at_step(fault::step::readied, fault::action::unreachable,
                                    fault::moment::after, 2),
                     "unreachable after step readied 2"},
       }) {
    CHECK(what.to_string() == text);
  }
  const auto kinds = fault_injector::kinds();
  for (const std::string name : {"any", "accept4", "epoll_wait", "recvmsg", "posix_spawnp"}) {
    CHECK(std::count(kinds.begin(), kinds.end(), name) == 1);
  }
}

TEST_CASE("a killed test leaves neither its directory of faults nor its processes behind") {
  std::array<int, 2> ends;
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const graceful::unique_fd read_end{ends[0]};
  graceful::unique_fd write_end{ends[1]};
  const pid_t killed = ::fork();
  if (killed == 0) leave_an_orphan(write_end.get());
  write_end.reset();
  std::string said;
  std::array<char, 256> piece;
  for (ssize_t size = 1; size > 0 && !said.ends_with('\n');) {
    size = ::read(read_end.get(), piece.data(), piece.size());
    said.append(piece.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  }
  std::istringstream words{said};
  pid_t orphan = 0;
  char point = 0;
  std::string directory;
  words >> orphan >> point >> directory;
  REQUIRE_FALSE(directory.empty());
  const auto its_end = open_pidfd(orphan);
  REQUIRE(its_end);
  ::kill(killed, SIGKILL);
  REQUIRE(::waitpid(killed, nullptr, 0) == killed);
  const deadline until{patience};
  while (::access(directory.c_str(), F_OK) == 0 && !until.passed()) ::poll(nullptr, 0, 1);
  CHECK_FALSE(until.passed());
  CHECK(wait_readable(its_end.get(), std::chrono::seconds{0}));  // it ends first
  send_signal(its_end, SIGKILL);  // a failed test leaves nothing behind either
  ::waitpid(orphan, nullptr, 0);  // a child, if there has been a scene here
}

TEST_CASE("a missing shim is reported with its path") {
  const std::string path = std::getenv("GRACEFUL_TESTING_SHIM");
  ::setenv("GRACEFUL_TESTING_SHIM", "/nowhere/shim.so", 1);
  try {
    const fault_injector none;
    FAIL("found");
  } catch (const std::runtime_error& missing) {
    CHECK(std::string{missing.what()}.find("/nowhere/shim.so") != std::string::npos);
  }
  ::setenv("GRACEFUL_TESTING_SHIM", path.c_str(), 1);
}
