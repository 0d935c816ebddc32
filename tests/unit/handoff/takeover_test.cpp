// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/takeover.hpp"

#include "handoff/served_sessions.hpp"
#include "os/control_path.hpp"

#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace graceful_test;
using namespace std::chrono_literals;
using namespace std::string_literals;
using graceful::errc;
using graceful::unique_fd;
namespace os = graceful::os;

namespace {

/// A control path in a directory of its own.
struct contested_path : log_book {
  graceful::result<graceful::takeover> take(bool explicitly = false,
                                            std::chrono::milliseconds step = patience) {
    return graceful::take_ownership({.control_path = path,
                                     .token = {},
                                     .explicitly = explicitly,
                                     .manager = {},
                                     .step_timeout = step,
                                     .channel = {}},
                                    log);
  }

  temporary_directory directory;
  const std::string path = directory.path("web.sock");
};

/// Serves one successor on another thread, as a predecessor with one listener does.
struct serving_thread {
  serving_thread(const graceful::ownership& owned, int lock)
      : served{std::async(std::launch::async, [control = owned.control->get(), lock] {
          if (!wait_readable(control, patience)) return;
          varlink_peer successor{unique_fd{::accept4(control, nullptr, nullptr, SOCK_CLOEXEC)}};
          (void)successor.receive(patience);
          successor.send(R"({"parameters":{"version":1,"generation":2,"name":"web",)"
                         R"("descriptors":4,"kept":["web"]}})");
          (void)successor.receive(patience);
          const unique_fd other{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
          successor.send_with_descriptors(
              R"({"parameters":{"first":0,"names":["@lock","web","@control","@later"]}})"s + '\0',
              {lock, other.get(), control, other.get()});
          (void)successor.receive(patience);
        })} {}
  std::future<void> served;
};

}  // namespace

TEST_CASE("a process that finds no other owns the path, whether it was told to take over or not") {
  contested_path c;
  const auto taken = c.take(true);
  REQUIRE(taken.has_value());
  CHECK(taken->owned.predecessor == nullptr);
  CHECK(taken->listeners.empty());
  CHECK(os::holds_lock(taken->owned.lock->get(), c.path));
  CHECK(taken->owned.file == os::identify(c.path));
}

TEST_CASE("a second process is told who runs already, and how to replace it") {
  contested_path c;
  const auto first = c.take();
  REQUIRE(first.has_value());
  const auto second = c.take();
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == errc::already_running);
  CHECK(second.error().message.starts_with("a server is running already as pid " +
                                           std::to_string(::getpid())));
  CHECK(second.error().message.find("graceful-ctl upgrade " + c.path) != std::string::npos);
}

TEST_CASE("a takeover from a server that does not answer ends in time") {
  contested_path c;
  const auto first = c.take();
  REQUIRE(first.has_value());
  const auto second = c.take(true, 50ms);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == errc::timed_out);
}

TEST_CASE("what a predecessor passes is told apart by its names") {
  contested_path c;
  const auto first = c.take();
  REQUIRE(first.has_value());
  const serving_thread predecessor{first->owned, first->owned.lock->get()};
  const auto second = c.take(true);
  REQUIRE(second.has_value());
  REQUIRE(second->owned.predecessor != nullptr);
  CHECK(second->owned.predecessor->offer().generation == 2);
  CHECK(os::holds_lock(second->owned.lock->get(), c.path));
  CHECK(os::check_control(second->owned.control->get()).has_value());
  CHECK(second->owned.file == os::identify(c.path));
  REQUIRE(second->listeners.size() == 1);
  CHECK(second->listeners.front().name == "web");
  CHECK(second->listeners.front().kept);
  second->owned.predecessor->fail("the test ends");
}

TEST_CASE("a lock that is not that of the path is refused, and the predecessor is told") {
  contested_path c;
  const auto first = c.take();
  REQUIRE(first.has_value());
  const unique_fd wrong{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  const serving_thread predecessor{first->owned, wrong.get()};
  const auto second = c.take(true);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == errc::wrong_socket);
  CHECK(second.error().message == "the lock that was passed is not that of " + c.path);
}

TEST_CASE("a predecessor that dies before it has passed everything leaves a cold start") {
  contested_path c;
  auto first = c.take();
  REQUIRE(first.has_value());
  auto dies = std::async(std::launch::async, [owned = std::move(first->owned)]() mutable {
    if (!wait_readable(owned.control->get(), patience)) return;
    const varlink_peer successor{
        unique_fd{::accept4(owned.control->get(), nullptr, nullptr, SOCK_CLOEXEC)}};
    owned = {};  // the kernel closes all of it at once
  });
  const auto second = c.take(true);
  REQUIRE(second.has_value());
  CHECK(second->owned.predecessor == nullptr);
  CHECK(c.mentions("the predecessor died before it had handed over: this process starts cold"));
}

TEST_CASE("what tells a process to take over is read once, and no child inherits it") {
  ::setenv("GRACEFUL_UPGRADE", "t0ken", 1);
  ::setenv("GRACEFUL_TAKEOVER", "1", 1);
  os::start_command start;
  start.environment = {"GRACEFUL_UPGRADE=t0ken", "GRACEFUL_TAKEOVER=1", "OTHER=2"};
  const graceful::options opts{.handoff_timeout = 7s};
  const auto request = graceful::takeover_request::of(opts, "/run/web.sock", "systemd", start);
  CHECK(request.token == "t0ken");
  CHECK(request.explicitly);
  CHECK(request.manager == "systemd");
  CHECK(request.step_timeout == 7s);
  CHECK(start.environment == std::vector<std::string>{"OTHER=2"});
  CHECK(std::getenv("GRACEFUL_UPGRADE") == nullptr);
  CHECK(std::getenv("GRACEFUL_TAKEOVER") == nullptr);
  const auto next = graceful::takeover_request::of(opts, "/run/web.sock", "systemd", start);
  CHECK(next.token.empty());
  CHECK_FALSE(next.explicitly);
}
