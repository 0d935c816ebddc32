// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/control_client.hpp>

#include "os/control_path.hpp"

#include "fake_server.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <string>

using namespace graceful_test;
using namespace std::chrono_literals;
using namespace std::string_literals;
using graceful::control_client;
using graceful::errc;
namespace os = graceful::os;

namespace {

graceful::error_code status_error(const std::string& words) {
  fake_server server{words};
  auto client = server.client();
  const auto status = client.status();
  REQUIRE_FALSE(status.has_value());
  CHECK_FALSE(status.error().message.empty());
  return status.error().code;
}

/// In JSON; a terminal would obey it.
constexpr const char* escape = R"(\u001b[2J)";

}  // namespace

TEST_CASE("a status arrives as it was sent, together with its line of JSON") {
  fake_server server{good_status + '\0'};
  const auto status = server.client().status();
  REQUIRE(status.has_value());
  CHECK(status->name == "web");
  CHECK(status->generation == 3);
  CHECK(status->pid == 812);
  CHECK(status->uptime == 5s);
  CHECK(status->listeners.size() == 1);
  CHECK(status->json.starts_with(R"({"name":"web")"));
  CHECK(server.heard().method == "io.graceful.Control.Status");
}

TEST_CASE("metrics arrive as they were sent, together with their line of JSON") {
  fake_server server{R"({"parameters":{"text":"graceful_generation 1\n# EOF\n"}})"s + '\0'};
  const auto metrics = server.client().metrics();
  REQUIRE(metrics.has_value());
  CHECK(metrics->text == "graceful_generation 1\n# EOF\n");
  CHECK(metrics->json == R"({"text":"graceful_generation 1\n# EOF\n"})");
  CHECK(server.heard().method == "io.graceful.Control.Metrics");
  fake_server other{R"({"parameters":{}})"s + '\0'};
  auto client = other.client();
  CHECK(client.metrics().error().code == errc::protocol_violation);
}

TEST_CASE("an answer that is not a reply, or lacks a field, is a protocol violation") {
  for (const std::string& words :
       {"HTTP/1.1 400 Bad Request\r\n\r\n\0"s, "\0"s, "{}\0"s, "[]\0"s, "{\"parameters\":1}\0"s,
        "{\"parameters\":{\"name\":\"web\"}}\0"s, "{\"error\":\"\"}\0"s,
        "{\"error\":\"org.example.Unknown\"}\0"s, "\xff\xfe\0"s, std::string(100, '[') + '\0'}) {
    CAPTURE(words);
    CHECK(status_error(words) == errc::protocol_violation);
  }
}

TEST_CASE("an endless answer is a protocol violation") {
  CHECK(status_error(std::string(std::size_t{17} << 20, 'x')) == errc::protocol_violation);
}

TEST_CASE("a server that closes before or within an answer has gone") {
  CHECK(status_error("") == errc::peer_gone);
  CHECK(status_error("{\"parameters\":") == errc::peer_gone);
}

TEST_CASE("a server that does not answer is waited for until the deadline") {
  fake_server server{"", false};
  auto client = server.client(20ms);
  CHECK(client.status().error().code == errc::timed_out);
}

TEST_CASE("each error of the server has its code, and carries its sentence") {
  const std::pair<const char*, errc> known[] = {
      {"io.graceful.Control.Busy", errc::busy},
      {"io.graceful.Control.NotReady", errc::not_ready},
      {"io.graceful.Control.UpgradeFailed", errc::upgrade_failed},
      {"org.varlink.service.PermissionDenied", errc::permission_denied},
      {"org.varlink.service.MethodNotFound", errc::protocol_violation}};
  for (const auto& entry : known) {
    const auto& name = entry.first;  // clang 14 cannot capture a structured binding
    const auto& code = entry.second;
    CAPTURE(name);
    const auto error = R"({"error":")" + std::string{name};
    fake_server server{error + R"(","parameters":{"message":"because of this"}})" + '\0'};
    auto client = server.client();
    const auto result = client.upgrade({});
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == code);
    CHECK(result.error().message.find("because of this") != std::string::npos);
    CHECK(status_error(error + "\"}\0"s) == code);
  }
}

TEST_CASE("an upgrade that fails because the server ends is reported as: no server is running") {
  fake_server server{
      R"({"error":"io.graceful.Control.UpgradeFailed","parameters":{"message":"m","ends":true}})"
      "\0"s};
  auto client = server.client();
  const auto result = client.upgrade({});
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == errc::not_running);
  CHECK(result.error().message == "m");
}

TEST_CASE("nothing that a server sends can control a terminal") {
  const auto harmless = [](const std::string& text) { return text == "?[2J"; };
  const auto quoted = '"' + std::string{escape} + '"';
  SUBCASE("a status") {
    fake_server server{R"({"parameters":{"name":)" + quoted + R"(,"state":)" + quoted +
                       R"(,"version":)" + quoted + R"(,"last_failure":)" + quoted +
                       R"(,"generation":3,"pid":812,"uptime_ms":5000,"connections":41,)" +
                       R"("listeners":[{"name":)" + quoted + R"(,"address":)" + quoted +
                       R"(,"queue":2,"backlog":9}]}})" + '\0'};
    const auto status = server.client().status();
    REQUIRE(status.has_value());
    for (const auto& text : {status->name, status->state, status->version, status->last_failure,
                             status->listeners.at(0).name, status->listeners.at(0).address}) {
      CHECK(harmless(text));
    }
  }
  SUBCASE("a phase of an upgrade") {
    fake_server server{R"({"parameters":{"elapsed_ms":1,"phase":)" + quoted + "}}" + '\0'};
    auto client = server.client();
    CHECK(harmless(client.upgrade({}).value().phase));
  }
  SUBCASE("a phase of a drain") {
    fake_server server{R"({"parameters":{"elapsed_ms":1,"connections":0,"cut":0,"phase":)" +
                       quoted + "}}" + '\0'};
    auto client = server.client();
    CHECK(harmless(client.drain(false).value().phase));
  }
  SUBCASE("an event") {
    fake_server server{R"({"parameters":{"generation":1,"pid":2,"time_ms":3,"event":)" + quoted +
                       R"(,"message":)" + quoted + "}}" + '\0'};
    auto client = server.client();
    const auto event = client.monitor([](const auto&) {});
    REQUIRE(event.has_value());
    CHECK(harmless(event->event));
    CHECK(harmless(event->message));
  }
}

TEST_CASE("where there is no server, the client says why") {
  temporary_directory d;
  const auto error_at = [&](const std::string& path) {
    const auto client = control_client::connect(path, 1s);
    REQUIRE_FALSE(client.has_value());
    return client.error().code;
  };
  CHECK(error_at(d.path("none")) == errc::not_running);
  { const auto gone = os::bind_control(d.path("left")); }
  CHECK(error_at(d.path("left")) == errc::not_running);
  std::ofstream{d.path("file")} << "x";
  CHECK(error_at(d.path("file")) == errc::path_in_use);
  CHECK(error_at(d.path()) == errc::path_in_use);
  CHECK(error_at(d.path(std::string(120, 'x'))) == errc::path_too_long);
}
