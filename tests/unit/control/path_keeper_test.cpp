// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/path_keeper.hpp"

#include "os/channel.hpp"
#include "os/control_path.hpp"

#include "patience.hpp"
#include "temporary_directory.hpp"

#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace graceful_test;
using graceful::path_keeper;
using graceful::unique_fd;
namespace fs = std::filesystem;
namespace os = graceful::os;

namespace {

/// A process that serves a control path. Each `start` of the keeper looks at once.
struct keeper_fixture {
  keeper_fixture() {
    owned.lock = std::make_shared<const unique_fd>(os::try_lock(path).value().value());
    owned.control = std::make_shared<const unique_fd>(os::bind_control(path).value());
    owned.file = os::identify(path);
    keeper.start();
    REQUIRE(keeper.in_place());
    REQUIRE(logged.empty());
  }

  [[nodiscard]] bool listens() const {
    return os::connect_unix(path, std::chrono::steady_clock::now()).has_value();
  }
  [[nodiscard]] bool said(const std::string& words) const {
    return !logged.empty() && logged.back().find(words) != std::string::npos;
  }

  static fs::path directory_with(const fs::path& directory, fs::perms mode) {
    fs::create_directory(directory);
    fs::permissions(directory, mode);
    return directory;
  }

  temporary_directory d;
  const fs::path directory = directory_with(d.path("run"), fs::perms{0710});
  const std::string path = directory / "s";
  boost::asio::io_context io;
  std::vector<std::string> logged;
  graceful::log log{
      [this](graceful::log_level, std::string_view text) { logged.emplace_back(text); }};
  graceful::owned_path owned;
  bool may_replace = true;
  int served = -1;
  bool rest_is_there = true;
  graceful::result<void> rest_comes_back{};
  path_keeper keeper{io,
                     log,
                     owned,
                     {.path = path, .called = "control path", .by_default = false},
                     {.may_replace = [this] { return may_replace; },
                      .serve = [this](int listener) { served = listener; },
                      .rest_in_place = [this] { return rest_is_there; },
                      .put_rest_back =
                          [this] {
                            rest_is_there = rest_comes_back.has_value();
                            return rest_comes_back;
                          }}};
};

/// Another process, which listens at the path in place of this one.
class usurper {
 public:
  explicit usurper(const std::string& path) {
    std::array<int, 2> ready{};
    REQUIRE(::pipe(ready.data()) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      fs::remove(path);
      const auto listener = os::bind_control(path);
      (void)!::write(ready[1], listener ? "y" : "n", 1);
      for (;;) ::pause();
    }
    const unique_fd read{ready[0]};
    const unique_fd written{ready[1]};
    char listens = 'n';
    REQUIRE(os::wait_readable(read.get(), os::after(patience)));
    REQUIRE(::read(read.get(), &listens, 1) == 1);
    REQUIRE(listens == 'y');
  }
  usurper(const usurper&) = delete;
  usurper& operator=(const usurper&) = delete;
  ~usurper() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_ = -1;
};

}  // namespace

TEST_CASE("a control socket that is removed is put back, and served") {
  keeper_fixture b;
  fs::remove(b.path);
  CHECK_FALSE(b.keeper.in_place());
  b.keeper.start();
  CHECK(b.keeper.in_place());
  CHECK(b.listens());
  CHECK(b.served == b.owned.control->get());
  CHECK(b.said("the control path " + b.path + " had been removed: it is back"));
}

TEST_CASE("a lock that is removed is taken again, and the socket stays as it is") {
  keeper_fixture b;
  const auto file = b.owned.file;
  fs::remove(os::lock_path(b.path));
  b.keeper.start();
  CHECK(b.keeper.in_place());
  CHECK(b.owned.file == file);
  CHECK(b.served == -1);
  CHECK_FALSE(os::try_lock(b.path).value());
}

TEST_CASE("a directory that is removed is made again, with the mode that it had") {
  keeper_fixture b;
  fs::remove_all(b.directory);
  b.keeper.start();
  CHECK(b.keeper.in_place());
  CHECK(fs::status(b.directory).permissions() == fs::perms{0710});
}

TEST_CASE("a path that another process serves is left to it, until it has gone") {
  keeper_fixture b;
  {
    const usurper other{b.path};
    const auto file = os::identify(b.path);
    b.keeper.start();
    CHECK(os::identify(b.path) == file);
    CHECK(b.said("listens there now"));
    b.keeper.start();
    CHECK(b.logged.size() == 1);  // it is said once
  }
  b.keeper.start();
  CHECK(b.keeper.in_place());
  CHECK(b.served == b.owned.control->get());
}

TEST_CASE("nothing is put back while it is on offer to a successor") {
  keeper_fixture b;
  b.may_replace = false;
  fs::remove(b.path);
  b.keeper.start();
  CHECK_FALSE(fs::exists(b.path));
  b.may_replace = true;
  b.keeper.start();
  CHECK(b.keeper.in_place());
}

TEST_CASE("a socket is not put back before the files on which its clients rely") {
  keeper_fixture b;
  fs::remove_all(b.directory);
  b.rest_is_there = false;
  b.rest_comes_back = graceful::failure{graceful::errc::path_in_use, "it is in the way"};
  b.keeper.start();
  CHECK(fs::is_empty(b.directory));
  CHECK(b.said("it is in the way"));
  b.rest_comes_back = {};
  b.keeper.start();
  CHECK(b.rest_is_there);
  CHECK(b.keeper.in_place());
}
