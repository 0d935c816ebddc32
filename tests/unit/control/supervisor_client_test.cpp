// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/supervisor_client.hpp>

#include "fake_server.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace graceful_test;
using namespace std::chrono_literals;
using namespace std::string_literals;
using graceful::errc;
using graceful::supervisor_client;

namespace {

supervisor_client client_of(const fake_server& supervisor) {
  return supervisor_client::connect(supervisor.path(), 10s).value();
}

}  // namespace

TEST_CASE(
    "the status of a supervisor arrives with its line of JSON, and cannot control a terminal") {
  const auto answer =
      R"({"pid":7,"uptime_ms":5000,"state":"serving","version":"0.1.0","main":8,)"
      R"("said":"\u001b[2J","restarts":1,"failures":0,"failure_limit":5,"wait_ms":250,)"
      R"("kept":[{"name":"http","address":"\u001b[::1]:80"}]})"s;
  fake_server supervisor{R"({"parameters":)" + answer + '}' + '\0'};
  const auto status = client_of(supervisor).status();
  REQUIRE(status.has_value());
  CHECK(status->pid == 7);
  CHECK(status->uptime == 5s);
  CHECK(status->state == "serving");
  CHECK(status->main_pid == 8);
  CHECK(status->said == "?[2J");
  CHECK(status->wait == 250ms);
  CHECK(status->kept.at(0).name == "http");
  CHECK(status->kept.at(0).address == "?[::1]:80");
  CHECK(status->json.find(R"("said":"\u001b[2J")") != std::string::npos);
  CHECK(supervisor.heard().method == "io.graceful.Supervisor.Status");
}

TEST_CASE("what is no status of a supervisor is a protocol violation") {
  fake_server supervisor{R"({"parameters":{"pid":7}})"s + '\0'};
  auto client = client_of(supervisor);
  CHECK(client.status().error().code == errc::protocol_violation);
}

TEST_CASE("a program that a supervisor cannot execute is reported, in its words") {
  fake_server supervisor{
      R"({"error":"io.graceful.Supervisor.ReexecFailed","parameters":{"message":"no such file"}})"s +
      '\0'};
  auto client = client_of(supervisor);
  const auto done = client.reexec();
  CHECK(done.error().code == errc::upgrade_failed);
  CHECK(done.error().message == "no such file");
}

TEST_CASE("a supervisor that goes on in its new program has answered without an error") {
  fake_server supervisor{R"({"parameters":{}})"s + '\0'};
  CHECK(client_of(supervisor).reexec().has_value());
  CHECK(supervisor.heard().method == "io.graceful.Supervisor.Reexec");
}

TEST_CASE("a supervisor is asked beside the control path of its server") {
  CHECK(graceful::default_supervisor_path("/run/web.sock") == "/run/web.sock.supervisor");
}
