// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/control_client.hpp>

#include "os/channel.hpp"
#include "os/control_path.hpp"
#include "wire/control_messages.hpp"
#include "wire/framer.hpp"
#include "wire/varlink.hpp"

#include "ordinary_user.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace graceful_test;
using namespace std::chrono_literals;
using namespace std::string_literals;
using graceful::control_client;
using graceful::errc;
using graceful::unique_fd;
namespace os = graceful::os;

namespace {

const std::string good_status =
    R"({"parameters":{"name":"web","generation":3,"pid":812,"uptime_ms":5000,"state":"serving","connections":41,)"
    R"("version":"0.1.0",)"
    R"("listeners":[{"name":"http","address":"[::1]:80","queue":2,"backlog":9}]}})";

/// Takes one client, waits for one call and says what it is told to, whatever the call is; if it
/// thinks, then before each message but the first.
class parrot {
 public:
  explicit parrot(std::string words, bool then_close = true,
                  std::chrono::milliseconds thinks_for = 0ms)
      : listener_{os::bind_control(path()).value()},
        thread_{[this, words = std::move(words), then_close, thinks_for] {
          serve(words, then_close, thinks_for);
        }} {}

  [[nodiscard]] std::string path() const { return directory_.path("s"); }

  control_client client(std::chrono::milliseconds deadline = 10s) {
    return control_client::connect(path(), deadline).value();
  }

  /// The call that came, when the client has gone.
  graceful::wire::call heard() {
    thread_.join();
    return graceful::wire::parse_call(heard_).value();
  }

 private:
  void serve(const std::string& words, bool then_close, std::chrono::milliseconds thinks_for) {
    const auto until = std::chrono::steady_clock::now() + 20s;
    if (!os::wait_readable(listener_.get(), until)) return;
    unique_fd client{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    graceful::wire::framer framer{1 << 20};
    std::optional<std::string> call;
    while (!(call = framer.next()) && os::wait_readable(client.get(), until)) {
      os::inbox box;
      if (os::receive_now(client.get(), box).what == os::transfer::kind::closed) return;
      framer.feed(box.bytes);
    }
    heard_ = call.value_or("");
    std::string_view left = words;
    while (!left.empty() && os::wait_writable(client.get(), until)) {
      const auto one = thinks_for > 0ms ? left.find('\0') + 1 : left.size();
      const auto sent = os::send_now(client.get(), left.substr(0, one));
      if (sent.what == os::transfer::kind::closed) return;
      left.remove_prefix(sent.bytes);
      std::this_thread::sleep_for(thinks_for);
    }
    if (then_close) return;
    os::inbox rest;  // until the client has had enough
    while (os::wait_readable(client.get(), until) &&
           os::receive_now(client.get(), rest).what != os::transfer::kind::closed) {
    }
  }

  temporary_directory directory_;
  unique_fd listener_;
  std::string heard_;
  std::jthread thread_;
};

graceful::error_code status_error(const std::string& words) {
  parrot server{words};
  auto client = server.client();
  const auto status = client.status();
  REQUIRE_FALSE(status.has_value());
  CHECK_FALSE(status.error().message.empty());
  return status.error().code;
}

/// A request whose time, and the 5 s that a server has after it, are over in a moment.
constexpr std::chrono::milliseconds nearly_over = -5s + 10ms;

/// As JSON; a terminal would take it for an order.
constexpr const char* escape = R"(\u001b[2J)";

}  // namespace

TEST_CASE("a status comes as it was sent, and as the line of JSON that came") {
  parrot server{good_status + '\0'};
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

TEST_CASE("metrics come as they were sent, and as the line of JSON that came") {
  parrot server{R"({"parameters":{"text":"graceful_generation 1\n# EOF\n"}})"s + '\0'};
  const auto metrics = server.client().metrics();
  REQUIRE(metrics.has_value());
  CHECK(metrics->text == "graceful_generation 1\n# EOF\n");
  CHECK(metrics->json == R"({"text":"graceful_generation 1\n# EOF\n"})");
  CHECK(server.heard().method == "io.graceful.Control.Metrics");
  parrot other{R"({"parameters":{}})"s + '\0'};
  auto client = other.client();
  CHECK(client.metrics().error().code == errc::protocol_violation);
}

TEST_CASE("an answer that is no reply, or lacks something, is a violation of the protocol") {
  for (const std::string& words :
       {"HTTP/1.1 400 Bad Request\r\n\r\n\0"s, "\0"s, "{}\0"s, "[]\0"s, "{\"parameters\":1}\0"s,
        "{\"parameters\":{\"name\":\"web\"}}\0"s, "{\"error\":\"\"}\0"s,
        "{\"error\":\"org.example.Unknown\"}\0"s, "\xff\xfe\0"s, std::string(100, '[') + '\0'}) {
    CAPTURE(words);
    CHECK(status_error(words) == errc::protocol_violation);
  }
}

TEST_CASE("an answer without end is a violation of the protocol") {
  CHECK(status_error(std::string(std::size_t{17} << 20, 'x')) == errc::protocol_violation);
}

TEST_CASE("a server that closes without an answer, or within one, has gone") {
  CHECK(status_error("") == errc::peer_gone);
  CHECK(status_error("{\"parameters\":") == errc::peer_gone);
}

TEST_CASE("a server that does not answer is waited for until the deadline") {
  parrot server{"", false};
  auto client = server.client(20ms);
  CHECK(client.status().error().code == errc::timed_out);
}

TEST_CASE("each error of the server has its code, and its sentence comes along") {
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
    parrot server{error + R"(","parameters":{"message":"because of this"}})" + '\0'};
    auto client = server.client();
    const auto result = client.upgrade({});
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == code);
    CHECK(result.error().message.find("because of this") != std::string::npos);
    CHECK(status_error(error + "\"}\0"s) == code);
  }
}

TEST_CASE("an upgrade reports each phase, and returns the last") {
  parrot server{R"({"parameters":{"phase":"spawned","elapsed_ms":1,"pid":9},"continues":true})"s +
                '\0' + R"({"parameters":{"phase":"begun","elapsed_ms":2},"continues":true})" +
                '\0' + R"({"parameters":{"phase":"ready","elapsed_ms":3,"generation":4}})" + '\0'};
  std::vector<std::string> phases;
  auto client = server.client();
  const auto last = client.upgrade(
      {.command = {"server"}, .environment = {{"A", "1"}}, .timeout = 5s}, [&](const auto& phase) {
        phases.push_back(phase.phase);
        return true;
      });
  REQUIRE(last.has_value());
  CHECK(phases == std::vector<std::string>{"spawned", "begun", "ready"});
  CHECK(last->elapsed == 3ms);
  CHECK(last->generation == 4);
  CHECK_FALSE(last->pid);
  CHECK(last->json == R"({"phase":"ready","elapsed_ms":3,"generation":4})");
  const auto call = server.heard();
  CHECK(call.method == "io.graceful.Control.Upgrade");
  CHECK(call.more);
  CHECK(call.parameters.at("timeout_ms") == 5000);
}

TEST_CASE("whoever has seen enough of an upgrade need not wait for its end") {
  parrot server{R"({"parameters":{"phase":"spawned","elapsed_ms":1},"continues":true})"s + '\0' +
                R"({"parameters":{"phase":"ready","elapsed_ms":2},"continues":true})" + '\0'};
  auto client = server.client();
  const auto last = client.upgrade({}, [](const auto& phase) { return phase.phase != "ready"; });
  REQUIRE(last.has_value());
  CHECK(last->phase == "ready");
}

TEST_CASE("what a call did not wait for is never the answer to another") {
  const auto spawned =
      R"({"parameters":{"phase":"spawned","elapsed_ms":1},"continues":true})"s + '\0';
  const auto ready = R"({"parameters":{"phase":"ready","elapsed_ms":2},"continues":true})"s + '\0';
  const auto committed = R"({"parameters":{"phase":"committed","elapsed_ms":3}})"s + '\0';
  const auto garbled = R"({"parameters":{"phase":1,"elapsed_ms":1}})"s + '\0';
  const auto is_closed = [](control_client& client) {
    for (const auto& order : {client.rollback(), client.commit(), client.abort()}) {
      REQUIRE_FALSE(order.has_value());
      CHECK(order.error().code == boost::system::errc::not_connected);
      CHECK(order.error().message.find("connect anew") != std::string::npos);
    }
    CHECK(client.status().error().code == boost::system::errc::not_connected);
    CHECK(client.upgrade({}).error().code == boost::system::errc::not_connected);
    CHECK(client.drain(true).error().code == boost::system::errc::not_connected);
    CHECK(client.monitor([](const auto&) {}).error().code == boost::system::errc::not_connected);
  };
  SUBCASE("an early return") {
    parrot server{spawned + ready + committed, false};
    auto client = server.client();
    REQUIRE(client.upgrade({}, [](const auto& p) { return p.phase != "ready"; }).has_value());
    is_closed(client);
  }
  SUBCASE("a timeout") {
    parrot server{"", false};
    auto client = server.client(20ms);
    CHECK(client.rollback().error().code == errc::timed_out);
    is_closed(client);
  }
  SUBCASE("a garbled reply") {
    parrot server{garbled + committed, false};
    auto client = server.client();
    CHECK(client.upgrade({}).error().code == errc::protocol_violation);
    is_closed(client);
  }
  SUBCASE("an exception") {
    parrot server{spawned + ready + committed, false};
    auto client = server.client();
    CHECK_THROWS_AS(client.upgrade({}, [](const auto&) -> bool { throw 1; }), int);
    is_closed(client);
  }
  SUBCASE("a call within the call") {
    parrot server{spawned + ready + committed, false};
    auto client = server.client();
    CHECK(client
              .upgrade({},
                       [&](const auto& phase) {
                         if (phase.phase == "ready") is_closed(client);
                         return true;
                       })
              .has_value());
  }
}

TEST_CASE("after its last answer, or an error, a call leaves the connection to the next") {
  parrot server{R"({"error":"io.graceful.Control.Busy"})"s + '\0' +
                    R"({"parameters":{"phase":"committed","elapsed_ms":3}})" + '\0' + good_status +
                    '\0',
                false};
  auto client = server.client();
  CHECK(client.drain(false).error().code == errc::busy);
  CHECK(client.upgrade({}).value().phase == "committed");
  CHECK(client.status().value().name == "web");
}

TEST_CASE("a server that takes no order is not waited for as long as an upgrade may take") {
  parrot server{"", false};
  auto client = server.client(20ms);
  CHECK(client.upgrade({}).error().code == errc::timed_out);
}

TEST_CASE("an upgrade is waited for until its own time is over, and 5 s longer") {
  const auto spawned =
      R"({"parameters":{"phase":"spawned","elapsed_ms":1},"continues":true})"s + '\0';
  const auto failed = R"({"error":"io.graceful.Control.UpgradeFailed"})"s + '\0';
  SUBCASE("for a server that ends a successor which was late") {
    parrot server{spawned + failed, true, 50ms};
    auto client = server.client();
    CHECK(client.upgrade({.timeout = 1ms}).error().code == errc::upgrade_failed);
  }
  SUBCASE("and no longer, if it is not ready then") {
    parrot server{spawned, false};
    auto client = server.client();
    CHECK(client.upgrade({.timeout = nearly_over}).error().code == errc::timed_out);
  }
}

TEST_CASE("a probation is waited for after the upgrade's own time is over") {
  parrot server{R"({"parameters":{"phase":"ready","elapsed_ms":1},"continues":true})"s + '\0' +
                    R"({"parameters":{"phase":"committed","elapsed_ms":2}})" + '\0',
                true, 1200ms};
  auto client = server.client();
  // It has a second for the first phase, and the second comes when that is over.
  const auto last = client.upgrade({.timeout = -4s});
  REQUIRE(last.has_value());
  CHECK(last->phase == "committed");
}

TEST_CASE("a drain reports how far it is, returns the last report, and leaves the connection") {
  for (const bool now : {false, true}) {
    parrot server{
        R"({"parameters":{"phase":"draining","elapsed_ms":1,"connections":2,"cut":0},"continues":true})"s +
            '\0' + R"({"parameters":{"phase":"drained","elapsed_ms":2,"connections":0,"cut":1}})" +
            '\0' + good_status + '\0',
        false};
    std::vector<std::string> phases;
    {
      auto client = server.client();
      const auto last =
          client.drain(now, [&](const auto& progress) { phases.push_back(progress.phase); });
      REQUIRE(last.has_value());
      CHECK(last->cut == 1);
      CHECK(client.status().value().name == "web");
    }
    CHECK(phases == std::vector<std::string>{"draining", "drained"});
    const auto call = server.heard();
    CHECK(call.method == "io.graceful.Control.Drain");
    CHECK(call.more);
    CHECK(call.parameters.contains("now") == now);
  }
}

TEST_CASE("a monitor tells of each event, returns the last, and leaves the connection") {
  const auto event = [](const std::string& what) {
    return R"({"parameters":{"event":")" + what +
           R"(","message":"m","generation":1,"pid":2,"time_ms":3})";
  };
  parrot server{event("started") + R"(,"continues":true})" + '\0' + event("ended") + '}' + '\0' +
                    good_status + '\0',
                false};
  std::vector<std::string> events;
  auto client = server.client();
  const auto last = client.monitor([&](const auto& each) { events.push_back(each.event); });
  REQUIRE(last.has_value());
  CHECK(last->event == "ended");
  CHECK(events == std::vector<std::string>{"started", "ended"});
  CHECK(client.status().value().name == "web");
}

TEST_CASE("nothing that a server says gives orders to a terminal") {
  const auto harmless = [](const std::string& text) { return text == "?[2J"; };
  const auto quoted = '"' + std::string{escape} + '"';
  SUBCASE("a status") {
    parrot server{R"({"parameters":{"name":)" + quoted + R"(,"state":)" + quoted +
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
    parrot server{R"({"parameters":{"elapsed_ms":1,"phase":)" + quoted + "}}" + '\0'};
    auto client = server.client();
    CHECK(harmless(client.upgrade({}).value().phase));
  }
  SUBCASE("a phase of a drain") {
    parrot server{R"({"parameters":{"elapsed_ms":1,"connections":0,"cut":0,"phase":)" + quoted +
                  "}}" + '\0'};
    auto client = server.client();
    CHECK(harmless(client.drain(false).value().phase));
  }
  SUBCASE("an event") {
    parrot server{R"({"parameters":{"generation":1,"pid":2,"time_ms":3,"event":)" + quoted +
                  R"(,"message":)" + quoted + "}}" + '\0'};
    auto client = server.client();
    const auto event = client.monitor([](const auto&) {});
    REQUIRE(event.has_value());
    CHECK(harmless(event->event));
    CHECK(harmless(event->message));
  }
}

TEST_CASE("a call that the server would not take is not made, and the connection is as before") {
  parrot server{good_status + '\0', false};
  auto client = server.client();
  const std::string bytes = "\xff";
  for (const auto& request : std::vector<graceful::upgrade_request>{
           {.command = {"server", bytes}},
           {.command = {"server"}, .environment = {{bytes, "1"}}},
           {.command = {"server"}, .environment = {{"A", bytes}}}}) {
    const auto refused = client.upgrade(request).error();
    CHECK(refused.code == errc::invalid_argument);
    CHECK(refused.message.find("UTF-8") != std::string::npos);
  }
  CHECK(client.status().value().name == "web");
}

TEST_CASE("a call may have 64 KiB, with its NUL, and not a byte more") {
  parrot server{R"({"parameters":{"phase":"committed","elapsed_ms":1}})"s + '\0', false};
  auto client = server.client();
  const auto size_with = [](std::size_t length) {
    return graceful::wire::to_message(graceful::wire::to_call(graceful::upgrade_request{
                                          .command = {std::string(length, 'x')}}))
        .size();
  };
  const std::size_t fits = graceful::wire::max_call_size - size_with(0);
  const auto refused = client.upgrade({.command = {std::string(fits + 1, 'x')}}).error();
  CHECK(refused.code == errc::invalid_argument);
  CHECK(refused.message.find("64 KiB") != std::string::npos);
  CHECK(client.upgrade({.command = {std::string(fits, 'x')}}).value().phase == "committed");
}

TEST_CASE("an upgrade that fails half-way says so after the phases it reached") {
  parrot server{R"({"parameters":{"phase":"spawned","elapsed_ms":1},"continues":true})"s + '\0' +
                R"({"error":"io.graceful.Control.UpgradeFailed","parameters":{"message":"m"}})" +
                '\0'};
  int phases = 0;
  auto client = server.client();
  const auto result = client.upgrade({}, [&](const auto&) { return ++phases > 0; });
  CHECK(phases == 1);
  CHECK(result.error().code == errc::upgrade_failed);
}

TEST_CASE("a server that goes during an upgrade, or garbles a phase, is an error") {
  {
    parrot server{R"({"parameters":{"phase":"spawned","elapsed_ms":1},"continues":true})"s + '\0'};
    auto client = server.client();
    CHECK(client.upgrade({}).error().code == errc::peer_gone);
  }
  parrot server{R"({"parameters":{"phase":1,"elapsed_ms":1}})"s + '\0'};
  auto client = server.client();
  CHECK(client.upgrade({}).error().code == errc::protocol_violation);
}

TEST_CASE("where no server is, the client says why") {
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

TEST_CASE("the default control path is of the user, and its sockets are found, sorted") {
  if (::geteuid() == 0) {
    CHECK(graceful::default_control_path("web") == "/run/graceful/web.sock");
  }
  const ordinary_user here;
  temporary_directory d;
  ::setenv("XDG_RUNTIME_DIR", d.path().c_str(), 1);
  CHECK(graceful::default_control_path("web") == d.path("graceful/web.sock"));
  CHECK(graceful::find_control_paths().value().empty());
  std::filesystem::create_directory(d.path("graceful"));
  const auto b = os::bind_control(d.path("graceful/b.sock"));
  const auto a = os::bind_control(d.path("graceful/a.sock"));
  std::ofstream{d.path("graceful/c.sock")} << "x";
  const auto hidden = os::bind_control(d.path("graceful/.d.sock"));
  const auto other = os::bind_control(d.path("graceful/e"));
  CHECK(graceful::find_control_paths().value() ==
        std::vector<std::string>{d.path("graceful/a.sock"), d.path("graceful/b.sock")});
  REQUIRE(::chmod(d.path("graceful").c_str(), 0777) == 0);
  CHECK(graceful::find_control_paths().error().code == errc::permission_denied);
  ::setenv("XDG_RUNTIME_DIR", "relative", 1);
  CHECK(graceful::default_control_path("web").starts_with("/tmp/graceful-"));
  ::unsetenv("XDG_RUNTIME_DIR");
  CHECK(graceful::default_control_path("web") ==
        "/tmp/graceful-" + std::to_string(::geteuid()) + "/web.sock");
}
