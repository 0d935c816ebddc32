// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "service/supervisor_link.hpp"

#include "listening_peer.hpp"
#include "temporary_directory.hpp"

#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>

using namespace graceful_test;
using graceful::supervisor_link;

namespace {

struct supervisor_link_fixture {
  /// Asks, and notes the answer when it comes.
  void ask() {
    link.ask_release([this](bool is_released) { released = is_released; });
  }

  temporary_directory directory;
  const std::string path = directory.path("supervisor");
  boost::asio::io_context io;
  int found_again = 0;
  std::optional<bool> released;
  supervisor_link link{io, path, {.found_again = [this] { ++found_again; }}};
};

}  // namespace

TEST_CASE("the supervisor that a service met first knows it, and the next one is found again") {
  supervisor_link_fixture b;
  std::optional<listening_peer> supervisor{b.path};
  b.link.start();
  {
    const auto first = supervisor->accept(b.io);
    CHECK(b.link.connected());
    supervisor.reset();
  }
  run_until(b.io, [&] { return !b.link.connected(); });
  CHECK(b.link.met());
  CHECK(b.found_again == 0);
  supervisor.emplace(b.path);
  const auto next = supervisor->accept(b.io);
  CHECK(b.link.connected());
  CHECK(b.found_again == 1);
}

TEST_CASE("a supervisor that comes later than its service is found") {
  supervisor_link_fixture b;
  b.link.start();
  CHECK_FALSE(b.link.met());
  listening_peer supervisor{b.path};
  const auto connection = supervisor.accept(b.io);
  CHECK(b.link.met());
  CHECK(b.found_again == 1);
}

TEST_CASE("a supervisor that says nothing is not waited for longer than a second") {
  supervisor_link_fixture b;
  listening_peer supervisor{b.path};
  b.link.start();
  auto connection = supervisor.accept(b.io);
  b.ask();
  CHECK(connection.receive(patience) == R"({"method":"io.graceful.Supervisor.Release"})");
  CHECK_FALSE(b.released);
  run_until(b.io, [&] { return b.released.has_value(); });
  CHECK(b.released == false);
}

TEST_CASE("a link that is stopped answers nothing more, and looks for no supervisor") {
  supervisor_link_fixture b;
  std::optional<listening_peer> supervisor{b.path};
  b.link.start();
  auto connection = supervisor->accept(b.io);
  b.ask();
  REQUIRE(connection.send(R"({"parameters":{"released":true}})"));
  b.link.stop();
  b.io.restart();
  b.io.run_for(patience);
  CHECK(b.io.stopped());  // nothing is left to wait for
  CHECK_FALSE(b.released);
  CHECK_FALSE(b.link.connected());
  CHECK_FALSE(supervisor->somebody_waits());
}

TEST_CASE("where there is no supervisor, nothing is connected, and no answer is waited for") {
  boost::asio::io_context io;
  supervisor_link none{io, "", {.found_again = [] { FAIL_CHECK("there is none"); }}};
  none.start();
  std::optional<bool> released;
  none.ask_release([&](bool is_released) { released = is_released; });
  CHECK(released == false);
  CHECK_FALSE(none.connected());
  CHECK(io.run() == 0);
}
