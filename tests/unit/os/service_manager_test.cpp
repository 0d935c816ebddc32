// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/service_manager.hpp"

#include <graceful/testing/deadline.hpp>

#include "os/listening_socket.hpp"
#include "os/system_failure.hpp"

#include "notify_socket.hpp"
#include "patience.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace os = graceful::os;
using namespace graceful_test;
using namespace graceful::testing;
using namespace std::chrono_literals;
using graceful::unique_fd;

namespace {

unique_fd listener() {
  sockaddr_in any_port{};
  any_port.sin_family = AF_INET;
  any_port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return os::listen_tcp({reinterpret_cast<const sockaddr*>(&any_port), sizeof any_port}, {})
      .value();
}

bool blocks(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0; }
bool inherits(int fd) { return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0; }

}  // namespace

TEST_CASE("a notification reaches a path and an abstract name, and carries its sender") {
  temporary_directory d;
  for (const std::string& address : {d.path("notify"), "@graceful-" + std::to_string(::getpid())}) {
    notify_socket manager{address};
    const auto server = os::service_manager::at(address).value();
    REQUIRE(server.notify("READY=1\nSTATUS=serves").has_value());
    const auto said = manager.next(patience);
    CHECK(said.text == "READY=1\nSTATUS=serves");
    CHECK(said.pid == ::getpid());
    CHECK(said.descriptors.empty());
  }
}

TEST_CASE("descriptors travel with a notification, are the same sockets, and stay the sender's") {
  temporary_directory d;
  notify_socket manager{d.path("notify")};
  const auto server = os::service_manager::at(d.path("notify")).value();
  const auto a = listener();
  const auto b = listener();
  REQUIRE(server.notify("FDSTORE=1\nFDNAME=x", {a.get(), b.get()}).has_value());
  const auto said = manager.next(patience);
  REQUIRE(said.descriptors.size() == 2);
  CHECK(os::cookie_of(said.descriptors[0].get()) == os::cookie_of(a.get()));
  CHECK(os::cookie_of(said.descriptors[1].get()) == os::cookie_of(b.get()));
  CHECK_FALSE(server.notify("FDSTORE=1", std::vector<int>(254, a.get())).has_value());
  CHECK(server.notify("FDSTORE=1", std::vector<int>(253, a.get())).has_value());
}

TEST_CASE("a manager that binds the address later gets the next notification") {
  temporary_directory d;
  const auto server = os::service_manager::at(d.path("notify")).value();
  CHECK(server.notify("A=1").error().code == os::system_code(ENOENT));
  { notify_socket first{d.path("notify")}; }
  CHECK(server.notify("A=1").error().code == os::system_code(ENOENT));
  notify_socket second{d.path("notify")};
  CHECK(server.notify("A=2").has_value());
  CHECK(second.next(patience).text == "A=2");
}

TEST_CASE("a manager that does not read causes an error, not a wait") {
  temporary_directory d;
  notify_socket manager{d.path("notify")};
  const auto server = os::service_manager::at(d.path("notify")).value();
  graceful::result<void> sent;
  for (int i = 0; i < 100'000 && sent; ++i) sent = server.notify("A=1");
  REQUIRE_FALSE(sent.has_value());
  CHECK(sent.error().code == os::system_code(EAGAIN));
}

TEST_CASE("an invalid address is refused") {
  for (const std::string& wrong : {std::string{}, std::string{"relative/path"},
                                   std::string{"vsock:2:1"}, '/' + std::string(107, 'x')}) {
    CHECK_FALSE(os::service_manager::at(wrong).has_value());
  }
  CHECK(os::service_manager::at('/' + std::string(106, 'x')).has_value());
  CHECK(os::service_manager::at('@' + std::string(107, 'x')).has_value());
  CHECK_FALSE(os::service_manager::at('@' + std::string(108, 'x')).has_value());
}

TEST_CASE("descriptors for another process are not taken, and no child inherits the variables") {
  for (const char* pid : {"1", "", "x", "-1"}) {
    ::setenv("LISTEN_PID", pid, 1);
    ::setenv("LISTEN_FDS", "1", 1);
    ::setenv("LISTEN_FDNAMES", "http", 1);
    auto start = os::start_command::of_this_process();
    CHECK(os::take_listen_fds(start).empty());
    for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
      CHECK(std::getenv(variable) == nullptr);
      CHECK(std::ranges::none_of(start.environment, [&](const std::string& v) {
        return v.starts_with(std::string{variable} + '=');
      }));
    }
  }
}

TEST_CASE("passed descriptors are taken by name, close-on-exec and non-blocking") {
  // A separate process, where 3 and 4 are free.
  const pid_t child = ::fork();
  if (child == 0) {
    const auto a = listener();
    const auto b = listener();
    const int low = ::fcntl(a.get(), F_DUPFD, 100);
    const int high = ::fcntl(b.get(), F_DUPFD, 100);
    ::dup2(low, 3);
    ::dup2(high, 4);
    ::fcntl(3, F_SETFL, 0);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", "2", 1);
    ::setenv("LISTEN_FDNAMES", "http:", 1);
    auto start = os::start_command::of_this_process();
    auto passed = os::take_listen_fds(start);
    const bool right = passed.size() == 2 && passed[0].name == "http" &&
                       passed[1].name == "unknown" && passed[0].fd.get() == 3 &&
                       passed[1].fd.get() == 4 && !inherits(3) && !inherits(4) && !blocks(3) &&
                       os::cookie_of(3) == os::cookie_of(low) &&
                       os::cookie_of(4) == os::cookie_of(high);
    ::_exit(right ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("descriptors that a shell was passed are taken below it, but only if all still exist") {
  enum class fourth { listens, is_absent, is_no_listener, is_our_own };
  // `may`: whether the descriptors may be meant for a shell; `shells` of them, the first of which
  // was named.
  const auto taken = [](os::addressee may, int shells, fourth what) {
    const pid_t first = ::fork();
    if (first == 0) {
      const bool other = what == fourth::is_no_listener;
      const unique_fd plain{::socket(AF_INET, SOCK_STREAM, 0)};
      const unique_fd a{::fcntl(listener().get(), F_DUPFD, 100)};
      const unique_fd b{::fcntl(other ? plain.get() : listener().get(), F_DUPFD, 100)};
      ::dup2(a.get(), 3);
      ::close(4);
      if (what != fourth::is_absent) ::dup2(b.get(), 4);
      if (what == fourth::is_our_own) ::fcntl(4, F_SETFD, FD_CLOEXEC);
      ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
      ::setenv("LISTEN_FDS", "2", 1);
      ::setenv("LISTEN_FDNAMES", "http:admin", 1);
      for (int i = 0; i < shells; ++i) {
        if (const pid_t below = ::fork(); below != 0) {
          int how = -1;
          ::waitpid(below, &how, 0);
          ::_exit(WEXITSTATUS(how));
        }
      }
      auto start = os::start_command::of_this_process();
      const auto passed = os::take_listen_fds(start, may);
      const bool is_all = passed.size() == 2 && passed[1].name == "admin" && !inherits(3) &&
                          os::cookie_of(4) == os::cookie_of(b.get());
      const bool untouched = passed.empty() && inherits(3);
      ::_exit(is_all ? 2 : untouched ? 0 : 99);
    }
    int status = -1;
    REQUIRE(::waitpid(first, &status, 0) == first);
    return WEXITSTATUS(status);
  };
  using os::addressee;
  CHECK(taken(addressee::itself, 0, fourth::listens) == 2);
  CHECK(taken(addressee::itself, 1, fourth::listens) == 0);
  CHECK(taken(addressee::or_ancestor, 0, fourth::listens) == 2);
  CHECK(taken(addressee::or_ancestor, 1, fourth::listens) == 2);
  CHECK(taken(addressee::or_ancestor, 2, fourth::listens) == 2);
  CHECK(taken(addressee::or_ancestor, 1, fourth::is_absent) == 0);
  CHECK(taken(addressee::or_ancestor, 1, fourth::is_no_listener) == 0);
  CHECK(taken(addressee::or_ancestor, 1, fourth::is_our_own) == 0);
}

TEST_CASE("a listener's name survives as the name of a descriptor") {
  for (const std::string& name :
       {std::string{"http"}, std::string{"http/3"}, std::string{"a:b c%d\n\x7f"},
        std::string{"gr\xc3\xbc\xc3\x9f"}, std::string(255, 'x'), std::string{"100%"}}) {
    const auto fd_name = os::to_fd_name(name);
    CHECK(os::from_fd_name(fd_name) == name);
    CHECK(std::ranges::all_of(fd_name, [](char c) { return c > ' ' && c < 0x7f && c != ':'; }));
  }
  CHECK(os::to_fd_name("a:b") == "a%3Ab");
  CHECK(os::from_fd_name("100%") == "100%");
  CHECK(os::from_fd_name("%zz%4") == "%zz%4");
}

TEST_CASE("a name that is too long is cut, stays distinct, and can be removed by its original") {
  for (std::size_t size = 86; size < 100; ++size) {
    const std::string name = std::string(size - 85, 'x') + std::string(85, ':');
    const auto fd_name = os::to_fd_name(name);
    CHECK(fd_name.size() <= 255);
    CHECK(os::to_fd_name(os::from_fd_name(fd_name)) == fd_name);
    CHECK(fd_name != os::to_fd_name(name + ':'));
  }
}
