// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "listen/listener_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>

#include <doctest/doctest.h>

#include <array>
#include <optional>

using namespace graceful_test;
using asio::cancellation_type;
using graceful::error_code;

namespace {

struct cancellable {
  asio::cancellation_signal signal;
  std::optional<error_code> result;

  void start(graceful::acceptor<tcp>& acceptor) {
    result.reset();
    acceptor.async_accept(asio::bind_cancellation_slot(
        signal.slot(), [this](error_code ec, auto /*socket*/) { result = ec; }));
  }
  [[nodiscard]] bool aborted() const { return result == asio::error::operation_aborted; }
  [[nodiscard]] bool accepted() const { return result == error_code{}; }
};

}  // namespace

TEST_CASE("each kind of cancellation ends the operation, and only that one") {
  for (const auto type :
       {cancellation_type::terminal, cancellation_type::partial, cancellation_type::total}) {
    open_web web;
    std::array<cancellable, 3> all;
    for (auto& c : all) c.start(web.acceptor);
    web.context.poll();
    all[1].signal.emit(type);
    CHECK_FALSE(all[1].result);  // never from within emit()
    CHECK(web.run_until([&] { return all[1].aborted(); }));
    CHECK_FALSE(all[0].result);
    CHECK_FALSE(all[2].result);
    const auto first = web.connect();
    const auto second = web.connect();
    CHECK(web.run_until([&] { return all[0].accepted() && all[2].accepted(); }));
  }
}

TEST_CASE("an accept that is cancelled before open() is aborted too") {
  asio::io_context context;
  listening web{context.get_executor()};
  cancellable c;
  c.start(web.acceptor);
  c.signal.emit(cancellation_type::total);
  CHECK(run_until(context, [&] { return c.aborted(); }));
}

TEST_CASE("a cancellation of type none ends nothing") {
  open_web web;
  cancellable c;
  c.start(web.acceptor);
  c.signal.emit(cancellation_type::none);
  web.context.poll();
  CHECK_FALSE(c.result);
  const auto client = web.connect();
  CHECK(web.run_until([&] { return c.accepted(); }));
}

TEST_CASE("a connection that arrives as the operation is cancelled goes to the next one") {
  open_web web;
  for (int round = 0; round < 100; ++round) {
    cancellable c;
    c.start(web.acceptor);
    web.context.restart();
    web.context.poll();
    const auto client = web.connect();
    REQUIRE(web.wait_for_queue(1));
    c.signal.emit(cancellation_type::terminal);
    REQUIRE(web.run_until([&] { return c.aborted(); }));
    REQUIRE(web.queue() == 1);
    c.start(web.acceptor);
    REQUIRE(web.run_until([&] { return c.accepted(); }));
    REQUIRE(web.queue() == 0);
  }
}

TEST_CASE("a cancellation that comes too late does not lose the connection") {
  open_web web;
  const auto client = web.connect();
  REQUIRE(web.wait_for_queue(1));
  cancellable c;
  c.start(web.acceptor);  // the connection has been accepted, and the handler posted
  c.signal.emit(cancellation_type::terminal);
  CHECK(web.run_until([&] { return c.accepted(); }));
}

TEST_CASE("a cancellation after the end does nothing, not even to the next operation") {
  open_web web;
  cancellable first;
  cancellable second;
  first.start(web.acceptor);
  const auto client = web.connect();
  REQUIRE(web.run_until([&] { return first.accepted(); }));
  second.start(web.acceptor);
  first.signal.emit(cancellation_type::terminal);
  web.context.restart();
  web.context.poll();
  CHECK_FALSE(second.result);
  web.home->stop();
  second.signal.emit(cancellation_type::terminal);
  CHECK(web.run_until([&] { return second.aborted(); }));
}

TEST_CASE("a cancellation slot may outlive the listener") {
  asio::io_context context;
  cancellable c;
  {
    listening web{context.get_executor()};
    c.start(web.acceptor);
  }
  c.signal.emit(cancellation_type::terminal);
  CHECK(run_until(context, [&] { return c.aborted(); }));
}
