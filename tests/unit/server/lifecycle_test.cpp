// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What a process comes to where something is slow, or fails, in the middle of it.
#include <graceful/control_client.hpp>
#include <graceful/detail/asio_abi.hpp>
#include <graceful/testing/deadline.hpp>
#include <graceful/upgrader.hpp>

#include "notify_socket.hpp"
#include "patience.hpp"
#include "temporary_directory.hpp"

#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace graceful_test;
using namespace graceful::testing;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

/// Epoll has no room for a control socket.
std::atomic<bool> no_room{false};

bool is_control_socket(int fd) {
  int domain = 0;
  int listens = 0;
  socklen_t length = sizeof(int);
  return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_UNIX &&
         ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens == 1;
}

}  // namespace

/// In the place of libc's.
extern "C" int epoll_ctl(int epoll, int what, int fd, epoll_event* event) {
  using function = int (*)(int, int, int, epoll_event*);
  static const auto real = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "epoll_ctl"));
  if (what == EPOLL_CTL_ADD && no_room && is_control_socket(fd)) {
    errno = ENOSPC;
    return -1;
  }
  return real(epoll, what, fd, event);
}

// Asio calls epoll_ctl(2) only if it is built to.
TEST_CASE("the manager hears of a successor that cannot serve its control socket" *
          doctest::skip(!graceful::detail::asio_epoll)) {
  temporary_directory directory;
  const auto path = directory.path("s");
  notify_socket manager{directory.path("notify")};
  std::promise<void> failed;
  const auto note = [&](graceful::log_level level, std::string_view text) {
    if (level == graceful::log_level::error && text.starts_with("control socket: ")) {
      failed.set_value();
    }
  };
  const auto quiet = [](auto, auto) {};
  asio::io_context io;
  graceful::upgrader predecessor{io, {.control_path = path, .probation = 0ms, .log = quiet}};
  predecessor.ready();
  ::setenv("NOTIFY_SOCKET", manager.address().c_str(), 1);
  graceful::upgrader successor{io, {.control_path = path, .takeover = true, .log = note}};
  ::unsetenv("NOTIFY_SOCKET");
  no_room = true;
  auto ran = std::async(std::launch::async, [&io] { io.run(); });  // which confirms that it serves
  successor.ready();
  CHECK(failed.get_future().wait_for(patience) == std::future_status::ready);
  no_room = false;
  const deadline until{patience};
  std::optional<notification> said;
  while (!said || !said->has("READY=1")) said = manager.next(until);
  CHECK(said->has("MAINPID=" + std::to_string(::getpid())));
  CHECK(said->has("STATUS=generation 2 serves"));
  io.stop();
}

TEST_CASE("a Drain that comes while ready() goes on is answered from then to the end") {
  temporary_directory directory;
  const auto path = directory.path("s");
  std::promise<void> in_ready;
  std::promise<void> go_on;
  // What a process logs at the end of ready(); that of an application may take its time.
  const auto note = [&](graceful::log_level, std::string_view text) {
    if (text != "generation 1 serves") return;
    in_ready.set_value();
    go_on.get_future().wait();
  };
  asio::io_context io;
  std::optional<graceful::upgrader> up{std::in_place, io,
                                       graceful::options{.control_path = path, .log = note}};
  std::thread server{[&] {
    up->ready();
    io.run();
    up.reset();
  }};
  in_ready.get_future().wait();
  std::vector<graceful::drain_progress> heard;
  auto client = graceful::control_client::connect(path, patience).value();
  const auto end = client.drain(false, [&](const graceful::drain_progress& p) {
    if (heard.empty()) go_on.set_value();
    heard.push_back(p);
  });
  server.join();
  REQUIRE(end.has_value());
  CHECK(end->phase == "drained");
  CHECK(end->elapsed < patience);
  REQUIRE(heard.size() >= 2);
  CHECK(heard.front().phase == "draining");
  CHECK(heard.front().elapsed == 0ms);
}
