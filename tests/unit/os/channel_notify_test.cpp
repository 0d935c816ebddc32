// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/channel.hpp"
#include "os/service_manager.hpp"

#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace graceful;

namespace {

struct notify_socket_fixture {
  graceful_test::temporary_directory directory;
  std::string path = directory.path("notify");
  unique_fd socket = os::bind_notify(path).value();
  os::service_manager manager = os::service_manager::at(path).value();
};

int open_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 256; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("a message arrives with its sender, and with its descriptors") {
  notify_socket_fixture b;
  CHECK_FALSE(os::receive_notify(b.socket.get(), 100));
  REQUIRE(b.manager.notify("FDSTORE=1", {b.socket.get(), b.socket.get()}).has_value());
  const auto got = os::receive_notify(b.socket.get(), 100);
  REQUIRE(got);
  CHECK(got->bytes == "FDSTORE=1");
  REQUIRE(got->sender);
  CHECK(got->sender->pid == ::getpid());
  CHECK(got->sender->uid == ::geteuid());
  CHECK_FALSE(got->truncated);
  REQUIRE(got->descriptors.size() == 2);
  for (const auto& fd : got->descriptors) {
    CHECK((::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
  }
}

TEST_CASE("only its own user can send, and a message that is too long is recognised") {
  notify_socket_fixture b;
  struct stat status {};
  REQUIRE(::stat(b.path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  for (const std::size_t size : {100, 101, 5000}) {
    REQUIRE(b.manager.notify(std::string(size, 'x')).has_value());
    CHECK(os::receive_notify(b.socket.get(), 100)->bytes.size() ==
          std::min<std::size_t>(size, 101));
  }
}

TEST_CASE("descriptors that cannot be received are reported, and none leaks") {
  notify_socket_fixture b;
  REQUIRE(b.manager.notify("FDSTORE=1", std::vector<int>(200, b.socket.get())).has_value());
  const int before = open_descriptors();
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit low{static_cast<rlim_t>(b.socket.get() + 20), limit.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &low);
  {
    const auto got = os::receive_notify(b.socket.get(), 100);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    REQUIRE(got);
    CHECK(got->truncated);
    CHECK(got->descriptors.size() < 200);
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("a socket that was left behind is replaced, and no other file is") {
  notify_socket_fixture b;
  const auto again = os::bind_notify(b.path);
  REQUIRE(again.has_value());
  const auto path = b.directory.path("file");
  std::ofstream{path} << "precious";
  CHECK(os::bind_notify(path).error().code == errc::path_in_use);
  CHECK(os::bind_notify(b.directory.path(std::string(108, 'x'))).error().code ==
        errc::path_too_long);
}
