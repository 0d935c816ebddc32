// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/start_command.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <errno.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fs = std::filesystem;
using graceful::os::start_command;
using strings = std::vector<std::string>;

TEST_CASE("a process knows how it was started") {
  const auto command = start_command::of_this_process();
  CHECK(command.file == reinterpret_cast<const char*>(::getauxval(AT_EXECFN)));
  std::ifstream file{"/proc/self/cmdline", std::ios::binary};
  std::string all;
  for (const auto& argument : command.arguments) all += argument + '\0';
  CHECK(all == std::string{std::istreambuf_iterator<char>{file}, {}});
  CHECK(fs::equivalent(command.directory, fs::current_path()));
}

TEST_CASE("the environment is passed on unchanged") {
  ::setenv("GRACEFUL_UNIT_TEST", "a=b c", 1);
  const auto command = start_command::of_this_process();
  ::unsetenv("GRACEFUL_UNIT_TEST");
  const auto& all = command.environment;
  CHECK(std::count(all.begin(), all.end(), "GRACEFUL_UNIT_TEST=a=b c") == 1);
}

TEST_CASE("signals that a thread has blocked or ignored since the start are not in a command") {
  sigset_t one;
  sigset_t before;
  ::sigemptyset(&one);
  ::sigaddset(&one, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &one, &before);
  const auto action = ::signal(SIGUSR1, SIG_IGN);
  const auto signals = start_command::of_this_process().signals;
  ::signal(SIGUSR1, action);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  CHECK(::sigismember(&signals.blocked, SIGUSR1) == ::sigismember(&before, SIGUSR1));
  CHECK((::sigismember(&signals.ignored, SIGUSR1) == 1) == (action == SIG_IGN));
}

TEST_CASE("a program that has changed its directory is started where it began") {
  const auto before = start_command::of_this_process().directory;
  const auto here = fs::current_path();
  fs::current_path("/");
  const auto after = start_command::of_this_process().directory;
  fs::current_path(here);
  CHECK(fs::equivalent(before, here));
  CHECK(after == before);
}

TEST_CASE("a title that a program has written over its arguments is not among them") {
  const auto before = start_command::of_this_process().arguments;
  std::size_t size = 0;
  for (const auto& argument : before) size += argument.size() + 1;
  const pid_t child = ::fork();
  if (child == 0) {
    // Overwrites argv[0], where the kernel has put it, and everything after it.
    std::memset(program_invocation_name, 'x', size - 1);
    ::_exit(start_command::of_this_process().arguments == before ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("setting a variable again replaces it") {
  start_command command;
  command.environment = {"A=1", "AB=2", "A=3"};
  command.set("A", "x=y");
  CHECK(command.environment == strings{"AB=2", "A=x=y"});
  command.set("B", "");
  CHECK(command.environment == strings{"AB=2", "A=x=y", "B="});
}

TEST_CASE("a variable is removed wherever it is, and no other") {
  start_command command;
  command.environment = {"A=1", "AB=2", "A=3", "BA=4"};
  command.unset("A");
  CHECK(command.environment == strings{"AB=2", "BA=4"});
  command.unset("C");
  CHECK(command.environment == strings{"AB=2", "BA=4"});
}
