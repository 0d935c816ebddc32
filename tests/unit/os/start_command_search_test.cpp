// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/start_command.hpp"

#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

using namespace graceful;
using graceful_test::temporary_directory;
namespace fs = std::filesystem;

namespace {

void write_script(const std::string& path, const std::string& first_line, bool executable = true) {
  std::ofstream{path} << first_line << "\nexit 0\n";
  fs::permissions(path, executable ? fs::perms::owner_all : fs::perms::owner_read);
}

os::start_command in_directory(const temporary_directory& where, const std::string& file) {
  os::start_command command;
  command.file = file;
  command.arguments = {file};
  command.directory = where.path();
  return command;
}

}  // namespace

TEST_CASE("a program is found by its path, starting in the directory, or in PATH") {
  temporary_directory where;
  write_script(where.path("server"), "#!/bin/sh");
  CHECK(os::find_program(in_directory(where, where.path("server"))).value() ==
        where.path("server"));
  CHECK(os::find_program(in_directory(where, "./server")).value() == where.path("./server"));
  CHECK(os::find_program(in_directory(where, "sh")).value().ends_with("/sh"));
}

TEST_CASE("the error of execve(2) is predicted for a program that cannot be executed") {
  temporary_directory where;
  write_script(where.path("plain"), "#!/bin/sh", false);
  write_script(where.path("strange"), "#! /nope/bash -e");
  fs::create_directory(where.path("directory"));
  const auto why = [&](const std::string& file) {
    return os::find_program(in_directory(where, file)).error().message;
  };
  const auto begin = "cannot execute " + where.path();
  CHECK(why(where.path("absent")) ==
        begin + "/absent in " + where.path() + ": No such file or directory");
  CHECK(why(where.path("plain")).find("/plain in " + where.path() + ": Permission denied") !=
        std::string::npos);
  CHECK(why(where.path("directory")).find(": Permission denied") != std::string::npos);
  CHECK(why(where.path("strange"))
            .find(": No such file or directory: its interpreter (/nope/bash) is missing") !=
        std::string::npos);
  CHECK(why("no-program-of-this-name").find("No such file or directory") != std::string::npos);
}

TEST_CASE("a directory that cannot be entered is reported, with what to do") {
  temporary_directory where;
  auto command = in_directory(where, "/bin/true");
  CHECK(os::check_directory(command).has_value());
  command.directory = where.path("gone");
  CHECK(os::check_directory(command).error().message ==
        "cannot execute /bin/true in the directory " + command.directory +
            ", which cannot be entered: No such file or directory; make it again, or name another: "
            "graceful-ctl upgrade --directory DIRECTORY");
  std::ofstream{command.directory} << "a file";
  CHECK(os::check_directory(command).error().message.find("Not a directory") != std::string::npos);
}
