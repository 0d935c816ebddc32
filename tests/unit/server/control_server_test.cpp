// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What the control socket of a server answers to whatever a peer sends there.
#include <graceful/control_client.hpp>
#include <graceful/upgrader.hpp>

#include "patience.hpp"
#include "temporary_directory.hpp"
#include "varlink_peer.hpp"

#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <future>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

using namespace graceful_test;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

graceful::options at(const std::string& path) {
  return {.control_path = path, .probation = 0ms, .log = [](auto, auto) {}};
}

struct ready_server {
  ready_server() { up->ready(); }

  varlink_peer monitor() {
    auto peer = varlink_peer::connect(path);
    ask_to_monitor(peer);
    return peer;
  }

  static void ask_to_monitor(varlink_peer& peer) {
    REQUIRE(peer.send(R"({"method":"io.graceful.Control.Monitor","more":true})"));
  }

  temporary_directory directory;
  const std::string path = directory.path("s");
  asio::io_context io;
  std::optional<graceful::upgrader> up{std::in_place, io, at(path)};
};

bool contains(const std::string& text, std::string_view what) {
  return text.find(what) != text.npos;
}

std::string next(varlink_peer& peer) { return peer.receive(patience).value_or("nothing"); }

}  // namespace

TEST_CASE("a parameter of a wrong type is refused by its name, and the next call is answered") {
  struct wrong_call {
    const char* method;
    const char* parameters;
    const char* named;
  };
  constexpr std::array calls{
      wrong_call{"Control.Drain", R"({"now":1})", "now"},
      wrong_call{"Control.Rollback", R"({"reason":1})", "reason"},
      wrong_call{"Control.Commit", R"({"reason":1})", "reason"},
      wrong_call{"Control.Watch", R"({"supervisor":1})", "supervisor"},
      wrong_call{"Control.Upgrade", R"({"command":1})", "command, environment or timeout_ms"},
      wrong_call{"Control.Plan", R"({"command":1})", "command, environment or timeout_ms"},
      wrong_call{"Handoff.Report", R"({"pid":"x"})", "generation, pid or connections"}};
  const ready_server s;
  auto peer = varlink_peer::connect(s.path);
  for (const auto& each : calls) {
    REQUIRE(peer.send(std::string{R"({"method":"io.graceful.)"} + each.method +
                      R"(","parameters":)" + each.parameters + "}"));
    const auto answer = next(peer);
    INFO(each.method, " ", answer);
    CHECK(contains(answer, "org.varlink.service.InvalidParameter"));
    CHECK(contains(answer, std::string{R"("parameter":")"} + each.named + '"'));
  }
  REQUIRE(peer.send(R"({"method":"io.graceful.Control.Status"})"));
  CHECK(contains(next(peer), R"("state":"serving")"));
}

TEST_CASE("a Monitor call that takes only one answer is refused") {
  const ready_server s;
  auto peer = varlink_peer::connect(s.path);
  REQUIRE(peer.send(R"({"method":"io.graceful.Control.Monitor"})"));
  CHECK(contains(next(peer), "org.varlink.service.ExpectedMore"));
}

TEST_CASE("monitors leave room for others: one too many is refused, until another has gone") {
  ready_server s;
  std::list<varlink_peer> monitors;
  for (int i = 0; i < 32; ++i) {
    monitors.push_back(s.monitor());
    CHECK(contains(next(monitors.back()), R"("event":"watching")"));
  }
  auto surplus = s.monitor();
  CHECK(contains(next(surplus), "32 Monitor calls are under way"));
  monitors.pop_front();
  const deadline until{patience};
  std::string answer;
  do {
    s.ask_to_monitor(surplus);
    answer = next(surplus);
  } while (!contains(answer, "watching") && !until.passed());
  CHECK(contains(answer, R"("event":"watching")"));
}

TEST_CASE("a monitor hears that the process drains, and at last that it ends") {
  ready_server s;
  auto peer = s.monitor();
  CHECK(contains(next(peer), "the server is serving"));
  s.up->drain();
  CHECK(contains(next(peer), R"("event":"draining")"));
  s.up.reset();
  const auto last = next(peer);
  CHECK(contains(last, R"("event":"ended")"));
  CHECK_FALSE(contains(last, "continues"));
}

TEST_CASE("who monitors a process only after its handover hears at once that another serves") {
  ready_server s;
  auto early = s.monitor();
  auto late = varlink_peer::connect(s.path);
  REQUIRE(late.send(R"({"method":"io.graceful.Control.Status"})"));
  CHECK(contains(next(late), "serving"));  // this process has the connection, not its successor
  auto options = at(s.path);
  options.takeover = true;
  graceful::upgrader successor{s.io, std::move(options)};
  auto ran = std::async(std::launch::async, [&] { s.io.run(); });
  const std::unique_ptr<asio::io_context, void (*)(asio::io_context*)> at_last{
      &s.io, [](asio::io_context* io) { io->stop(); }};
  successor.ready();
  std::string last;
  do last = next(early);
  while (contains(last, "continues"));
  CHECK(contains(last, R"("event":"handed_over")"));
  s.ask_to_monitor(late);
  CHECK(contains(next(late), R"("event":"watching")"));
  CHECK(next(late) == last);
}
