// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/working_directory.hpp"

#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace fs = std::filesystem;
using graceful::os::working_directory;

namespace {

/// releases/7/bin, and current, which leads to releases/7. The test works there, without a PWD.
class release {
 public:
  release() {
    if (const char* pwd = std::getenv("PWD")) pwd_ = pwd;
    fs::create_directories(path("releases/7/bin"));
    fs::create_directory_symlink("releases/7", path("current"));
    enter("current");
  }
  release(const release&) = delete;
  release& operator=(const release&) = delete;
  ~release() {
    fs::current_path(before_);
    ::setenv("PWD", pwd_.c_str(), 1);
  }

  [[nodiscard]] std::string path(const std::string& name) const {
    return fs::canonical(directory_.path()).string() + '/' + name;
  }
  void enter(const std::string& name) const {
    fs::current_path(path(name));
    ::unsetenv("PWD");
  }

 private:
  graceful_test::temporary_directory directory_;
  fs::path before_ = fs::current_path();
  std::string pwd_;
};

}  // namespace

TEST_CASE("the shell knows best by which links it came here") {
  const release r;
  fs::create_directory_symlink("current", r.path("stable"));
  ::setenv("PWD", r.path("stable").c_str(), 1);
  CHECK(working_directory(r.path("current/bin/server")) == r.path("stable"));
  // What another process would find there is something else.
  ::setenv("PWD", "/proc/self/cwd", 1);
  CHECK(working_directory(r.path("current/bin/server")) == r.path("current"));
}

TEST_CASE("the way to the program tells of the links, here and above") {
  const release r;
  fs::create_directory_symlink("releases/7", r.path("other"));  // so that no link is the only one
  CHECK(working_directory(r.path("current/bin/server")) == r.path("current"));
  CHECK(working_directory(r.path("current/server")) == r.path("current"));
  r.enter("current/bin");
  CHECK(working_directory(r.path("current/bin/server")) == r.path("current/bin"));
  CHECK(working_directory(r.path("current/server")) == r.path("current/bin"));
  for (const auto& nothing :
       {r.path("releases/7/bin/server"), std::string{"bin/server"}, std::string{"/usr/bin/server"},
        std::string{"/proc/self/cwd/server"}, std::string{}}) {
    CAPTURE(nothing);
    CHECK(working_directory(nothing) == r.path("releases/7/bin"));
  }
}

TEST_CASE("the only link beside a directory, or above it, is the one that led there") {
  const release r;
  CHECK(working_directory("bin/server") == r.path("current"));
  // A shell that was told nothing has set it as the kernel does.
  ::setenv("PWD", r.path("releases/7").c_str(), 1);
  CHECK(working_directory("bin/server") == r.path("current"));
  r.enter("current/bin");
  CHECK(working_directory("./server") == r.path("current/bin"));
  fs::create_directory_symlink("7", r.path("releases/latest"));
  CHECK(working_directory("./server") == r.path("releases/7/bin"));
}

TEST_CASE("a directory to which nothing leads is called as the kernel calls it") {
  const release r;
  fs::remove(r.path("current"));
  fs::create_directory_symlink("nowhere", r.path("current"));
  r.enter("releases/7");
  CHECK(working_directory("bin/server") == r.path("releases/7"));
  r.enter("releases");
  fs::remove_all(r.path("releases"));
  CHECK(working_directory("bin/server") == "/");
}

TEST_CASE("a directory with very many entries is not searched to its end") {
  const release r;
  for (int i = 0; i < 2000; ++i) fs::create_directory_symlink("x", r.path("l" + std::to_string(i)));
  CHECK(working_directory("bin/server") == r.path("releases/7"));
}
