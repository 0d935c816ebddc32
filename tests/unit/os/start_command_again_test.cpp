// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/start_command.hpp"

#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using graceful::os::current_file;
using graceful::os::execution;
using graceful::os::own_executable;
using graceful::os::to_execute_again;
using strings = std::vector<std::string>;

namespace {

execution of(std::string path, strings command_line) {
  const auto count = command_line.size();
  return {.path = std::move(path),
          .command_line = std::move(command_line),
          .arguments = count,
          .set_id = false};
}

}  // namespace

TEST_CASE("a program is executed again by the path that was given, with its own name") {
  const auto again = to_execute_again(of("/srv/current/server", {"called", "--x"}));
  CHECK(again.file == "/srv/current/server");
  CHECK(again.arguments == strings{"called", "--x"});
  CHECK(to_execute_again(of("bin/server", {"server"})).file == "bin/server");
  // Without a slash, PATH would be searched.
  CHECK(to_execute_again(of("server", {"server"})).file == "./server");
  CHECK(to_execute_again(of("/srv/server", {})).arguments == strings{"/srv/server"});
}

TEST_CASE("a path that means nothing to another process is not executed") {
  for (const char* path : {"/dev/fd/3", "/dev/fd/3/bin/server", "/proc/self/fd/3", "/proc/self/exe",
                           "/proc/812/root/server", ""}) {
    CAPTURE(path);
    CHECK(to_execute_again(of(path, {"server", "--x"})).file == own_executable);
    CHECK(to_execute_again(of(path, {"server", "--x"})).arguments == strings{"server", "--x"});
  }
  CHECK(to_execute_again(of("/procure/server", {"server"})).file == "/procure/server");
}

TEST_CASE("the user who starts a set-id program cannot choose what is executed later") {
  auto seen = of("/tmp/link", {"link"});
  seen.set_id = true;
  CHECK(to_execute_again(seen).file == own_executable);
}

TEST_CASE("the loader is executed again with all its arguments") {
  auto seen = of("./server", {"/lib/ld.so", "--argv0", "odd", "./server", "--x"});
  seen.arguments = 2;
  CHECK(to_execute_again(seen).file == own_executable);
  CHECK(to_execute_again(seen).arguments == seen.command_line);
}

TEST_CASE("a script is executed again without what the kernel has added for its interpreter") {
  const graceful_test::temporary_directory d;
  const auto script = d.path("site");
  std::ofstream{script} << "#!/usr/bin/server --config\n";
  const strings seen{"/usr/bin/server", "--config", script, "--x", script};
  CHECK(to_execute_again(of(script, seen)).file == script);
  CHECK(to_execute_again(of(script, seen)).arguments == strings{script, "--x", script});
  // A program that is named again in its arguments is not a script.
  std::ofstream{script} << "\x7f"
                           "ELF";
  CHECK(to_execute_again(of(script, seen)).arguments == seen);
}

TEST_CASE("the file that this process executes is found at its path while it exists") {
  CHECK(current_file("/srv/server") == "/srv/server");
  CHECK(current_file(std::string{own_executable}) ==
        std::filesystem::read_symlink("/proc/self/exe").string());
}
