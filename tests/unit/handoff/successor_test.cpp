// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/action_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

using namespace graceful_test;

namespace {

event::replied begin_reply(std::uint64_t descriptors, std::int64_t version = 1) {
  return {wire::to_reply(wire::begun{version, 7, "web", descriptors}), 0, false};
}

event::replied batch(std::uint64_t first, std::uint64_t count) {
  std::vector<std::string> names;
  for (auto i = first; i < first + count; ++i) names.push_back("l" + std::to_string(i));
  return {wire::to_reply(wire::batch{first, std::move(names)}), count, false};
}

event::replied error(std::string name) {
  return {wire::reply{.parameters = {{"message", "because"}}, .error = std::move(name)}, 0, false};
}

struct successor_ladder {
  graceful::handoff::successor machine{"t"};
  std::string on(const graceful::handoff::successor_event& e) { return to_text(machine.resume(e)); }
};

/// A successor that waits for the reply to Begin, to Fetch (of 2), to Ready.
std::vector<successor_ladder> waiting() {
  successor_ladder s;
  std::vector<successor_ladder> all;
  s.on(event::connected{});
  all.push_back(s);
  s.on(begin_reply(2));
  all.push_back(s);
  s.on(batch(0, 2));
  s.on(event::initialised{});
  all.push_back(s);
  return all;
}

std::string sentence(graceful::handoff::successor& machine,
                     const graceful::handoff::successor_event& e) {
  return std::get<action::abandon>(machine.resume(e)).why.message;
}

}  // namespace

TEST_CASE("a successor calls Begin, Fetch and Ready, and then serves") {
  successor_ladder s;
  CHECK(s.on(event::connected{}) == "send(Begin)");
  CHECK(s.on(begin_reply(3)) == "send(Fetch 0)");
  CHECK(s.machine.offer().generation == 7);
  CHECK(s.machine.offer().name == "web");
  CHECK(s.on(batch(0, 3)) == "keep(3, complete)");
  CHECK(s.on(event::initialised{}) == "send(Ready)");
  CHECK(s.on(event::replied{{}, 0, false}) == "serve");
}

TEST_CASE("a successor keeps the durations of the phases that the predecessor sends") {
  successor_ladder s;
  s.on(event::connected{});
  s.on(begin_reply(3));
  s.on(batch(0, 3));
  s.on(event::initialised{});
  CHECK(s.machine.durations().empty());
  const wire::phase_durations measured{{"ready", std::chrono::microseconds{5}}};
  CHECK(s.on(event::replied{wire::to_reply(wire::readied{measured}), 0, false}) == "serve");
  CHECK(s.machine.durations() == measured);
}

TEST_CASE("Begin carries the token if there is one, and the version spoken") {
  for (const std::string token : {"", "t"}) {
    graceful::handoff::successor s{token};
    const auto first = s.resume(event::connected{});
    const auto message = wire::parse<wire::begin>(std::get<action::send>(first).message.parameters);
    REQUIRE(message);
    CHECK(message->token == token);
    CHECK(message->versions == std::vector<std::int64_t>{1});
  }
}

TEST_CASE("descriptors are fetched until all have arrived, whatever the size of a batch") {
  for (const std::uint64_t total : {2U, 253U, 254U, 1000U}) {
    for (const std::uint64_t size : {1U, 100U, 253U, 1000U}) {
      successor_ladder s;
      s.on(event::connected{});
      CHECK(s.on(begin_reply(total)) == "send(Fetch 0)");
      for (std::uint64_t first = 0; first < total; first += size) {
        const auto count = std::min(size, total - first);
        const auto next = first + count;
        CHECK(s.on(batch(first, count)) ==
              "keep(" + std::to_string(count) + ", " +
                  (next == total ? "complete" : "Fetch " + std::to_string(next)) + ")");
      }
      CHECK(s.on(event::initialised{}) == "send(Ready)");
    }
  }
}

TEST_CASE("an offer is accepted from 2 descriptors, lock and control socket, to a million") {
  for (const std::uint64_t wrong : {0ULL, 1ULL, 1'000'001ULL, 1ULL << 62}) {
    CHECK(successor_ladder{waiting()[0]}.on(begin_reply(wrong)) == "abandon(protocol_violation)");
  }
  CHECK(successor_ladder{waiting()[0]}.on(begin_reply(1'000'000)) == "send(Fetch 0)");
}

TEST_CASE("a reply to Begin with negative or missing fields is a violation") {
  for (const char* key : {"version", "generation", "name", "descriptors"}) {
    auto reply = begin_reply(2);
    reply.message.parameters.erase(key);
    CHECK(successor_ladder{waiting()[0]}.on(reply) == "abandon(protocol_violation)");
  }
  auto reply = begin_reply(2);
  reply.message.parameters["descriptors"] = -1;
  CHECK(successor_ladder{waiting()[0]}.on(reply) == "abandon(protocol_violation)");
}

TEST_CASE("a version that the successor does not speak is refused, and both are named") {
  for (const std::int64_t version : {0, 2, -1}) {
    auto s = waiting()[0];
    auto t = s;
    CHECK(s.on(begin_reply(2, version)) == "abandon(incompatible_version)");
    const auto said = sentence(t.machine, begin_reply(2, version));
    CHECK(said.find("version " + std::to_string(version)) != said.npos);
    CHECK(said.find("version 1") != said.npos);
  }
}

TEST_CASE("a batch whose descriptors and names differ in number is a loss") {
  for (const std::uint64_t count : {0U, 1U, 3U, 253U}) {
    auto reply = batch(0, 2);
    reply.descriptors = count;
    CHECK(successor_ladder{waiting()[1]}.on(reply) == "abandon(descriptors_lost)");
  }
}

TEST_CASE("descriptors that the kernel dropped are a loss, whatever the reply says") {
  for (auto s : waiting()) {
    auto reply = batch(0, 2);
    reply.truncated = true;
    CHECK(s.on(reply) == "abandon(descriptors_lost)");
  }
}

TEST_CASE("the loss of descriptors names the limit to raise") {
  auto s = waiting()[1];
  auto reply = batch(0, 2);
  reply.truncated = true;
  const auto said = sentence(s.machine, reply);
  CHECK(said.find("ulimit -n") != said.npos);
}

TEST_CASE("a batch that was not asked for is a violation") {
  const auto at_fetch = [] { return waiting()[1]; };
  CHECK(at_fetch().on(batch(0, 3)) == "abandon(protocol_violation)");  // more than on offer
  CHECK(at_fetch().on(batch(1, 1)) == "abandon(protocol_violation)");  // from another index
  CHECK(at_fetch().on(batch(0, 0)) == "abandon(protocol_violation)");  // none: it would never end
  CHECK(at_fetch().on(event::replied{{}, 0, false}) == "abandon(protocol_violation)");
  auto s = at_fetch();
  CHECK(s.on(batch(0, 1)) == "keep(1, Fetch 1)");
  CHECK(s.on(batch(0, 1)) == "abandon(protocol_violation)");  // again
}

TEST_CASE("descriptors on a reply that must not have any are a violation") {
  for (const std::size_t step : {0U, 2U}) {
    auto s = waiting()[step];
    event::replied reply = step == 0 ? begin_reply(2) : event::replied{{}, 0, false};
    reply.descriptors = 1;
    CHECK(s.on(reply) == "abandon(protocol_violation)");
  }
}

TEST_CASE("each refusal of the predecessor has its error, in every state, with its sentence") {
  const std::pair<const char*, const char*> known[] = {
      {"io.graceful.Handoff.Busy", "abandon(busy)"},
      {"io.graceful.Handoff.IncompatibleVersion", "abandon(incompatible_version)"},
      {"io.graceful.Handoff.NotOnOffer", "abandon(not_on_offer)"},
      {"io.graceful.Handoff.NotExpected", "abandon(not_expected)"},
      {"io.graceful.Handoff.Aborted", "abandon(upgrade_failed)"},
      {"io.graceful.Handoff.OutOfOrder", "abandon(protocol_violation)"},
      {"io.graceful.Control.NotReady", "abandon(not_ready)"},
      {"org.varlink.service.PermissionDenied", "abandon(permission_denied)"},
      {"org.varlink.service.MethodNotFound", "abandon(protocol_violation)"},
      {"org.example.Unknown", "abandon(protocol_violation)"}};
  for (const auto& entry : known) {
    const auto& name = entry.first;  // clang 14 cannot capture a structured binding
    const auto& expected = entry.second;
    CAPTURE(name);
    for (auto s : waiting()) CHECK(s.on(error(name)) == expected);
  }
  auto s = waiting()[0];
  const auto said = sentence(s.machine, error("io.graceful.Handoff.Busy"));
  CHECK(said.find("because") != said.npos);
}

TEST_CASE("an error without a sentence is reported by its name") {
  auto s = waiting()[0];
  const auto said = sentence(s.machine, event::replied{{{}, "io.graceful.Handoff.Busy"}, 0, false});
  CHECK(said.find("io.graceful.Handoff.Busy") != said.npos);
}

TEST_CASE("a message that is not a reply is a violation in every state") {
  for (auto s : waiting()) CHECK(s.on(event::garbled{}) == "abandon(protocol_violation)");
}

TEST_CASE("a predecessor that does not answer in time is believed to serve") {
  for (auto s : waiting()) CHECK(s.on(event::overdue{}) == "abandon(timed_out)");
}

TEST_CASE("a predecessor that closes but lives is believed to serve") {
  for (auto s : waiting()) CHECK(s.on(event::disconnected{true}) == "abandon(peer_gone)");
}

TEST_CASE(
    "when the predecessor dies, a successor with everything serves, and any other starts cold") {
  auto all = waiting();
  CHECK(all[0].on(event::disconnected{false}) == "start_cold");
  CHECK(all[1].on(event::disconnected{false}) == "start_cold");
  CHECK(all[2].on(event::disconnected{false}) == "serve");
  successor_ladder half;
  half.on(event::connected{});
  half.on(begin_reply(3));
  half.on(batch(0, 2));
  CHECK(half.on(event::disconnected{false}) == "start_cold");
}

TEST_CASE("a reply to no call is a violation") {
  CHECK(successor_ladder{}.on(begin_reply(2)) == "abandon(protocol_violation)");
  auto s = waiting()[1];
  s.on(batch(0, 2));
  CHECK(s.on(batch(0, 2)) == "abandon(protocol_violation)");
  auto served = waiting()[2];
  served.on(event::replied{{}, 0, false});
  CHECK(served.on(event::replied{{}, 0, false}) == "abandon(protocol_violation)");
}
