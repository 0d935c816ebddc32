// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "drain_waiters.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>

using graceful::drain_waiters;
using graceful::error_code;
namespace asio = graceful::asio;

namespace {

struct bench {
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

TEST_CASE("a wait for the drain ends with it, later and on the executor") {
  bench b;
  b.wait();
  b.waiters->complete({});
  CHECK_FALSE(b.said);
  CHECK(b.run() == error_code{});
}

TEST_CASE("a wait that begins after the drain ends at once, but not within the call") {
  bench b;
  b.waiters->complete({});
  b.wait();
  CHECK_FALSE(b.said);
  CHECK(b.run() == error_code{});
}

TEST_CASE("a wait can be cancelled; cancelled or complete, it ends once") {
  bench b;
  b.wait();
  b.signal.emit(asio::cancellation_type::terminal);
  CHECK(b.run() == asio::error::operation_aborted);
  b.said.reset();
  b.waiters->complete({});
  CHECK_FALSE(b.run());
  b.signal.emit(asio::cancellation_type::terminal);
  CHECK_FALSE(b.run());
}
