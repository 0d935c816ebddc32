// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/start_command.hpp"

#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace {

/// The current directory of the test, as if this process had been started there.
std::string links_of(const std::string& program) {
  return graceful::os::with_links(fs::current_path(), program);
}

/// releases/7/bin, and current, which points to releases/7. The test works there, without a PWD.
class release {
 public:
  release() {
    if (const char* pwd = std::getenv("PWD")) pwd_ = pwd;
    fs::create_directories(path("releases/7/bin"));
    REQUIRE(::chmod(path("releases").c_str(), 0755) == 0);  // whatever the umask
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

TEST_CASE("the shell's PWD decides first which links led here") {
  const release r;
  fs::create_directory_symlink("current", r.path("stable"));
  ::setenv("PWD", r.path("stable").c_str(), 1);
  CHECK(links_of(r.path("current/bin/server")) == r.path("stable"));
  // In another process this path means something else.
  ::setenv("PWD", "/proc/self/cwd", 1);
  CHECK(links_of(r.path("current/bin/server")) == r.path("current"));
}

TEST_CASE("a PWD that is wrong, relative or missing is ignored") {
  const release r;
  fs::remove(r.path("current"));
  for (const char* wrong : {"/", ".", "", "/no/such/directory"}) {
    ::setenv("PWD", wrong, 1);
    CHECK(links_of("bin/server") == r.path("releases/7"));
  }
}

TEST_CASE("the way to the program shows the links, to this directory and to those above") {
  const release r;
  fs::create_directory_symlink("releases/7", r.path("other"));  // so that there is not only one
                                                                // link
  CHECK(links_of(r.path("current/bin/server")) == r.path("current"));
  CHECK(links_of(r.path("current/server")) == r.path("current"));
  r.enter("current/bin");
  CHECK(links_of(r.path("current/bin/server")) == r.path("current/bin"));
  CHECK(links_of(r.path("current/server")) == r.path("current/bin"));
  for (const auto& nothing :
       {r.path("releases/7/bin/server"), std::string{"bin/server"}, std::string{"/usr/bin/server"},
        std::string{"/proc/self/cwd/server"}, std::string{}}) {
    CAPTURE(nothing);
    CHECK(links_of(nothing) == r.path("releases/7/bin"));
  }
}

TEST_CASE("the only link beside a directory, or above it, is taken for the one that led there") {
  const release r;
  CHECK(links_of("bin/server") == r.path("current"));
  // A shell without better knowledge sets the physical path.
  ::setenv("PWD", r.path("releases/7").c_str(), 1);
  CHECK(links_of("bin/server") == r.path("current"));
  r.enter("current/bin");
  CHECK(links_of("./server") == r.path("current/bin"));
  fs::create_directory_symlink("7", r.path("releases/latest"));
  CHECK(links_of("./server") == r.path("releases/7/bin"));
}

TEST_CASE("a link that another user has made is not followed, and does not hide the right one") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: only root can make a link of another user's");
    return;
  }
  const release r;
  const auto root = r.path(".");
  const auto make = [&](const std::string& name, uid_t maker) {
    fs::create_directory_symlink("releases/7", r.path(name));
    REQUIRE(::lchown(r.path(name).c_str(), maker, maker) == 0);
  };
  constexpr uid_t another = 65533;
  constexpr uid_t deployer = 65534;
  make("other", another);
  CHECK(links_of("bin/server") == r.path("current"));
  fs::remove(r.path("current"));
  CHECK(links_of("bin/server") == r.path("releases/7"));
  // The owner of the directory could replace releases/7 itself as well.
  make("current", deployer);
  CHECK(links_of("bin/server") == r.path("releases/7"));
  REQUIRE(::chown(root.c_str(), deployer, deployer) == 0);
  CHECK(links_of("bin/server") == r.path("current"));
  fs::remove(r.path("current"));
  make("current", 0);
  CHECK(links_of("bin/server") == r.path("current"));
}

TEST_CASE("no link is followed in a directory in which everybody may make links") {
  const release r;
  for (const mode_t mode : {0777, 01777, 01775}) {
    CAPTURE(mode);
    REQUIRE(::chmod(r.path(".").c_str(), mode) == 0);
    CHECK(links_of("bin/server") == r.path("releases/7"));
  }
  // Without the sticky bit the group can rename releases/7 itself.
  REQUIRE(::chmod(r.path(".").c_str(), 0775) == 0);
  CHECK(links_of("bin/server") == r.path("current"));
}

TEST_CASE("a directory to which no link leads has its physical name") {
  const release r;
  fs::remove(r.path("current"));
  fs::create_directory_symlink("nowhere", r.path("current"));
  r.enter("releases/7");
  CHECK(links_of("bin/server") == r.path("releases/7"));
  CHECK(graceful::os::with_links("/", "bin/server") == "/");
  CHECK(graceful::os::with_links(r.path("gone"), r.path("current/server")) == r.path("gone"));
}

TEST_CASE("a directory with very many entries is not searched to its end") {
  const release r;
  for (int i = 0; i < 2000; ++i) fs::create_directory_symlink("x", r.path("l" + std::to_string(i)));
  CHECK(links_of("bin/server") == r.path("releases/7"));
}
