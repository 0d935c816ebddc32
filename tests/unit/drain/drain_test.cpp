// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "drain/drain.hpp"

#include "wire/control_messages.hpp"

#include "patience.hpp"
#include "varlink_peer.hpp"

#include <boost/asio/post.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

using namespace graceful_test;
using namespace std::chrono_literals;
using graceful::control_session;
using graceful::drain_progress;
using graceful::unique_fd;
namespace asio = graceful::asio;
namespace wire = graceful::wire;

namespace {

/// A drain, and a caller that watches it.
struct drain_fixture : control_session::owner {
  drain_fixture() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    caller = varlink_peer{unique_fd{ends[1]}};
    control_session::owner& by = *this;
    session = std::make_shared<control_session>(control, unique_fd{ends[0]}, ::getpid(), 1, by);
    session->start();
    REQUIRE(caller.send(R"({"method":"io.graceful.Control.Drain","more":true})"));
    control.poll();
  }

  void on_waiting(control_session& from) override {
    asio::post(control, [caller = from.shared_from_this()] { caller->take_turn(); });
  }
  void on_call(control_session& from, wire::call /*call*/) override { ending.watch(from); }
  void on_closed(control_session& /*from*/) override {}

  struct answer {
    drain_progress said;
    bool last;
  };
  answer next() {
    for (const deadline until{patience}; !until.passed();) {
      if (const auto text = caller.receive(0ms)) {
        const auto reply = wire::parse_reply(*text);
        return {wire::parse<graceful::drain_progress>(reply->parameters).value(),
                !reply->continues};
      }
      control.restart();
      control.run_for(1ms);
    }
    FAIL("nothing is said");
    return {};
  }

  asio::io_context control;
  graceful::log quiet{[](auto, auto) {}};
  std::shared_ptr<graceful::connections> all =
      std::make_shared<graceful::connections>(graceful::handoff::drain_limits{1h, 1h, 0ms});
  int seconds = 0;
  graceful::drain ending{
      control, quiet, *all, {.every_second = [this] { ++seconds; }, .cut_short = [] {}}};
  varlink_peer caller{unique_fd{}};
  std::shared_ptr<control_session> session;
};

}  // namespace

TEST_CASE("before a drain begins, its watchers get reports without elapsed time") {
  drain_fixture b;
  for (int i = 0; i < 2; ++i) {
    const auto answer = b.next();
    CHECK(answer.said.phase == "draining");
    CHECK(answer.said.elapsed == 0ms);
    CHECK_FALSE(answer.last);
  }
  CHECK(b.seconds == 0);
  b.ending.begin();
  const auto begun = b.next();
  CHECK(begun.said.phase == "draining");
  CHECK(begun.said.elapsed >= 900ms);  // a second after its begin
  CHECK(begun.said.elapsed < patience);
  CHECK(b.seconds >= 1);
  b.ending.finish();
  const auto last = b.next();
  CHECK(last.said.phase == "drained");
  CHECK(last.said.elapsed >= begun.said.elapsed);
  CHECK(last.last);
}

TEST_CASE("the watcher of a drain is told of the end, even if the drain never began") {
  drain_fixture b;
  CHECK(b.next().said.phase == "draining");
  b.ending.finish();
  const auto last = b.next();
  CHECK(last.said.phase == "drained");
  CHECK(last.said.elapsed == 0ms);
  CHECK(last.last);
}
