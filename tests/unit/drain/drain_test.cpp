// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "drain/drain.hpp"

#include "wire/control_messages.hpp"
#include "wire/handoff_messages.hpp"

#include "listening_peer.hpp"
#include "patience.hpp"
#include "temporary_directory.hpp"
#include "varlink_peer.hpp"

#include <boost/asio/post.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
struct drain_fixture {
  drain_fixture() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    caller = varlink_peer{unique_fd{ends[1]}};
    session = std::make_shared<control_session>(
        control, unique_fd{ends[0]}, ::getpid(), 1,
        control_session::callbacks{
            .waiting =
                [this](control_session& from) {
                  asio::post(control, [from = from.shared_from_this()] { from->take_turn(); });
                },
            .call = [this](control_session& from, auto&&) { ending.watch(from); },
            .closed = [](control_session& /*from*/) {}});
    session->start();
    REQUIRE(caller.send(R"({"method":"io.graceful.Control.Drain","more":true})"));
    control.poll();
  }

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

  /// A connection that the deadline cuts.
  graceful::connection track() { return all->track(control.get_executor(), {}); }

  /// What the process that serves hears on its connection, and answers.
  wire::report reported_on(varlink_peer& connection, bool hurry = false) {
    ending.report_to_server(7);
    const auto call = connection.receive(patience).value();
    auto answer = wire::to_message(wire::to_reply(wire::reported{hurry}));
    REQUIRE(connection.send_raw(answer));
    run_what_waits();
    return wire::parse<wire::report>(wire::parse_call(call)->parameters).value();
  }

  void run_what_waits() {
    control.restart();
    control.poll();
  }

  temporary_directory directory;
  const std::string path = directory.path("control");
  asio::io_context control;
  std::vector<std::string> logged;
  graceful::log log{
      [this](graceful::log_level, std::string_view text) { logged.emplace_back(text); }};
  std::shared_ptr<graceful::connections> all =
      std::make_shared<graceful::connections>(graceful::handoff::drain_limits{1h, 1h, 0ms});
  int seconds = 0;
  graceful::drain ending{
      control, log, *all, path, {.every_second = [this] { ++seconds; }, .cut_short = [] {}}};
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

TEST_CASE("the process that serves hears what is left, and a new one only what was not answered") {
  drain_fixture b;
  b.ending.report_to_server(7);  // nobody serves
  const auto open = b.track();
  std::optional<listening_peer> server{b.path};
  b.ending.report_to_server(7);
  {
    auto connection = server->accept(b.control);
    CHECK(connection.receive(patience));  // before anything is cut; not answered
    b.ending.hurry();
    const auto said = b.reported_on(connection);
    CHECK(said.generation == 7);
    CHECK(said.pid == ::getpid());
    CHECK(said.connections == 1);
    CHECK(said.cut == 1);
    CHECK(b.reported_on(connection).cut == 1);
  }
  b.run_what_waits();  // the connection has ended
  b.ending.report_to_server(7);
  auto next = server->accept(b.control);
  CHECK(next.receive(patience).value().find(R"("cut":0)") != std::string::npos);
  const auto late = b.track();  // cut at once
  CHECK(b.reported_on(next).cut == 1);
}

TEST_CASE("a process that the serving one tells to hurry cuts its connections, once") {
  drain_fixture b;
  const auto open = b.track();
  listening_peer server{b.path};
  b.ending.report_to_server(7);
  auto connection = server.accept(b.control);
  CHECK(connection.receive(patience));
  CHECK(b.reported_on(connection, true).cut == 0);
  CHECK(b.all->cut() == 1);
  CHECK(b.reported_on(connection, true).cut == 1);
  CHECK(std::count(b.logged.begin(), b.logged.end(),
                   "too many generations drain: the connections of this one are cut") == 1);
}
