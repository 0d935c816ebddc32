// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "progress_view.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace graceful::cli;
using namespace std::chrono_literals;

namespace {

/// A view, and a clock that the test moves.
struct view_fixture {
  explicit view_fixture(form f = form::live, style s = {})
      : view{f, s, now, "waiting for the server"} {}

  /// With the values that a server sends for this phase.
  std::string reach(const std::string& phase) {
    const bool serves = phase == "ready" || phase == "committed";
    graceful::upgrade_phase p{
        .phase = phase, .elapsed = elapsed(), .json = "{\"phase\":\"" + phase + "\"}"};
    if (serves || phase == "spawned") p.pid = 812;
    if (serves || phase == "begun") p.generation = 2;
    if (phase == "passed") p.sockets = 3;
    return view.on(p, now);
  }
  std::string drain(std::uint64_t left, std::uint64_t cut = 0, const char* phase = "draining") {
    return view.on(graceful::drain_progress{.phase = phase,
                                            .elapsed = elapsed(),
                                            .connections = left,
                                            .cut = cut,
                                            .json = "{\"left\":" + std::to_string(left) + "}"},
                   now);
  }
  std::string live(std::size_t width = 80) const { return view.live(now, width); }

  std::chrono::milliseconds elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
  }

  progress_view::time now{};
  progress_view view;
};

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

}  // namespace

TEST_CASE("each phase is a line, and the line below says what is awaited, and for how long") {
  view_fixture b;
  CHECK(b.live() == "+0.0 s     waiting for the server");
  b.now += 7ms;
  CHECK(b.reach("spawned") == "+7 ms      spawned pid 812\n");
  b.now += 250ms;
  CHECK(b.live() == "+0.2 s     waiting for pid 812 to connect");
  CHECK(b.reach("begun") == "+257 ms    connected as generation 2\n");
  CHECK(b.live() == "+0.2 s     waiting for generation 2 to take the sockets");
  CHECK(b.reach("passed") == "+257 ms    3 sockets passed\n");
  b.now += 12s;
  CHECK(b.live() == "+12.2 s    waiting for generation 2 to be ready");
  CHECK(b.reach("ready") == "+12.257 s  ready: generation 2 (pid 812) serves\n");
  CHECK(b.live() == "+12.2 s    generation 2 is in probation; graceful-ctl rollback takes it back");
  CHECK(b.reach("committed") ==
        "+12.257 s  committed: generation 2 stays, the old process drains\n");
  CHECK(b.live().empty());
}

TEST_CASE("the elapsed time is the server's, which may have begun earlier") {
  view_fixture b;
  b.view.on(
      graceful::drain_progress{.phase = "draining", .elapsed = 83s, .connections = 4, .cut = 0},
      b.now);
  b.now += 1s;
  CHECK(b.live().starts_with("+1 min 24 s "));
}

TEST_CASE("a drain is one line at its begin and one at its end, with a bar in between") {
  view_fixture b;
  CHECK(b.drain(41) == "+0 ms      draining 41 connections\n");
  CHECK(b.live() == "+0.0 s     draining [----------------------------] 41 of 41 connections left");
  b.now += 3s;
  CHECK(b.drain(10).empty());
  CHECK(b.live() == "+3.0 s     draining [#####################-------] 10 of 41 connections left");
  CHECK(b.drain(2, 2).empty());
  CHECK(b.live() ==
        "+3.0 s     draining [######################--]  2 of 41 connections left, 2 cut");
  CHECK(b.drain(0, 2, "drained") == "+3 s       drained, 2 connections cut\n");
  CHECK(b.live().empty());
}

TEST_CASE("the bar starts again if the last accepts bring more connections than at the begin") {
  view_fixture b;
  b.drain(0);
  CHECK(b.live() == "+0.0 s     waiting for what still runs; no connection is tracked");
  b.drain(1);
  CHECK(b.live() == "+0.0 s     draining [----------------------------] 1 of 1 connection left");
  b.drain(0);
  CHECK(b.live() == "+0.0 s     draining [############################] 0 of 1 connection left");
}

TEST_CASE("the bar is made of blocks where there are any, and as long as there is room") {
  view_fixture b{form::live, {.colour = false, .utf8 = true}};
  b.drain(4);
  b.drain(1);
  CHECK(b.live(60) == "+0.0 s     draining ███████████░░░░ 1 of 4 connections left");
  CHECK(b.live(49) == "+0.0 s     draining 1 of 4 connections left");
  b.drain(0);
  CHECK(b.live() == "+0.0 s     draining ██████████████████████████████ 0 of 4 connections left");
}

TEST_CASE("the live line is always shorter than the terminal is wide, and cuts no character") {
  for (const style s : {style{}, style{.colour = false, .utf8 = true}}) {
    view_fixture b{form::live, s};
    b.drain(1'234'567);
    b.drain(617'283, 5);
    const std::string whole = b.live(1000);
    for (std::size_t width = 0; width <= 120; ++width) {
      const std::string line = b.live(width);
      REQUIRE(characters(line) <= (width < 2 ? 0 : width - 1));
      REQUIRE(line.find('\n') == std::string::npos);
      // A line that is not cut ends as it should; a byte in the middle of a character does not
      // count.
      if (characters(line) + 1 < width) REQUIRE(line.ends_with("left, 5 cut"));
    }
    CHECK(characters(whole) > 60);
  }
}

TEST_CASE("colours do not count as width, and each is ended within the line") {
  view_fixture plain;
  view_fixture coloured{form::live, {.colour = true, .utf8 = false}};
  plain.drain(4);
  coloured.drain(4);
  plain.drain(1, 1);
  coloured.drain(1, 1);
  CHECK(coloured.live().find("\x1b[31m, 1 cut\x1b[0m") != std::string::npos);
  for (std::size_t width = 2; width <= 90; ++width) {
    std::string line = coloured.live(width);
    REQUIRE((line.rfind("\x1b[0m") > line.rfind("\x1b[3") || line.find("\x1b[3") == line.npos));
    for (auto at = line.find('\x1b'); at != line.npos; at = line.find('\x1b')) {
      line.erase(at, line.find('m', at) - at + 1);
    }
    REQUIRE(line == plain.live(width));
  }
}

TEST_CASE("what succeeds is green, what was cut is red, and the time is dim") {
  view_fixture b{form::live, {.colour = true, .utf8 = false}};
  CHECK(b.reach("spawned") == "\x1b[2m+0 ms      \x1b[0mspawned pid 812\n");
  CHECK(b.reach("ready") ==
        "\x1b[2m+0 ms      \x1b[0m\x1b[32mready: generation 2 (pid 812) serves\x1b[0m\n");
  CHECK(b.drain(0, 1, "drained") ==
        "\x1b[2m+0 ms      \x1b[0m\x1b[32mdrained\x1b[0m, \x1b[31m1 connection cut\x1b[0m\n");
}

TEST_CASE("without a terminal each report is a line, with nothing below") {
  view_fixture b{form::lines};
  CHECK(b.reach("ready") == "+0 ms      ready: generation 2 (pid 812) serves\n");
  CHECK(b.drain(2) == "+0 ms      draining 2 connections\n");
  b.now += 1s;
  CHECK(b.drain(1) == "+1 s       draining 1 connection\n");
  CHECK(b.live().empty());
}

TEST_CASE("as JSON each report is the server's own line") {
  view_fixture b{form::json};
  CHECK(b.reach("ready") == "{\"phase\":\"ready\"}\n");
  CHECK(b.drain(2) == "{\"left\":2}\n");
  CHECK(b.live().empty());
}

TEST_CASE("the end of a predecessor is awaited by its pid, and reported once") {
  std::optional<graceful::draining_process> old{{.generation = 1, .pid = 77}};
  view_fixture b;
  CHECK(b.view.on(old, b.now).empty());
  CHECK(b.live() == "+0.0 s     waiting for the old process (pid 77) to end what it serves");
  old->connections = 0;
  CHECK(b.view.on(old, b.now).empty());
  CHECK(b.live() == "+0.0 s     waiting for the old process (pid 77) to end what it serves");
  old->connections = 4;
  CHECK(b.view.on(old, b.now).empty());
  old->connections = 1;
  CHECK(b.view.on(old, b.now).empty());
  CHECK(b.live().ends_with("1 of 4 connections left"));
  old.reset();
  CHECK(b.view.on(old, b.now) == "the old process has ended\n");
  CHECK(b.live().empty());
  view_fixture json{form::json};
  CHECK(json.view.on(old, json.now) == "{\"phase\":\"drained\"}\n");
}
