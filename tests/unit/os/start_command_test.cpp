// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/start_command.hpp"

#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <signal.h>
#include <sys/auxv.h>

namespace fs = std::filesystem;
using graceful::os::start_command;
using strings = std::vector<std::string>;

namespace {

/// Puts the working directory and PWD back.
struct kept_directory {
  kept_directory() {
    if (const char* pwd = std::getenv("PWD")) variable = pwd;
  }
  ~kept_directory() {
    fs::current_path(path);
    ::setenv("PWD", variable.c_str(), 1);
  }
  fs::path path = fs::current_path();
  std::string variable;
};

}  // namespace

TEST_CASE("a process knows how it was started") {
  const auto command = start_command::of_this_process();
  CHECK(command.file == reinterpret_cast<const char*>(::getauxval(AT_EXECFN)));
  std::ifstream file{"/proc/self/cmdline", std::ios::binary};
  std::string all;
  for (const auto& argument : command.arguments) all += argument + '\0';
  CHECK(all == std::string{std::istreambuf_iterator<char>{file}, {}});
  CHECK(fs::equivalent(command.directory, fs::current_path()));
}

TEST_CASE("the environment comes along as it is") {
  ::setenv("GRACEFUL_UNIT_TEST", "a=b c", 1);
  const auto command = start_command::of_this_process();
  ::unsetenv("GRACEFUL_UNIT_TEST");
  const auto& all = command.environment;
  CHECK(std::count(all.begin(), all.end(), "GRACEFUL_UNIT_TEST=a=b c") == 1);
}

TEST_CASE("the working directory keeps its symbolic links, as the shell knew it") {
  const kept_directory kept;
  graceful_test::temporary_directory d;
  fs::create_directory(d.path("release-1"));
  fs::create_symlink("release-1", d.path("current"));
  fs::current_path(d.path("current"));
  ::setenv("PWD", d.path("current").c_str(), 1);
  CHECK(start_command::of_this_process().directory == d.path("current"));
}

TEST_CASE("signals that a thread has blocked, or ignores, since the start are not in a command") {
  sigset_t hangup;
  sigset_t before;
  ::sigemptyset(&hangup);
  ::sigaddset(&hangup, SIGHUP);
  ::pthread_sigmask(SIG_BLOCK, &hangup, &before);
  const auto action = ::signal(SIGHUP, SIG_IGN);
  const auto signals = start_command::of_this_process().signals;
  ::signal(SIGHUP, action);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  CHECK(::sigismember(&signals.blocked, SIGHUP) == ::sigismember(&before, SIGHUP));
  CHECK((::sigismember(&signals.ignored, SIGHUP) == 1) == (action == SIG_IGN));
}

TEST_CASE("a PWD that is wrong, relative or missing is not believed") {
  const kept_directory kept;
  graceful_test::temporary_directory d;
  fs::current_path(d.path());
  const std::string physical = fs::canonical(d.path());
  for (const char* wrong : {"/", ".", "", "/no/such/directory"}) {
    ::setenv("PWD", wrong, 1);
    CHECK(start_command::of_this_process().directory == physical);
  }
  ::unsetenv("PWD");
  CHECK(start_command::of_this_process().directory == physical);
}

TEST_CASE("a variable is set once, and replaced") {
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
