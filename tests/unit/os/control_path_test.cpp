// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/control_path.hpp"

#include "os/channel.hpp"
#include "os/system_failure.hpp"

#include "patience.hpp"
#include "tcp_sockets.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

namespace os = graceful::os;
namespace fs = std::filesystem;
using namespace graceful_test;
using graceful::errc;
using graceful::unique_fd;

namespace {

constexpr uid_t nobody = 65534;

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

unique_fd locked(const std::string& path) {
  auto lock = os::try_lock(path).value();
  REQUIRE(lock.has_value());
  return std::move(*lock);
}

bool is_free(const std::string& path) { return os::try_lock(path).value().has_value(); }

}  // namespace

TEST_CASE("the lock has one holder at a time") {
  temporary_directory d;
  auto held = locked(d.path("s"));
  CHECK(is_cloexec(held.get()));
  CHECK(fs::exists(d.path("s.lock")));
  CHECK_FALSE(is_free(d.path("s")));
  CHECK(is_free(d.path("other")));
  held.reset();
  CHECK(is_free(d.path("s")));
}

TEST_CASE("the lock goes with the descriptor, and is held until the last one is closed") {
  temporary_directory d;
  auto predecessor = locked(d.path("s"));
  unique_fd successor{::fcntl(predecessor.get(), F_DUPFD_CLOEXEC, 3)};
  CHECK(os::holds_lock(successor.get(), d.path("s")));
  predecessor.reset();
  CHECK_FALSE(is_free(d.path("s")));
  CHECK(os::holds_lock(successor.get(), d.path("s")));
  successor.reset();
  CHECK(is_free(d.path("s")));
}

TEST_CASE("a file that is not the lock, or a lock that another holds, does not count as held") {
  temporary_directory d;
  const auto held = locked(d.path("s"));
  const unique_fd opened{::open(d.path("s.lock").c_str(), O_RDWR | O_CLOEXEC)};
  CHECK_FALSE(os::holds_lock(opened.get(), d.path("s")));
  const auto other = locked(d.path("other"));
  CHECK_FALSE(os::holds_lock(other.get(), d.path("s")));
  CHECK_FALSE(os::holds_lock(-1, d.path("s")));
}

TEST_CASE("a lock whose file was removed is valid until another is made") {
  temporary_directory d;
  const auto stale = locked(d.path("s"));
  fs::remove(d.path("s.lock"));
  CHECK(os::holds_lock(stale.get(), d.path("s")));
  const auto fresh = locked(d.path("s"));
  CHECK(os::holds_lock(fresh.get(), d.path("s")));
  CHECK_FALSE(os::holds_lock(stale.get(), d.path("s")));
}

TEST_CASE("a process that gets the lock has the file at the path, while holders remove it and go") {
  temporary_directory d;
  std::atomic<int> taken{0};
  std::atomic<int> useless{0};
  std::vector<std::jthread> servers;
  for (int i = 0; i < 4; ++i) {
    servers.emplace_back([&] {
      for (int round = 0; round < 5'000; ++round) {
        const auto lock = os::try_lock(d.path("s")).value();
        if (!lock) continue;
        ++taken;
        if (!os::holds_lock(lock->get(), d.path("s"))) ++useless;
        ::unlink(d.path("s.lock").c_str());
      }
    });
  }
  servers.clear();
  CHECK(taken > 0);
  CHECK(useless == 0);
}

TEST_CASE("a lock file that is not a regular file of this user is refused") {
  temporary_directory d;
  std::ofstream{d.path("target")} << "x";
  fs::create_symlink(d.path("target"), d.path("link.lock"));
  CHECK_FALSE(os::try_lock(d.path("link")).has_value());
  REQUIRE(::mkfifo(d.path("fifo.lock").c_str(), 0600) == 0);
  CHECK(os::try_lock(d.path("fifo")).error().code == errc::permission_denied);
  if (::geteuid() != 0) return;
  std::ofstream{d.path("foreign.lock")} << "x";
  REQUIRE(::chown(d.path("foreign.lock").c_str(), nobody, nobody) == 0);
  CHECK(os::try_lock(d.path("foreign")).error().code == errc::permission_denied);
}

TEST_CASE("a lock file with a second name is refused, because it would be overwritten") {
  temporary_directory d;
  std::ofstream{d.path("precious")} << "x";
  fs::create_hard_link(d.path("precious"), d.path("s.lock"));
  CHECK(os::try_lock(d.path("s")).error().code == errc::permission_denied);
  CHECK(fs::file_size(d.path("precious")) == 1);
}

TEST_CASE("a lock in a missing directory is an error that names the directory") {
  temporary_directory d;
  const auto lock = os::try_lock(d.path("none/s"));
  REQUIRE_FALSE(lock.has_value());
  CHECK(lock.error().code == os::system_code(ENOENT));
  CHECK(lock.error().message.find("the directory " + d.path("none") +
                                  " of the control path does not exist") != std::string::npos);
}

TEST_CASE("the control socket has mode 0600, whatever the umask, and nothing is left beside it") {
  temporary_directory d;
  for (const mode_t mask : {0000, 0022, 0077, 0177}) {
    const mode_t before = ::umask(mask);
    const auto socket = os::bind_control(d.path("s"));
    ::umask(before);
    REQUIRE(socket.has_value());
    CHECK(mode_of(d.path("s")) == 0600);
    CHECK(d.listing() == std::vector<std::string>{"s"});
    CHECK(is_cloexec(socket->get()));
    CHECK(is_nonblocking(socket->get()));
    CHECK(os::check_control(socket->get()).has_value());
    CHECK(os::connect_unix(d.path("s"), os::after(patience)).has_value());
  }
}

TEST_CASE("a socket that nobody listens on any more is replaced") {
  temporary_directory d;
  { const auto gone = os::bind_control(d.path("s")); }
  const auto left = os::identify(d.path("s"));
  REQUIRE(left);
  const auto socket = os::bind_control(d.path("s"));
  REQUIRE(socket.has_value());
  CHECK(os::connect_unix(d.path("s"), os::after(patience)).has_value());
}

TEST_CASE("a socket that a process listens on is never replaced") {
  temporary_directory d;
  const auto live = os::bind_control(d.path("s"));
  const auto file = os::identify(d.path("s"));
  SUBCASE("and it answers") {}
  SUBCASE("and its queue is full") {
    REQUIRE(::listen(live->get(), 0) == 0);
    const auto one = os::connect_unix(d.path("s"), os::after(patience));
    REQUIRE(one.has_value());
  }
  const auto refused = os::bind_control(d.path("s"));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::already_running);
  CHECK(os::identify(d.path("s")) == file);
  CHECK(d.listing() == std::vector<std::string>{"s"});
}

TEST_CASE("a file of another kind is never replaced") {
  temporary_directory d;
  std::ofstream{d.path("file")} << "precious";
  fs::create_directory(d.path("directory"));
  { const auto gone = os::bind_control(d.path("socket")); }
  fs::create_symlink(d.path("socket"), d.path("link"));
  fs::create_symlink(d.path("none"), d.path("dangling"));
  for (const char* name : {"file", "directory", "link", "dangling"}) {
    CAPTURE(name);
    const auto before = os::identify(d.path(name));
    const auto refused = os::bind_control(d.path(name));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == errc::path_in_use);
    CHECK(os::identify(d.path(name)) == before);
  }
  CHECK(d.listing().size() == 5);
}

TEST_CASE("a path that is too long is refused, and the limit is named") {
  temporary_directory d;
  const std::string path = d.path(std::string(108 - d.path("").size(), 'x'));
  REQUIRE(path.size() == 108);
  const auto refused = os::bind_control(path);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::path_too_long);
  CHECK(refused.error().message.find("107") != std::string::npos);
  CHECK(d.listing().empty());
}

TEST_CASE("a path of 107 bytes is bound, however short the name of the file") {
  temporary_directory d;
  const std::string name = "s";
  const std::string directory = d.path(std::string(106 - d.path("").size() - name.size(), 'x'));
  fs::create_directory(directory);
  const std::string path = directory + '/' + name;
  REQUIRE(path.size() == 107);
  CHECK(os::bind_control(path).has_value());
}

TEST_CASE("a missing directory is an error, and leaves nothing behind") {
  temporary_directory d;
  CHECK(os::bind_control(d.path("none/s")).error().code == os::system_code(ENOENT));
  CHECK(d.listing().empty());
}

TEST_CASE("a descriptor that is not a listening Unix socket is refused as control socket") {
  const auto tcp = listen_anywhere();
  CHECK(os::check_control(tcp.get()).error().code == errc::wrong_socket);
  const unique_fd idle{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  CHECK(os::check_control(idle.get()).error().code == errc::wrong_socket);
  CHECK(os::check_control(-1).error().code == errc::wrong_socket);
}

TEST_CASE("the control path's directory is made for this user alone, once") {
  temporary_directory d;
  const mode_t before = ::umask(0);
  CHECK(os::check_private_directory(d.path("mine")).error().code ==
        boost::system::errc::no_such_file_or_directory);
  CHECK(os::make_private_directory(d.path("mine")).has_value());
  ::umask(before);
  CHECK(mode_of(d.path("mine")) == 0700);
  CHECK(os::make_private_directory(d.path("mine")).has_value());
  CHECK(os::check_private_directory(d.path("mine")).has_value());
}

TEST_CASE("a directory that other users own, or can write to, is refused") {
  temporary_directory d;
  for (const mode_t mode : {0720, 0702, 0777}) {
    CAPTURE(mode);
    fs::remove(d.path("open"));
    REQUIRE(::mkdir(d.path("open").c_str(), 0700) == 0);
    REQUIRE(::chmod(d.path("open").c_str(), mode) == 0);
    CHECK(os::make_private_directory(d.path("open")).error().code == errc::permission_denied);
  }
  fs::create_directory(d.path("real"));
  fs::create_symlink(d.path("real"), d.path("link"));
  CHECK(os::make_private_directory(d.path("link")).error().code == errc::permission_denied);
  std::ofstream{d.path("file")} << "x";
  CHECK(os::make_private_directory(d.path("file")).error().code == errc::permission_denied);
  if (::geteuid() != 0) return;
  REQUIRE(::mkdir(d.path("foreign").c_str(), 0700) == 0);
  REQUIRE(::chown(d.path("foreign").c_str(), nobody, nobody) == 0);
  CHECK(os::make_private_directory(d.path("foreign")).error().code == errc::permission_denied);
}

TEST_CASE("a path is removed only while it names the same file") {
  temporary_directory d;
  const auto first = os::bind_control(d.path("s"));
  const auto file = os::identify(d.path("s"));
  fs::remove(d.path("s"));
  const auto second = os::bind_control(d.path("s"));
  os::remove_path(d.path("s"), file);
  CHECK(fs::exists(d.path("s")));
  os::remove_path(d.path("s"), std::nullopt);
  CHECK(fs::exists(d.path("s")));
  os::remove_path(d.path("s"), os::identify(d.path("s")));
  CHECK_FALSE(fs::exists(d.path("s")));
  CHECK_FALSE(os::identify(d.path("s")));
}
