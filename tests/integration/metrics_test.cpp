// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "open_metrics.hpp"
#include "server_fixture.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <signal.h>

using namespace graceful_test;

namespace {

open_metrics metrics_of(server_fixture& s) {
  const auto asked = s.ctl({"metrics", s.control()});
  INFO(asked.all);
  REQUIRE(asked.status == "exited 0");
  return parse_open_metrics(asked.out);
}

/// Asks until the sample has the value: a predecessor's reports on its drain arrive at some time.
bool comes_to(server_fixture& s, const std::string& sample, double value) {
  return eventually([&] { return metrics_of(s).at(sample) == value; }, patience);
}

std::string outcome(const char* what) {
  return std::string{"graceful_upgrades_total{outcome="} + what + '}';
}
std::string phase(const char* what) {
  return std::string{"graceful_upgrade_phase_seconds{phase="} + what + '}';
}

long number_after(const std::string& text, const std::string& key, std::size_t from = 0) {
  const auto at = text.find(key, from);
  return at == std::string::npos ? -1 : std::stol(text.substr(at + key.size()));
}

/// A server whose standard error is, or is not, the stream that JOURNAL_STREAM names.
std::vector<std::string> with_journal_stream(const std::string& value, const scene& where) {
  return joined({"/bin/sh", "-c", "JOURNAL_STREAM=" + value + " exec \"$0\" \"$@\""},
                http_command(where.path("control.sock")));
}

}  // namespace

TEST_CASE("upgrades are counted over all generations") {
  server_fixture s;
  auto got = metrics_of(s);
  CHECK(got.at("graceful_generation") == 1);
  CHECK(got.at("graceful_state{graceful_state=serving}") == 1);
  CHECK(got.at("graceful_build_info{version=0.1.0}") == 1);
  CHECK(got.at(outcome("committed")) == 0);
  CHECK(got.at("graceful_listener_accept_queue{listener=http}") == 0);
  CHECK(got.at("graceful_listener_accept_queue_limit{listener=http}") > 0);
  CHECK_FALSE(got.types.contains("graceful_upgrade_phase_seconds"));
  for (int upgrades = 1; upgrades <= 2; ++upgrades) {
    REQUIRE(s.upgrade().status == "exited 0");
    got = metrics_of(s);
    CHECK(got.at("graceful_generation") == upgrades + 1);
    CHECK(got.at(outcome("committed")) == upgrades);
    for (const char* each : {"spawned", "begun", "passed", "ready", "committed"}) {
      CAPTURE(each);
      CHECK(got.at(phase(each)) >= 0);
    }
  }
  CHECK(got.at(outcome("failed")) == 0);
  CHECK(got.at(outcome("rolled_back")) == 0);
}

TEST_CASE("a failed upgrade is counted, and the next generation knows of it") {
  server_fixture s;
  CHECK(s.upgrade({"--", "/bin/false"}).status == "exited 1");
  auto got = metrics_of(s);
  CHECK(got.at(outcome("failed")) == 1);
  CHECK(got.at(outcome("committed")) == 0);
  CHECK(got.at(phase("spawned")) >= 0);
  CHECK(got.at(phase("ready")) == -1);
  CHECK(got.at("graceful_state{graceful_state=serving}") == 1);
  REQUIRE(s.upgrade().status == "exited 0");
  got = metrics_of(s);
  CHECK(got.at(outcome("failed")) == 1);
  CHECK(got.at(outcome("committed")) == 1);
}

TEST_CASE("a rollback is counted as a rollback, not as a failure to start") {
  server_fixture s{{"--probation", "1min"}};
  REQUIRE(s.upgrade({"--until", "ready"}).status == "exited 0");
  CHECK(metrics_of(s).at("graceful_state{graceful_state=probation}") == 1);
  REQUIRE(s.ctl({"rollback", s.control()}).status == "exited 0");
  const auto got = metrics_of(s);
  CHECK(got.at(outcome("rolled_back")) == 1);
  CHECK(got.at(outcome("failed")) == 0);
  CHECK(got.at(outcome("committed")) == 0);
  CHECK(got.at("graceful_state{graceful_state=serving}") == 1);
  CHECK(got.at(phase("ready")) >= 0);
  CHECK(got.at(phase("committed")) == -1);
  REQUIRE(s.upgrade({"--until", "ready"}).status == "exited 0");
  REQUIRE(s.ctl({"commit", s.control()}).status == "exited 0");
  CHECK(metrics_of(s).at(outcome("committed")) == 1);
  CHECK(metrics_of(s).at(outcome("rolled_back")) == 1);
}

TEST_CASE("the probation counts as a phase, with its full duration") {
  server_fixture s{{"--probation", "2s"}};
  REQUIRE(s.upgrade().status == "exited 0");
  const auto lasted = metrics_of(s).at(phase("committed"));
  CHECK(lasted >= 1);
  CHECK(lasted < 30);
}

TEST_CASE(
    "a successor shows its predecessor's draining connections, and counts those that it cuts") {
  server_fixture s;
  auto held = s.hold();
  CHECK(metrics_of(s).at("graceful_connections") == 1);
  CHECK(metrics_of(s).at("graceful_connections_draining") == 0);
  REQUIRE(s.upgrade().status == "exited 0");
  CHECK(comes_to(s, "graceful_connections_draining", 1));
  CHECK(metrics_of(s).at("graceful_connections") == 0);
  s.server().signal(SIGTERM);
  REQUIRE(s.server().wait_for_output("drains already; a second signal ends it", patience));
  s.server().signal(SIGTERM);
  CHECK(comes_to(s, "graceful_connections_cut_total", 1));
  CHECK(comes_to(s, "graceful_connections_draining", 0));
  CHECK(s.server().wait_exit(patience).exited(0));
  REQUIRE(s.upgrade().status == "exited 0");
  CHECK(metrics_of(s).at("graceful_generation") == 3);
  CHECK(metrics_of(s).at("graceful_connections_cut_total") == 1);
}

TEST_CASE("a predecessor that is killed in its drain has no connections left to drain") {
  server_fixture s;
  auto held = s.hold();
  REQUIRE(s.upgrade().status == "exited 0");
  REQUIRE(comes_to(s, "graceful_connections_draining", 1));
  s.server().signal(SIGKILL);
  CHECK(comes_to(s, "graceful_connections_draining", 0));
}

TEST_CASE("a draining server says so in its metrics") {
  server_fixture s;
  auto held = s.hold();
  s.server().signal(SIGTERM);
  REQUIRE(s.server().wait_for_output("this process drains, and ends", patience));
  CHECK(comes_to(s, "graceful_state{graceful_state=draining}", 1));
  const auto got = metrics_of(s);
  CHECK(got.at("graceful_connections") == 1);
  CHECK(got.at("graceful_connections_draining") == 1);
}

TEST_CASE("metrics --json prints the reply as it came") {
  server_fixture s;
  const auto json = s.ctl({"metrics", s.control(), "--json"});
  CHECK(json.status == "exited 0");
  CHECK(json.out.starts_with(R"({"text":"# TYPE graceful_build info\n)"));
  CHECK(json.out.ends_with("# EOF\\n\"}\n"));
  CHECK(s.ctl({"metrics", s.scene().path("nowhere")}).status == "exited 7");
}

TEST_CASE("an application can read its metrics from any thread, even during an upgrade") {
  server_fixture s{{"--threads", "4", "--probation", "50ms"}};
  std::atomic<int> answers{0};
  std::string wrong;
  {
    const std::jthread scraper{[&](const std::stop_token& stop) {
      double committed = 0;
      double generation = 0;
      while (!stop.stop_requested()) {
        try {
          http_connection client{resolve("127.0.0.1", s.port(), patience), 0};
          client.exchange("GET /metrics HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
          const auto response = client.last_response();
          const auto got = parse_open_metrics(response.substr(response.find("\r\n\r\n") + 4));
          const bool typed = contains(response, "application/openmetrics-text; version=1.0.0");
          // An old process may answer more slowly than a new one learns that it stays.
          const bool same = std::exchange(generation, got.at("graceful_generation")) ==
                            got.at("graceful_generation");
          if (!typed || (same && got.at(outcome("committed")) < committed)) wrong = response;
          committed = got.at(outcome("committed"));
        } catch (const request_lost& lost) {
          wrong = lost.why;
        } catch (const std::exception& e) {
          wrong = e.what();
        }
        ++answers;
      }
    }};
    for (int i = 0; i < 3; ++i) {
      const int before = answers;
      CHECK(s.upgrade().status == "exited 0");
      CHECK(eventually([&] { return answers >= before + 3; }, patience));
    }
  }
  CHECK(answers >= 9);
  CHECK(wrong.empty());
  CHECK(metrics_of(s).at(outcome("committed")) == 3);
}

TEST_CASE(
    "each phase of upgrade --json has a duration, and the durations add up to the elapsed time") {
  server_fixture s{{"--probation", "50ms"}};
  const auto done = s.upgrade({"--json"});
  REQUIRE(done.status == "exited 0");
  long sum = 0;
  std::size_t from = 0;
  for (const char* each : {"spawned", "begun", "passed", "ready", "committed"}) {
    CAPTURE(each);
    from = done.out.find("\"phase\":\"" + std::string{each} + '"', from);
    REQUIRE(from != std::string::npos);
    const auto duration = number_after(done.out, "\"duration_ms\":", from);
    CHECK(duration >= 0);
    sum += duration;
    CHECK(number_after(done.out, "\"elapsed_ms\":", from) == sum);
  }
  CHECK(number_after(done.out, "\"duration_ms\":", from) >= 49);  // the probation
}

TEST_CASE(
    "a server whose standard error is the journal writes priorities, and so does its successor") {
  scene where;
  process& server = where.start(with_journal_stream("$(stat -L -c %d:%i /proc/self/fd/2)", where));
  REQUIRE(server.wait_for_output("<6>generation 1 serves\n", patience));
  const auto control = where.path("control.sock");
  CHECK(run(where, {programs::graceful_ctl(), "upgrade", control, "--", "/bin/false"}).status ==
        "exited 1");
  CHECK(server.wait_for_output("<3>upgrade failed: ", patience));
  REQUIRE(run(where, {programs::graceful_ctl(), "upgrade", control}).status == "exited 0");
  CHECK(server.wait_for_output("<6>generation 2 serves\n", patience));
  CHECK_FALSE(contains(server.output(), "graceful["));
}

TEST_CASE("a server whose standard error is no longer the journal writes which process it is") {
  scene where;
  process& server = where.start(with_journal_stream("1:1", where));
  CHECK(server.wait_for_output(
      "graceful[" + std::to_string(server.pid()) + "]: generation 1 serves\n", patience));
}
