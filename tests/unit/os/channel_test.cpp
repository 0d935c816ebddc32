// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/channel.hpp"

#include "os/control_path.hpp"
#include "os/system_failure.hpp"

#include "patience.hpp"
#include "tcp_sockets.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace graceful_test;
using namespace std::chrono_literals;
using graceful::unique_fd;
using graceful::os::inbox;
using kind = graceful::os::transfer::kind;
namespace os = graceful::os;

struct pair {
  pair() {
    std::array<int, 2> fds{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds.data()) == 0);
    a.reset(fds[0]);
    b.reset(fds[1]);
  }
  unique_fd a, b;
};

std::vector<unique_fd> some_files(std::size_t count) {
  std::vector<unique_fd> files;
  for (std::size_t i = 0; i < count; ++i) files.emplace_back(::open("/dev/null", O_RDONLY));
  return files;
}

std::vector<int> numbers(const std::vector<unique_fd>& files) {
  std::vector<int> fds;
  for (const auto& f : files) fds.push_back(f.get());
  return fds;
}

ino_t inode(int fd) {
  struct stat status {};
  REQUIRE(::fstat(fd, &status) == 0);
  return status.st_ino;
}

}  // namespace

TEST_CASE(
    "1 to 253 descriptors arrive with the first byte, close-on-exec, and are the same files") {
  for (const std::size_t count : {1U, 2U, 3U, 100U, 252U, 253U}) {
    CAPTURE(count);
    pair p;
    std::vector<unique_fd> sent;
    for (std::size_t i = 0; i < count; ++i) sent.emplace_back(::socket(AF_UNIX, SOCK_STREAM, 0));
    const auto done = os::send_now(p.a.get(), "hello", numbers(sent));
    CHECK(done.what == kind::some);
    CHECK(done.bytes == 5);
    inbox box;
    CHECK(os::receive_now(p.b.get(), box).what == kind::some);
    CHECK(box.bytes == "hello");
    CHECK_FALSE(box.truncated);
    REQUIRE(box.descriptors.size() == count);
    for (std::size_t i = 0; i < count; ++i) {
      CHECK(is_cloexec(box.descriptors[i].get()));
      CHECK(inode(box.descriptors[i].get()) == inode(sent[i].get()));
    }
  }
}

TEST_CASE("the sender of a message is reported if that is asked for, even beside 253 descriptors") {
  pair p;
  inbox unasked;
  REQUIRE(os::send_now(p.a.get(), "x").what == kind::some);
  REQUIRE(os::receive_now(p.b.get(), unasked).what == kind::some);
  CHECK_FALSE(unasked.sender);
  os::name_senders(p.b.get());
  const auto files = some_files(253);
  // Not the process that made the socket, which SO_PEERCRED names.
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(os::send_now(p.a.get(), "x", numbers(files)).what == kind::some ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  inbox box;
  CHECK(os::receive_now(p.b.get(), box).what == kind::some);
  REQUIRE(box.sender);
  CHECK(box.sender->pid == child);
  CHECK(box.descriptors.size() == 253);
  CHECK_FALSE(box.truncated);
}

TEST_CASE("254 descriptors are refused by the kernel, and nothing is sent") {
  pair p;
  const auto files = some_files(254);
  const auto done = os::send_now(p.a.get(), "x", numbers(files));
  CHECK(done.what == kind::failed);
  CHECK(done.error == EINVAL);
  inbox box;
  CHECK(os::receive_now(p.b.get(), box).what == kind::would_block);
}

TEST_CASE("descriptors beyond the limit of open files are dropped, and the loss is seen") {
  pair p;
  const auto files = some_files(20);
  REQUIRE(os::send_now(p.a.get(), "x", numbers(files)).what == kind::some);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const unique_fd next{::open("/dev/null", O_RDONLY)};
  const rlimit low{static_cast<rlim_t>(next.get()) + 4, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  inbox box;
  const auto got = os::receive_now(p.b.get(), box);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(got.what == kind::some);
  CHECK(box.truncated);
  CHECK(box.descriptors.size() < 20);
  for (const auto& fd : box.descriptors) CHECK(is_open_descriptor(fd.get()));
}

TEST_CASE("received descriptors are closed with the box") {
  pair p;
  const auto files = some_files(3);
  os::send_now(p.a.get(), "x", numbers(files));
  std::vector<int> arrived;
  {
    inbox box;
    os::receive_now(p.b.get(), box);
    arrived = numbers(box.descriptors);
    REQUIRE(arrived.size() == 3);
    for (const int fd : arrived) CHECK(is_open_descriptor(fd));
  }
  for (const int fd : arrived) CHECK_FALSE(is_open_descriptor(fd));
}

TEST_CASE("the sender keeps its descriptors") {
  pair p;
  const auto files = some_files(2);
  os::send_now(p.a.get(), "x", numbers(files));
  for (const auto& f : files) CHECK(is_open_descriptor(f.get()));
}

TEST_CASE("plain data before a message with descriptors does not cost them") {
  pair p;
  const auto files = some_files(2);
  os::send_now(p.a.get(), "plain");
  os::send_now(p.a.get(), "with", numbers(files));
  os::send_now(p.a.get(), "after");
  inbox box;
  while (os::receive_now(p.b.get(), box).what == kind::some) continue;
  CHECK(box.bytes == "plainwithafter");
  CHECK(box.descriptors.size() == 2);
}

TEST_CASE("two messages with descriptors never merge") {
  pair p;
  const auto files = some_files(3);
  const auto fds = numbers(files);
  os::send_now(p.a.get(), "1", {fds.data(), 1});
  os::send_now(p.a.get(), "2", {fds.data() + 1, 2});
  inbox first;
  os::receive_now(p.b.get(), first);
  CHECK(first.bytes == "1");
  CHECK(first.descriptors.size() == 1);
}

TEST_CASE("nothing to read, and no room to write, would block") {
  pair p;
  inbox box;
  CHECK(os::receive_now(p.b.get(), box).what == kind::would_block);
  const std::string chunk(65536, 'x');
  auto sent = os::send_now(p.a.get(), chunk);
  while (sent.what == kind::some) sent = os::send_now(p.a.get(), chunk);
  CHECK(sent.what == kind::would_block);
  CHECK_FALSE(os::wait_writable(p.a.get(), std::chrono::steady_clock::now()));
  CHECK(os::wait_readable(p.b.get(), os::after(patience)));
}

TEST_CASE("a wait ends at its deadline") {
  pair p;
  const auto until = std::chrono::steady_clock::now() + 5ms;
  CHECK_FALSE(os::wait_readable(p.b.get(), until));
  CHECK(std::chrono::steady_clock::now() >= until);
  CHECK_FALSE(os::wait_readable(p.b.get(), std::chrono::steady_clock::now() - 1s));
  CHECK(os::wait_writable(p.a.get(), std::chrono::steady_clock::now() - 1s));
}

TEST_CASE("a closed peer is reported after what it has sent, and raises no signal") {
  pair p;
  os::send_now(p.a.get(), "last words");
  p.a.reset();
  inbox box;
  CHECK(os::receive_now(p.b.get(), box).what == kind::some);
  CHECK(box.bytes == "last words");
  CHECK(os::receive_now(p.b.get(), box).what == kind::closed);
  CHECK(os::send_now(p.b.get(), "anybody?").what == kind::closed);
}

TEST_CASE("a descriptor that is not a socket fails with the system's error") {
  const unique_fd file{::open("/dev/null", O_RDWR)};
  inbox box;
  CHECK(os::receive_now(file.get(), box).error == ENOTSOCK);
  CHECK(os::send_now(file.get(), "x").error == ENOTSOCK);
}

TEST_CASE("a connection to a Unix socket is non-blocking and close-on-exec") {
  temporary_directory d;
  const auto listener = os::bind_control(d.path("s"));
  REQUIRE(listener.has_value());
  const auto socket = os::connect_unix(d.path("s"), os::after(patience));
  REQUIRE(socket.has_value());
  CHECK(is_cloexec(socket->get()));
  CHECK(is_nonblocking(socket->get()));
}

TEST_CASE("a path where nobody listens is reported with the reason") {
  temporary_directory d;
  CHECK(os::connect_unix(d.path("none"), os::after(patience)).error().code ==
        os::system_code(ENOENT));
  { const auto gone = os::bind_control(d.path("left")); }
  CHECK(os::connect_unix(d.path("left"), os::after(patience)).error().code ==
        os::system_code(ECONNREFUSED));
  std::ofstream{d.path("file")} << "x";
  CHECK(os::connect_unix(d.path("file"), os::after(patience)).error().code ==
        os::system_code(ECONNREFUSED));
  CHECK(
      os::connect_unix(d.path("none"), os::after(patience)).error().message.find(d.path("none")) !=
      std::string::npos);
}

TEST_CASE("a path of 107 bytes is the longest") {
  const std::string longest = "/" + std::string(106, 'x');
  CHECK(os::connect_unix(longest, os::after(patience)).error().code == os::system_code(ENOENT));
  CHECK(os::connect_unix(longest + 'x', os::after(patience)).error().code ==
        graceful::errc::path_too_long);
}

TEST_CASE("connecting to a full queue waits until the deadline") {
  temporary_directory d;
  const auto listener = os::bind_control(d.path("s"));
  REQUIRE(listener.has_value());
  REQUIRE(::listen(listener->get(), 0) == 0);
  std::vector<unique_fd> waiting;
  std::optional<graceful::error_code> refusal;
  while (!refusal) {
    auto socket = os::connect_unix(d.path("s"), std::chrono::steady_clock::now() + 5ms);
    if (socket) {
      waiting.push_back(std::move(*socket));
    } else {
      refusal = socket.error().code;
    }
    REQUIRE(waiting.size() < 10);
  }
  CHECK(*refusal == graceful::errc::timed_out);
}
