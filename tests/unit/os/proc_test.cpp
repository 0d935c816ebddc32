// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/proc.hpp"

#include "patience.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

namespace os = graceful::os;

TEST_CASE("a file is read to its end, or as far as it is wanted") {
  const graceful_test::temporary_directory d;
  const std::string text = std::string(4096, 'a') + std::string(5000, 'b');
  std::ofstream{d.path("file")} << text;
  CHECK(os::whole_file(d.path("file")).compare(text) == 0);
  CHECK(os::beginning_of(d.path("file"), 4097).compare(text.substr(0, 4097)) == 0);
  CHECK(os::beginning_of(d.path("file"), 0).empty());
  CHECK(os::whole_file(os::proc_path(::getpid(), "stat")).starts_with(std::to_string(::getpid())));
}

TEST_CASE("what cannot be read is empty, and a pipe that nobody writes to is not waited for") {
  const graceful_test::temporary_directory d;
  CHECK(os::whole_file(d.path("missing")).empty());
  REQUIRE(::mkfifo(d.path("fifo").c_str(), 0600) == 0);
  ::alarm(graceful_test::patience.count());
  CHECK(os::beginning_of(d.path("fifo"), 2).empty());
  ::alarm(0);
}

TEST_CASE("a symbolic link tells where it leads, and any other file that it is none") {
  const graceful_test::temporary_directory d;
  std::filesystem::create_symlink("nowhere/else", d.path("link"));
  CHECK(os::link_target(d.path("link")) == "nowhere/else");
  CHECK(os::link_target(d.path()).empty());
  CHECK(errno == EINVAL);
}

TEST_CASE("every process is visited, until the visitor has seen enough") {
  std::set<pid_t> seen;
  os::for_each_process([&](pid_t pid) { return seen.insert(pid).second; });
  CHECK(seen.contains(::getpid()));
  CHECK(seen.contains(::getppid()));
  int visits = 0;
  os::for_each_process([&](pid_t) { return ++visits < 1; });
  CHECK(visits == 1);
}
