// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "listen/listener_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

using namespace graceful_test;
using graceful::error_code;

namespace {

/// The result of an operation.
struct outcome {
  std::optional<error_code> error;
  auto handler() {
    return [this](error_code ec, auto&&...) { error = ec; };
  }
};

void check_closed(graceful::acceptor<tcp>& acceptor, asio::io_context& context) {
  error_code ec;
  CHECK_FALSE(acceptor.is_open());
  CHECK(acceptor.native_handle() == -1);
  CHECK(acceptor.name().empty());
  CHECK(acceptor.local_endpoint() == tcp::endpoint{});
  CHECK(acceptor.local_endpoint(ec) == tcp::endpoint{});
  CHECK(ec == asio::error::bad_descriptor);
  CHECK(acceptor.cancel(ec) == asio::error::bad_descriptor);
  CHECK_THROWS_AS(acceptor.cancel(), boost::system::system_error);
  CHECK(acceptor.set_option(tcp::acceptor::reuse_address{true}, ec) == asio::error::bad_descriptor);
  CHECK_FALSE(acceptor.accept(ec).is_open());
  CHECK(ec == asio::error::bad_descriptor);
  CHECK_THROWS_AS(acceptor.wait(acceptor.wait_read), boost::system::system_error);
  CHECK_FALSE(acceptor.close(ec));
  outcome accept;
  outcome wait;
  acceptor.async_accept(accept.handler());
  acceptor.async_wait(acceptor.wait_read, wait.handler());
  CHECK_FALSE(accept.error);  // never from within the call
  context.restart();
  context.poll();
  CHECK(accept.error == asio::error::bad_descriptor);
  CHECK(wait.error == asio::error::bad_descriptor);
}

}  // namespace

TEST_CASE("an acceptor is closed until it listens") {
  asio::io_context context;
  graceful::acceptor<tcp> acceptor{context};
  check_closed(acceptor, context);
}

TEST_CASE("an acceptor that was moved from is closed, and keeps its executor") {
  open_web web;
  auto taken = std::move(web.acceptor);
  CHECK(taken.is_open());
  check_closed(web.acceptor, web.context);
  CHECK(web.acceptor.get_executor() == web.context.get_executor());
  web.acceptor = std::move(taken);
  CHECK(web.acceptor.is_open());
  check_closed(taken, web.context);
}

TEST_CASE("the peer's address is returned, however the connection is accepted") {
  open_web web;
  tcp::socket socket{web.context};
  tcp::endpoint from;
  SUBCASE("into a new socket") {
    web.acceptor.async_accept(from, [&](error_code ec, tcp::socket peer) {
      CHECK_FALSE(ec);
      socket = std::move(peer);
    });
  }
  SUBCASE("on an executor") {
    web.acceptor.async_accept(web.context.get_executor(), from, [&](error_code ec, auto peer) {
      CHECK_FALSE(ec);
      socket = std::move(peer);
    });
  }
  SUBCASE("into a socket that exists") {
    web.acceptor.async_accept(socket.lowest_layer(), from, [](error_code ec) { CHECK_FALSE(ec); });
  }
  const auto client = web.connect();
  REQUIRE(web.run_until([&] { return socket.is_open(); }));
  CHECK(from.port() == address_of(client).port());
  CHECK(from == socket.remote_endpoint());
}

TEST_CASE("an accept into an open socket is refused, and costs no connection") {
  open_web web;
  const auto client = web.connect();
  REQUIRE(web.wait_for_queue(1));
  tcp::socket socket{web.context, tcp::v4()};
  outcome refused;
  web.acceptor.async_accept(socket, refused.handler());
  REQUIRE(web.run_until([&] { return refused.error.has_value(); }));
  CHECK(refused.error == asio::error::already_open);
  error_code ec;
  CHECK(web.acceptor.accept(socket, ec) == asio::error::already_open);
  CHECK(web.queue() == 1);
}

TEST_CASE("a wait completes when a connection could be accepted, and leaves it in the queue") {
  asio::io_context context;
  listening web{context.get_executor()};
  outcome first;
  outcome second;
  web.acceptor.async_wait(web.acceptor.wait_read, first.handler());
  const auto client = web.connect();
  REQUIRE(web.wait_for_queue(1));
  context.poll();
  CHECK_FALSE(first.error);  // not before this process accepts
  web.home->open();
  REQUIRE(run_until(context, [&] { return first.error.has_value(); }));
  CHECK(first.error == error_code{});
  CHECK(web.queue() == 1);
  web.acceptor.async_wait(web.acceptor.wait_read, second.handler());
  REQUIRE(run_until(context, [&] { return second.error.has_value(); }));
  outcome accept;
  web.acceptor.async_accept(accept.handler());
  REQUIRE(run_until(context, [&] { return accept.error.has_value(); }));
  CHECK(accept.error == error_code{});
}

TEST_CASE("a wait that no event completes is ended by cancellation, and when the acceptor stops") {
  open_web web;
  asio::cancellation_signal signal;
  outcome first;
  outcome second;
  outcome third;
  web.acceptor.async_wait(web.acceptor.wait_write,
                          asio::bind_cancellation_slot(signal.slot(), first.handler()));
  web.acceptor.async_wait(web.acceptor.wait_error, second.handler());
  web.context.poll();
  CHECK_FALSE(first.error);
  signal.emit(asio::cancellation_type::total);
  REQUIRE(web.run_until([&] { return first.error.has_value(); }));
  CHECK(first.error == asio::error::operation_aborted);
  CHECK_FALSE(second.error);
  web.acceptor.cancel();
  REQUIRE(web.run_until([&] { return second.error.has_value(); }));
  web.acceptor.async_wait(web.acceptor.wait_read, third.handler());
  web.home->stop();
  REQUIRE(web.run_until([&] { return third.error.has_value(); }));
  CHECK(third.error == asio::error::operation_aborted);
  CHECK(web.context.run() == 0);  // nothing keeps the context running
}

TEST_CASE("options are those of the socket") {
  asio::io_context context;
  listening web{context.get_executor()};
  web.acceptor.set_option(tcp::acceptor::receive_buffer_size{65'536});
  tcp::acceptor::receive_buffer_size size;
  web.acceptor.get_option(size);
  CHECK(size.value() == 65'536);
  web.acceptor.set_option(tcp::acceptor::enable_connection_aborted{true});
  CHECK(web.acceptor.native_handle() == web.body->socket()->fd.get());
  web.acceptor.close();
  error_code ec;
  CHECK(web.acceptor.get_option(size, ec) == asio::error::bad_descriptor);
  CHECK_FALSE(web.acceptor.cancel(ec));  // for a server that hands over this is not an error
}

TEST_CASE("an accept loop that goes on after any error still ends, and does not spin") {
  open_web web;
  std::size_t calls = 0;
  const auto alive = std::make_shared<int>();
  std::function<void()> next = [&] {
    web.acceptor.async_accept([&, alive](error_code, const tcp::socket&) {
      ++calls;
      next();
    });
  };
  next();
  web.context.poll();
  web.home->stop();
  REQUIRE(web.context.run_for(std::chrono::seconds{10}) > 0);
  CHECK(web.context.stopped());
  CHECK(calls > 100);
  CHECK(calls < 2'000);
  CHECK(alive.use_count() == 1);  // the last handler was destroyed
}

TEST_CASE("waiting operations are aborted when the last copy of an acceptor is destroyed") {
  open_web web;
  outcome accept;
  outcome wait;
  std::optional<graceful::acceptor<tcp>> copy{web.acceptor};
  web.acceptor = graceful::acceptor<tcp>{web.context};
  copy->async_accept(accept.handler());
  copy->async_wait(copy->wait_read, wait.handler());
  web.context.poll();
  CHECK_FALSE(accept.error);
  copy.reset();
  REQUIRE(web.run_until([&] { return accept.error && wait.error; }));
  CHECK(accept.error == asio::error::operation_aborted);
  CHECK(wait.error == asio::error::operation_aborted);
}
