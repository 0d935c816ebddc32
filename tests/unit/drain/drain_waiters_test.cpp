// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "drain/drain_waiters.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>

using graceful::drain_waiters;
using graceful::error_code;
namespace asio = graceful::asio;

namespace {

struct drain_waiters_fixture {
  asio::io_context io;
  std::shared_ptr<drain_waiters> waiters = std::make_shared<drain_waiters>(io.get_executor());
  asio::cancellation_signal signal;
  std::optional<error_code> said{};

  void wait() {
    waiters->wait(
        asio::bind_cancellation_slot(signal.slot(), [this](error_code ec) { said = ec; }));
  }
  std::optional<error_code> run() {
    io.restart();
    io.run();
    return said;
  }
};

}  // namespace

TEST_CASE("a wait for the drain completes with it, later and on the executor") {
  drain_waiters_fixture b;
  b.wait();
  b.waiters->complete({});
  CHECK_FALSE(b.said);
  CHECK(b.run() == error_code{});
}

TEST_CASE("a wait that begins after the drain completes at once, but not within the call") {
  drain_waiters_fixture b;
  b.waiters->complete({});
  b.wait();
  CHECK_FALSE(b.said);
  CHECK(b.run() == error_code{});
}

TEST_CASE("the result of the drain is the first one that was given") {
  drain_waiters_fixture b;
  b.waiters->complete({});
  b.waiters->complete(asio::error::operation_aborted);
  b.wait();
  CHECK(b.run() == error_code{});
}

TEST_CASE("cancelling one wait does not end another") {
  drain_waiters_fixture b;
  std::optional<error_code> other;
  b.waiters->wait([&](error_code ec) { other = ec; });
  b.wait();
  b.signal.emit(asio::cancellation_type::total);
  CHECK(b.run() == asio::error::operation_aborted);
  CHECK_FALSE(other);
  b.waiters->complete({});
  b.run();
  CHECK(other == error_code{});
}

TEST_CASE("a cancellation of type none, or after the upgrader has gone, has no effect") {
  drain_waiters_fixture b;
  b.wait();
  b.signal.emit(asio::cancellation_type::none);
  CHECK_FALSE(b.run());
  b.waiters.reset();
  b.signal.emit(asio::cancellation_type::terminal);
  CHECK_FALSE(b.run());
}

TEST_CASE("a handler's own executor is kept running until it calls the handler itself") {
  for (const bool cancelled : {false, true}) {
    CAPTURE(cancelled);
    drain_waiters_fixture b;
    asio::io_context other;
    std::optional<error_code> said;
    b.waiters->wait(
        asio::bind_cancellation_slot(b.signal.slot(),
                                     asio::bind_executor(other, [&](error_code ec) { said = ec; })),
        other.get_executor());
    other.poll();
    CHECK_FALSE(other.stopped());
    if (cancelled) {
      b.signal.emit(asio::cancellation_type::terminal);
    } else {
      b.waiters->complete({});
    }
    // The upgrader's context does not run: it may have ended.
    other.run_for(std::chrono::seconds{10});
    REQUIRE(said);
    CHECK(*said == (cancelled ? error_code{asio::error::operation_aborted} : error_code{}));
    CHECK(other.stopped());
  }
}

TEST_CASE("a wait does not keep the upgrader's executor running") {
  drain_waiters_fixture b;
  b.waiters->wait([](error_code) {}, b.io.get_executor());
  CHECK_FALSE(b.run());
  CHECK(b.io.stopped());
}

TEST_CASE("a wait can be cancelled; cancelled or complete, it ends once") {
  drain_waiters_fixture b;
  b.wait();
  b.signal.emit(asio::cancellation_type::terminal);
  CHECK(b.run() == asio::error::operation_aborted);
  b.said.reset();
  b.waiters->complete({});
  CHECK_FALSE(b.run());
  b.signal.emit(asio::cancellation_type::terminal);
  CHECK_FALSE(b.run());
}
