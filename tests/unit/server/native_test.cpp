// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/native.hpp>

#include "os/listening_socket.hpp"

#include "patience.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace graceful_test;
using namespace std::chrono_literals;
namespace native = graceful::native;

namespace {

/// An event loop that runs what is posted to it, and notes what happens.
struct native_fixture {
  void post(std::function<void()> task) {
    const std::lock_guard lock{mutex};
    tasks.push_back(std::move(task));
    changed.notify_all();
  }

  /// Runs tasks until `what` has been noted. False if that does not happen.
  bool runs_until(const std::string& what) {
    const auto until = std::chrono::steady_clock::now() + patience;
    std::unique_lock lock{mutex};
    const auto is_noted = [&] { return noted.find(what) != noted.npos; };
    while (!is_noted()) {
      if (!changed.wait_until(lock, until, [&] { return !tasks.empty() || is_noted(); })) {
        return false;
      }
      if (tasks.empty()) continue;
      const auto task = std::move(tasks.front());
      tasks.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
    return true;
  }

  std::function<void()> notes(const std::string& what) {
    return [this, what] {
      const std::lock_guard lock{mutex};
      noted += what + ' ';
      changed.notify_all();
    };
  }

  [[nodiscard]] graceful::options options() {
    graceful::options o;
    o.control_path = directory.path("s");
    o.log = [this](graceful::log_level, std::string_view text) {
      const std::lock_guard lock{log_mutex};
      logged += std::string{text} + '\n';
      log_changed.notify_all();
    };
    return o;
  }

  [[nodiscard]] native::hooks hooks() {
    return {[this](std::function<void()> task) { post(std::move(task)); }, notes("commit"),
            notes("drain"), notes("end")};
  }

  [[nodiscard]] native::listener_hooks listener() {
    return {notes("resume"), notes("pause"), notes("stop")};
  }

  bool logs(const std::string& text) {
    std::unique_lock lock{log_mutex};
    return log_changed.wait_for(lock, patience, [&] { return logged.find(text) != logged.npos; });
  }

  temporary_directory directory;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> tasks;
  std::string noted;
  std::mutex log_mutex;
  std::condition_variable log_changed;
  std::string logged;
};

graceful::unique_fd connected_to(const std::string& address) {
  graceful::unique_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port =
      htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return {};
  return fd;
}

std::string why_not(const std::function<void()>& f) {
  try {
    f();
  } catch (const graceful::error& e) {
    CHECK(e.code() == graceful::errc::invalid_argument);
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("the hooks of a server without Asio run on its loop, in the order of its life") {
  native_fixture f;
  native::upgrader up{f.options(), f.hooks()};
  graceful::unique_fd fd;
  fd = up.listen("web", "127.0.0.1:0", {f.notes("resume"), f.notes("pause"), [&] {
                                          f.notes("stop")();
                                          fd.reset();
                                        }});
  CHECK(f.noted.empty());
  up.ready();
  REQUIRE(f.runs_until("resume"));
  const auto client = connected_to(up.address("web"));
  CHECK(client);
  CHECK(graceful::unique_fd{::accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC)});
  up.drain();
  REQUIRE(f.runs_until("end"));
  CHECK(f.noted.find("commit ") < f.noted.find("drain "));  // not in a certain order with resume
  f.noted.erase(f.noted.find("commit "), 7);
  CHECK(f.noted == "resume drain stop end ");
  CHECK(up.draining());
}

TEST_CASE("a server without a loop is told on a thread of the library, and can wait for its end") {
  native_fixture f;
  auto hooks = f.hooks();
  hooks.post = {};
  native::upgrader up{f.options(), hooks};
  graceful::unique_fd fd;
  fd = up.listen("web", "127.0.0.1:0", {f.notes("resume"), f.notes("pause"), [&] { fd.reset(); }});
  up.ready();
  up.drain();
  up.wait_end();
  CHECK(f.noted.find("end") != f.noted.npos);
}

TEST_CASE("a connection that is tracked keeps a server without Asio until its end") {
  native_fixture f;
  native::upgrader up{f.options(), f.hooks()};
  up.ready();
  std::optional<native::connection> token;
  token = up.track([&](graceful::drain_stage stage) {
    if (stage == graceful::drain_stage::draining) f.notes("told")();
  });
  up.drain();
  REQUIRE(f.runs_until("told"));
  CHECK(token->draining());
  CHECK(f.noted.find("end") == f.noted.npos);
  token.reset();
  CHECK(f.runs_until("end"));
}

TEST_CASE("a thread that blocks in accept(2) is woken when a server without hooks ends") {
  native_fixture f;
  native::upgrader up{f.options()};
  graceful::listen_params waits;
  waits.blocking = true;
  const auto fd = up.listen("web", "127.0.0.1:0", {}, waits);
  CHECK(graceful::os::is_blocking(fd.get()));
  up.ready();
  auto accepted = std::async(std::launch::async, [&] {
    int count = 0;
    for (;;) {
      const graceful::unique_fd client{::accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC)};
      if (!client) return std::pair{count, errno};
      ++count;
    }
  });
  const auto client = connected_to(up.address("web"));
  char byte{};
  CHECK(::recv(client.get(), &byte, 1, 0) == 0);  // it was accepted, and closed
  up.drain();
  REQUIRE(accepted.wait_for(patience) == std::future_status::ready);
  CHECK(accepted.get() == std::pair{1, EINVAL});
}

TEST_CASE("a descriptor that the application does not close when told accepts nothing any more") {
  native_fixture f;
  native::upgrader up{f.options(), f.hooks()};
  const auto fd = up.listen("web", "127.0.0.1:0", f.listener());
  const auto address = up.address("web");
  up.ready();
  up.drain();
  CHECK(f.logs("listener 'web': the application has not closed its descriptor"));
  CHECK_FALSE(connected_to(address));
}

TEST_CASE("a server without Asio that cannot accept says so, and drains") {
  native_fixture f;
  native::upgrader up{f.options(), f.hooks()};
  const auto fd = up.listen("web", "127.0.0.1:0",
                            {[] { throw std::runtime_error{"no room"}; }, f.notes("pause"), {}});
  up.ready();
  REQUIRE(f.runs_until("end"));
  CHECK(f.logs("listener 'web': the application's on_resume has failed: no room"));
}

TEST_CASE("a function of the application that throws is logged, and the server goes on") {
  native_fixture f;
  auto hooks = f.hooks();
  hooks.on_drain = [] { throw std::runtime_error{"no room"}; };
  native::upgrader up{f.options(), hooks};
  up.ready();
  up.drain();
  CHECK(f.runs_until("end"));
  CHECK(f.logs("the application's on_drain has failed: no room"));
}

TEST_CASE("what was posted does nothing when the upgrader has gone") {
  native_fixture f;
  {
    native::upgrader up{f.options(), f.hooks()};
    const auto fd = up.listen("web", "127.0.0.1:0", f.listener());
    up.ready();
    up.drain();
    REQUIRE(f.logs("drains, and ends"));
  }
  for (auto& task : f.tasks) task();
  CHECK(f.noted.empty());
}

TEST_CASE("a connection may be released and called idle on any thread, while it is told a stage") {
  native_fixture f;
  auto hooks = f.hooks();
  hooks.post = {};
  native::upgrader up{f.options(), hooks};
  up.ready();
  std::atomic<int> told{0};
  std::vector<native::connection> all;
  for (int i = 0; i < 200; ++i) all.push_back(up.track([&](graceful::drain_stage) { ++told; }));
  up.drain();
  for (auto& each : all) {
    each.idle(true);
    each = {};
  }
  const int before = told;
  up.wait_end();
  CHECK(told == before);  // nothing is told to a connection that was released
}

TEST_CASE("a hook may destroy the upgrader") {
  native_fixture f;
  std::unique_ptr<native::upgrader> up;
  native::hooks hooks;
  SUBCASE("on the application's loop") { hooks = f.hooks(); }
  SUBCASE("on a thread of the library") {}
  hooks.on_end = [&] {
    up.reset();
    f.notes("gone")();
  };
  up = std::make_unique<native::upgrader>(f.options(), hooks);
  up->ready();
  up->drain();
  CHECK(f.runs_until("gone"));
}

TEST_CASE("an address that is none is refused, with an example of one") {
  native_fixture f;
  native::upgrader up{f.options(), f.hooks()};
  for (const char* wrong :
       {"", "8080", ":8080", "localhost:8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http",
        "127.0.0.1:65536", "::1:8080", "[::1]", "[::1:80", "[127.0.0.1]:80", "127.0.0.1:80 "}) {
    CAPTURE(wrong);
    const auto why = why_not([&] { (void)up.listen("web", wrong); });
    CHECK(why.find("that is no address; write 127.0.0.1:8080") != why.npos);
  }
  CHECK(up.address("web").empty());
}
