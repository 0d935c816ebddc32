// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "drain/connections.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

using graceful::connection;
using graceful::connections;
using graceful::drain_stage;
namespace asio = graceful::asio;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

namespace {

/// A process with connections, and its own time.
struct tracked_fixture {
  connection track() {
    return all->track(io.get_executor(), [this](drain_stage stage) {
      said += stage == drain_stage::draining          ? "draining "
              : stage == drain_stage::idle_grace_over ? "idle "
                                                      : "deadline ";
    });
  }

  std::string told() {
    io.restart();
    io.poll();
    return std::exchange(said, {});
  }

  std::string advance(clock_type::duration to) {
    all->advance(begin + to);
    return told();
  }

  void drain() {
    all->begin(begin);
    all->advance(begin);
  }

  void drain_late() { all->begin(begin); }

  asio::io_context io;
  clock_type::time_point begin = clock_type::now();
  std::shared_ptr<connections> all = std::make_shared<connections>(
      graceful::handoff::drain_limits{.timeout = 30s, .idle_grace = 5s, .spread = 0s});
  std::string said;
};

}  // namespace

TEST_CASE("a connection counts until it is destroyed or assigned to") {
  tracked_fixture b;
  connection kept;
  {
    auto first = b.track();
    auto second = b.track();
    CHECK(b.all->open() == 2);
    kept = std::move(first);
    CHECK(b.all->open() == 2);
  }
  CHECK(b.all->open() == 1);
  kept = b.track();
  CHECK(b.all->open() == 1);
  kept = {};
  CHECK(b.all->open() == 0);
}

TEST_CASE("a busy connection is told that the process drains, and when the deadline has passed") {
  tracked_fixture b;
  const auto c = b.track();
  CHECK_FALSE(c.draining());
  b.drain();
  CHECK(c.draining());
  CHECK(b.told() == "draining ");
  CHECK(b.advance(5s).empty());
  CHECK(b.all->cut() == 0);
  CHECK(b.advance(30s) == "deadline ");
  CHECK(b.all->cut() == 1);
  CHECK(b.advance(31s).empty());
  CHECK(b.all->cut() == 1);
}

TEST_CASE("an idle connection is told when its grace is over") {
  tracked_fixture b;
  auto c = b.track();
  c.idle(true);
  b.drain();
  CHECK(b.told() == "draining ");
  CHECK(b.advance(4s).empty());
  CHECK(b.advance(5s) == "idle ");
}

TEST_CASE("a connection that becomes idle after its grace is told then, each time") {
  tracked_fixture b;
  auto c = b.track();
  b.drain();
  b.advance(5s);
  c.idle(true);
  CHECK(b.told() == "idle ");
  c.idle(true);
  CHECK(b.told().empty());
  c.idle(false);
  c.idle(true);
  CHECK(b.told() == "idle ");
}

TEST_CASE("a connection that is busy again when its turn comes is not told") {
  tracked_fixture b;
  auto c = b.track();
  c.idle(true);
  b.drain();
  b.told();
  b.all->advance(b.begin + 5s);
  c.idle(false);  // the handler has been posted
  CHECK(b.told().empty());
}

TEST_CASE("a connection that is destroyed before its handler ran is told nothing") {
  tracked_fixture b;
  auto c = b.track();
  b.drain();
  c = {};
  CHECK(b.told().empty());
}

TEST_CASE("a connection that is tracked during a drain is told at once, even after the deadline") {
  tracked_fixture b;
  b.drain();
  const auto late = b.track();
  CHECK(b.told() == "draining ");
  b.all->hurry(clock_type::now());
  b.all->advance(clock_type::now());
  CHECK(b.told() == "deadline ");
  const auto later = b.track();
  CHECK(b.told() == "deadline ");
  CHECK(b.all->cut() == 2);
}

TEST_CASE("a handler may destroy its own connection") {
  tracked_fixture b;
  auto c = std::make_unique<connection>();
  *c = b.all->track(b.io.get_executor(), [&c, note = std::string(100, 'x')](drain_stage) {
    c.reset();
    CHECK(note.size() == 100);
  });
  b.drain();
  b.told();
  CHECK_FALSE(c);
  CHECK(b.all->open() == 0);
}

TEST_CASE("a connection may outlive the process's list, and a handler the connection") {
  tracked_fixture b;
  auto c = b.track();
  b.drain();
  b.all.reset();
  CHECK(c.draining());
  CHECK(b.told() == "draining ");
  c.idle(true);
}

TEST_CASE("a wait for a stage is destroyed with its context, even if it owns the connection") {
  auto b = std::make_unique<tracked_fixture>();
  auto session = std::make_shared<connection>(b->track());
  const std::weak_ptr<connection> alive = session;
  session->async_wait(drain_stage::draining, [session](auto) {});
  session.reset();
  CHECK_FALSE(alive.expired());
  b.reset();
  CHECK(alive.expired());
}

TEST_CASE("an empty connection does nothing") {
  connection none;
  none.idle(true);
  CHECK_FALSE(none.draining());
}

TEST_CASE(
    "a connection that is tracked between the deadline and its announcement is told of it once") {
  tracked_fixture b;
  b.begin -= 40s;  // the deadline has passed, and has not been noticed yet
  b.drain_late();
  const auto c = b.track();
  CHECK(b.advance(40s).ends_with("deadline "));
  CHECK(b.all->cut() == 1);
  CHECK(b.advance(41s).empty());
  const auto late = b.track();
  CHECK(b.told() == "deadline ");
  CHECK(b.all->cut() == 2);
}

TEST_CASE("a stage can be awaited several times, at any time") {
  tracked_fixture b;
  std::string heard;
  connection kept = b.track();
  const auto hear = [&](const char* what) {
    return [&heard, what](graceful::error_code ec) {
      heard += what;
      heard += ec ? "! " : " ";
    };
  };
  kept.async_wait(drain_stage::draining, hear("draining"));
  kept.async_wait(drain_stage::deadline, hear("deadline"));
  b.told();
  CHECK(heard.empty());
  b.drain();
  b.told();
  CHECK(heard == "draining ");
  kept.async_wait(drain_stage::draining, hear("again"));
  CHECK(heard == "draining ");
  b.told();
  CHECK(heard == "draining again ");
  b.advance(30s);
  CHECK(heard == "draining again deadline ");
}

TEST_CASE("a wait ends with an error if it is cancelled or its connection is destroyed") {
  tracked_fixture b;
  std::string heard;
  const auto hear = [&](graceful::error_code ec) {
    heard += ec == asio::error::operation_aborted ? "aborted " : "? ";
  };
  asio::cancellation_signal cancel;
  {
    connection short_lived = b.track();
    short_lived.async_wait(drain_stage::draining, hear);
    short_lived.async_wait(drain_stage::draining,
                           asio::bind_cancellation_slot(cancel.slot(), hear));
    cancel.emit(asio::cancellation_type::total);
    b.told();
    CHECK(heard == "aborted ");
  }
  b.told();
  CHECK(heard == "aborted aborted ");
}
