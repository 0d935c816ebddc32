// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/upgrader.hpp>

#include "temporary_directory.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <optional>
#include <string>
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
  CHECK(said.get_future().wait_for(20s) == std::future_status::ready);
  CHECK_FALSE(io.stopped());
}

TEST_CASE("who waits for the drain on another context is called there, and it runs until then") {
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
