// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/upgrader.hpp>

#include "patience.hpp"
#include "temporary_directory.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <pthread.h>
#include <system_error>

using namespace graceful_test;
using namespace std::chrono_literals;
namespace asio = boost::asio;

TEST_CASE("an upgrader that knows no context says at the deadline that something still runs") {
  temporary_directory directory;
  asio::io_context io;
  const auto still_runs = asio::make_work_guard(io);
  std::promise<void> said;
  const auto note = [&](graceful::log_level level, std::string_view text) {
    if (level == graceful::log_level::warning && text.find("it goes on") != text.npos) {
      said.set_value();
    }
  };
  graceful::upgrader up{io.get_executor(), {.control_path = directory.path("s"), .log = note}};
  up.ready();
  up.drain_now();
  CHECK(said.get_future().wait_for(patience) == std::future_status::ready);
  CHECK_FALSE(io.stopped());
}

TEST_CASE(
    "a wait for the drain on another context completes there, and keeps it running until then") {
  temporary_directory directory;
  asio::io_context io;
  asio::io_context other;
  std::promise<graceful::error_code> said;
  std::optional<graceful::upgrader> up{
      std::in_place, io,
      graceful::options{.control_path = directory.path("s"), .log = [](auto, auto) {}}};
  up->ready();
  up->async_wait_drain(
      asio::bind_executor(other, [&](graceful::error_code ec) { said.set_value(ec); }));
  auto ran = std::async(std::launch::async, [&] { return other.run(); });
  SUBCASE("when the process drains") {
    up->drain();
    CHECK(ran.get() > 0);
    CHECK(said.get_future().get() == graceful::error_code{});
  }
  SUBCASE("when the upgrader is destroyed") {
    up.reset();
    CHECK(ran.get() > 0);
    CHECK(said.get_future().get() == asio::error::operation_aborted);
  }
}

namespace {

/// An upgrader with one listener from which no loop accepts, and a client in its queue.
struct queued_client {
  explicit queued_client(std::chrono::milliseconds drain_timeout, bool knows_context = true)
      : options{.control_path = directory.path("s"),
                .drain_timeout = drain_timeout,
                .log = [this](graceful::log_level, std::string_view text) {
                  const std::lock_guard lock{mutex};
                  said += std::string{text} + '\n';
                  more.notify_all();
                }} {
    if (knows_context) {
      up.emplace(io, options);
    } else {
      up.emplace(io.get_executor(), options);
    }
    web.emplace(up->listen<asio::ip::tcp>("web", {asio::ip::address_v4::loopback(), 0}));
    up->ready();
    client.connect(web->local_endpoint());
  }

  /// Whether the context runs out of work.
  bool ends() {
    io.run_for(patience);
    return io.stopped();
  }

  bool has_said(std::string_view text) {
    const std::lock_guard lock{mutex};
    return said.find(text) != std::string::npos;
  }

  /// The control thread may log it after the context has ended.
  bool says(std::string_view text) {
    std::unique_lock lock{mutex};
    return more.wait_for(lock, patience, [&] { return said.find(text) != std::string::npos; });
  }

  temporary_directory directory;
  std::mutex mutex;
  std::condition_variable more;
  std::string said;
  graceful::options options;
  asio::io_context io;
  asio::io_context elsewhere;
  asio::ip::tcp::socket client{elsewhere};
  std::optional<graceful::upgrader> up;
  std::optional<graceful::acceptor<asio::ip::tcp>> web;
};

}  // namespace

TEST_CASE(
    "a server that is told to end before it is ready serves the client that waits, and ends") {
  temporary_directory directory;
  asio::io_context io;
  graceful::upgrader up{io, {.control_path = directory.path("s"), .log = [](auto, auto) {}}};
  auto web = up.listen<asio::ip::tcp>("web", {asio::ip::address_v4::loopback(), 0});
  bool served = false;
  web.async_accept([&](graceful::error_code ec, const asio::ip::tcp::socket&) { served = !ec; });
  asio::io_context elsewhere;
  asio::ip::tcp::socket client{elsewhere};
  client.connect(web.local_endpoint());
  up.drain();
  up.async_wait_drain(asio::bind_executor(elsewhere, [](graceful::error_code) {}));
  elsewhere.run();
  up.ready();
  io.run_for(patience);
  CHECK(io.stopped());
  CHECK(served);
}

TEST_CASE("a process that is hurried does not wait for a queue that no loop empties") {
  queued_client q{5min};
  q.up->drain_now();
  CHECK(q.ends());
  CHECK_FALSE(q.has_said("the deadline has passed"));
}

TEST_CASE("a process waits until the deadline, and no longer, for a queue that no loop empties") {
  queued_client q{10ms, false};
  q.up->drain();
  CHECK(q.ends());
  CHECK(q.says("the deadline has passed"));
}

TEST_CASE("a client in a queue that no loop empties gets a graceful close, not a reset") {
  queued_client q{5min};
  asio::write(q.client, asio::buffer("GET / HTTP/1.1\r\n\r\n", 18));
  q.up->drain();
  boost::system::error_code how;
  std::thread client{[&] {
    char byte{};
    q.client.read_some(asio::buffer(&byte, 1), how);
    q.client.close();
  }};
  CHECK(q.ends());
  client.join();
  CHECK_MESSAGE(how == asio::error::eof, how.message());
  CHECK(q.says("1 connection waits in the accept queues: closed without an answer"));
}

TEST_CASE("an upgrader that cannot be made leaves nothing behind") {
  temporary_directory directory;
  asio::io_context io;
  pthread_attr_t before;
  pthread_attr_t too_much;
  REQUIRE(::pthread_getattr_default_np(&before) == 0);
  REQUIRE(::pthread_attr_init(&too_much) == 0);
  REQUIRE(::pthread_attr_setstacksize(&too_much, std::size_t{1} << 46) == 0);
  REQUIRE(::pthread_setattr_default_np(&too_much) == 0);  // so its thread cannot be made
  CHECK_THROWS_AS(graceful::upgrader(io, {.control_path = directory.path("s")}), std::system_error);
  REQUIRE(::pthread_setattr_default_np(&before) == 0);
  CHECK(std::filesystem::is_empty(directory.path()));
}
