// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing/census.hpp>

#include "possible.hpp"
#include "server_fixture.hpp"
#include "varlink_peer.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace graceful_test;
using namespace std::chrono_literals;

namespace {

constexpr const char* status_call = R"({"method":"io.graceful.Control.Status"})";

/// The server answers an honest peer, and holds only what it held before.
void unharmed(server_fixture& s, const census& before) {
  INFO(take_census(s.server().pid()).to_string(), "before:\n", before.to_string());
  CHECK(wait_for_census(s.server().pid(), before, patience));
  CHECK(s.upgrade().status == "exited 0");
  CHECK(s.generation() == 2);
}

void is_disconnected_for(const std::string& bytes) {
  server_fixture s;
  const auto before = s.at_rest();
  {
    auto peer = varlink_peer::connect(s.control());
    peer.send_raw(bytes);
    CHECK(peer.closed_by_peer(patience));
  }
  unharmed(s, before);
}

}  // namespace

TEST_CASE("junk ends the connection and nothing else") {
  is_disconnected_for(std::string{"GET / HTTP/1.1\r\n\r\n\0", 19});
}

TEST_CASE("an endless message is cut off at the limit") {
  is_disconnected_for(R"({"method":")" + std::string(200'000, 'a'));
}

TEST_CASE("nesting beyond the limit ends the connection") {
  is_disconnected_for(R"({"method":"x","parameters":{"a":)" + std::string(10'000, '[') +
                      std::string(10'000, ']') + "}}" + '\0');
}

TEST_CASE("a flood of calls whose replies are never read is cut off") {
  server_fixture s;
  const auto before = s.at_rest();
  {
    auto peer = varlink_peer::connect(s.control());
    const std::string call = std::string{status_call} + '\0';
    std::string flood;
    while (flood.size() < 60'000) flood += call;
    // Each sends about a thousand calls; the replies are never read.
    for (int i = 0; i < 200 && peer.send_raw(flood); ++i) {
    }
    CHECK(peer.closed_by_peer(patience));
  }
  unharmed(s, before);
}

TEST_CASE("a peer that leaves in the middle of a message leaves nothing behind") {
  server_fixture s;
  const auto before = s.at_rest();
  for (int i = 0; i < 20; ++i) varlink_peer::connect(s.control()).send_raw(R"({"method":)");
  unharmed(s, before);
}

TEST_CASE("unexpected descriptors are refused, or closed") {
  server_fixture s;
  const auto before = s.at_rest();
  {
    auto peer = varlink_peer::connect(s.control());
    const graceful::unique_fd null{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    const std::vector<int> many(253, null.get());
    for (int i = 0; i < 20; ++i) {
      const std::string call = std::string{status_call} + '\0';
      REQUIRE((peer.send_with_descriptors(call, many) || peer.send_raw(call)));
      REQUIRE(peer.receive(patience));
    }
    const auto closed = [&] {  // /proc has no events
      return take_census(s.server().pid()).descriptors == before.descriptors + 1;
    };
    CHECK(eventually(closed, patience));
  }
  unharmed(s, before);
}

TEST_CASE("a thousand idle connections do not keep an operator out") {
  server_fixture s;
  const auto before = s.at_rest();
  {
    std::vector<varlink_peer> idle;
    for (int i = 0; i < 1000; ++i) idle.push_back(varlink_peer::connect(s.control()));
    CHECK(s.status().status == "exited 0");
    CHECK(take_census(s.server().pid()).descriptors <= before.descriptors + 64);
    load clients{s.load_on(false)};
    CHECK(clients.wait_for(20, patience));
    CHECK(s.upgrade().status == "exited 0");
    CHECK(clients.wait_for_generation(2, 20, patience));
    CHECK(clients.stop().lost() == 0);
  }
}

TEST_CASE("any number of monitors neither use up the descriptors nor keep a successor out") {
  server_fixture s;
  const auto before = s.at_rest();
  {
    std::vector<varlink_peer> monitors;
    int told = 0;
    int refused = 0;
    for (int i = 0; i < 200; ++i) {
      auto& peer = monitors.emplace_back(varlink_peer::connect(s.control()));
      peer.send(R"({"method":"io.graceful.Control.Monitor","more":true})");
      const auto answer = peer.receive(patience).value_or("closed");
      told += contains(answer, "watching") ? 1 : 0;
      refused += contains(answer, "io.graceful.Control.Busy") ? 1 : 0;
    }
    CHECK(told == 32);
    CHECK(refused == 168);
    CHECK(take_census(s.server().pid()).descriptors <= before.descriptors + 64);
    monitors.erase(monitors.begin());
    CHECK(s.status().status == "exited 0");  // and the server knows that one has gone
    auto another = varlink_peer::connect(s.control());
    another.send(R"({"method":"io.graceful.Control.Monitor","more":true})");
    CHECK(contains(another.receive(patience).value_or("closed"), "watching"));
    CHECK(s.upgrade().status == "exited 0");
  }
  CHECK(s.generation() == 2);
}

TEST_CASE("a client that connects while every connection waits for an answer is told so") {
  server_fixture s;
  const auto before = s.at_rest();
  std::vector<varlink_peer> waiting;
  {
    const auto held = s.hold();
    int told = 0;
    int refused = 0;
    for (int i = 0; i < 100; ++i) {
      auto& peer = waiting.emplace_back(varlink_peer::connect(s.control()));
      peer.send(R"({"method":"io.graceful.Control.Drain","more":true})");
      const auto answer = peer.receive(patience).value_or("closed");
      told += contains(answer, "draining") ? 1 : 0;
      if (!contains(answer, "io.graceful.Control.Busy")) continue;
      ++refused;
      CHECK(peer.closed_by_peer(patience));  // otherwise the census may still find it
    }
    CHECK(told == 64);
    CHECK(refused == 36);
    // If a call of theirs was not read, another thread closes the connection.
    const auto few = [&] {
      return take_census(s.server().pid()).descriptors <= before.descriptors + 64 + 1;
    };
    CHECK(eventually(few, patience));
    CHECK(s.status().status == "exited 75");
  }
  CHECK(s.server().wait_exit(patience).exited(0));
}

TEST_CASE("a successor that begins costs its predecessor only one descriptor: the connection") {
  server_fixture s;
  auto peer = varlink_peer::connect(s.control());
  peer.send(status_call);
  REQUIRE(peer.receive(patience));
  const auto before = take_census(s.server().pid());
  peer.send(R"({"method":"io.graceful.Handoff.Begin","parameters":{"versions":[1]}})");
  REQUIRE(contains(peer.receive(patience).value_or("closed"), "\"descriptors\":3"));
  // If it took more, an upgrade would fail for lack of one.
  CHECK(take_census(s.server().pid()).descriptors == before.descriptors);
}

TEST_CASE("clients that take every descriptor do not make an accept loop spin") {
  for (const bool plain : {false, true}) {
    CAPTURE(plain);
    std::vector<std::string> arguments;
    if (plain) arguments.emplace_back("--plain-acceptor");
    process_options few;
    few.descriptor_limit = 32;
    server_fixture s{arguments, few};
    {
      std::vector<http_connection> clients;
      const auto target = resolve("127.0.0.1", s.port(), patience);
      const auto begin = std::chrono::steady_clock::now();
      for (unsigned i = 0; i < 40; ++i) clients.emplace_back(target, i);
      const auto complaints = [&] {
        const std::string all = s.server().output();
        std::size_t count = 0;
        for (auto at = all.find("accept: "); at != all.npos; at = all.find("accept: ", at + 1)) {
          ++count;
        }
        return count;
      };
      CHECK(eventually([&] { return complaints() >= 6; }, patience));
      CHECK(std::chrono::steady_clock::now() - begin >= 500ms);  // a pause between any two
    }
    http_connection late{resolve("127.0.0.1", s.port(), patience), 0};
    late.exchange("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  }
}

namespace {

/// A server whose clients hold every descriptor that its limit allows.
struct exhausted {
  explicit exhausted(bool plain) : s{plain ? plain_acceptor() : std::vector<std::string>{}, few()} {
    const auto target = resolve("127.0.0.1", s.port(), patience);
    for (unsigned i = 0; i < 70; ++i) clients.emplace_back(target, i);
    REQUIRE(s.server().wait_for_output("accept: ", patience));
  }

  static std::vector<std::string> plain_acceptor() { return {"--plain-acceptor"}; }
  static process_options few() {
    process_options options;
    options.descriptor_limit = 64;
    return options;
  }

  server_fixture s;
  std::vector<http_connection> clients;
};

}  // namespace

TEST_CASE("clients that take every descriptor keep out neither an operator nor an upgrade") {
  for (const bool plain : {false, true}) {
    CAPTURE(plain);
    exhausted e{plain};
    for (int i = 0; i < 30; ++i) {
      const auto status = e.s.status();
      CHECK_MESSAGE(status.status == "exited 0", status.all);
    }
    CHECK(e.s.ctl({"metrics", e.s.control()}).status == "exited 0");
    const auto failed = e.s.upgrade({"--", "/bin/false"});
    CHECK(failed.status == "exited 1");
    CHECK(contains(failed.all, "exited with status 1"));
    const auto upgraded = e.s.upgrade();
    CHECK_MESSAGE(upgraded.status == "exited 0", upgraded.all);
    CHECK(e.s.generation() == 2);
  }
}

TEST_CASE("clients that take every descriptor do not prevent the handling of signals") {
  exhausted e{false};
  e.s.server().signal(SIGUSR2);
  CHECK(e.s.server().wait_for_output("generation 2 has taken over", patience));
}

TEST_CASE("clients that take every descriptor do not prevent a drain") {
  exhausted e{false};
  CHECK(e.s.ctl({"drain", e.s.control(), "--now"}).status == "exited 0");
  CHECK(e.s.server().wait_exit(patience).exited(0));
}

TEST_CASE("a peer of another uid is refused by the mode of the socket") {
  if (!others_can_run(programs::graceful_ctl())) return;
  server_fixture s;
  process_options nobody;
  nobody.user = 65534;
  const auto denied = s.ctl({"status", s.control()}, nobody);
  CHECK(denied.status == "exited 4");
}

TEST_CASE("a peer of another uid is refused by its credentials if the mode lets it connect") {
  if (!others_can_run(programs::graceful_ctl())) return;
  server_fixture s;
  REQUIRE(::chmod(s.control().c_str(), 0666) == 0);
  const auto before = s.at_rest();
  process_options nobody;
  nobody.user = 65534;
  const auto status = s.ctl({"status", s.control()}, nobody);
  CHECK(status.status == "exited 4");
  CHECK(contains(status.all, "permission denied"));
  process& rogue = s.scene().start(joined(programs::python("rogue_successor.py"),
                                          {"hang-after-begin", "--control", s.control()}),
                                   nobody);
  REQUIRE(rogue.wait_exit(patience));
  CHECK(s.server().wait_for_output("refused a connection to the control socket by user 65534",
                                   patience));
  unharmed(s, before);
}

TEST_CASE("an operator does not look for servers in a directory that others can write to") {
  if (!others_can_run(programs::graceful_ctl())) return;  // and tests must not use root's directory
  scene where;
  const auto runtime = where.path("runtime");
  const auto open = runtime + "/graceful";
  for (const auto& directory : {runtime, open}) {
    REQUIRE(::mkdir(directory.c_str(), 0700) == 0);
    REQUIRE(::chown(directory.c_str(), 65534, 65534) == 0);
  }
  process_options nobody;
  nobody.user = 65534;
  nobody.environment["XDG_RUNTIME_DIR"] = runtime;
  const auto status = [&](std::vector<std::string> target) {
    target.insert(target.begin(), {programs::graceful_ctl(), "status"});
    return run(where, target, nobody);
  };
  CHECK(status({"shop"}).status == "exited 7");
  REQUIRE(::chmod(open.c_str(), 0777) == 0);
  for (const auto& target : {std::vector<std::string>{}, {"shop"}}) {
    const auto refused = status(target);
    CHECK(refused.status == "exited 4");
    CHECK(contains(refused.all, open + " is not a directory that only this user can write to"));
  }
}

TEST_CASE("a peer that reports ready without having taken the sockets takes over nothing") {
  server_fixture s;
  const auto before = s.at_rest();
  {
    auto peer = varlink_peer::connect(s.control());
    // Unread answers fill the connection, and the descriptors of Fetch stay behind them.
    std::string calls;
    for (int i = 0; i < 1000; ++i) calls += std::string{status_call} + '\0';
    peer.send_raw(calls);
    peer.send(R"({"method":"io.graceful.Handoff.Begin","parameters":{"versions":[1]}})");
    peer.send(R"({"method":"io.graceful.Handoff.Fetch","parameters":{"first":0}})");
    peer.send(R"({"method":"io.graceful.Handoff.Ready"})");
    CHECK(s.server().wait_for_output("upgrade failed: the successor closed", patience));
  }
  unharmed(s, before);
}

TEST_CASE("calls out of place are refused, by name, and change nothing") {
  server_fixture s;
  const auto before = s.at_rest();
  {
    auto peer = varlink_peer::connect(s.control());
    const auto ask = [&](const char* call) {
      peer.send(call);
      return peer.receive(patience).value_or("closed");
    };
    CHECK(contains(ask(R"({"method":"io.graceful.Handoff.Ready"})"), "OutOfOrder"));
    CHECK(contains(ask(R"({"method":"io.graceful.Handoff.Fetch","parameters":{"first":0}})"),
                   "OutOfOrder"));
    CHECK(contains(ask(R"({"method":"io.graceful.Handoff.Fetch","parameters":{"first":-1}})"),
                   "InvalidParameter"));
    CHECK(contains(ask(R"({"method":"io.graceful.Handoff.Begin","parameters":{"versions":"1"}})"),
                   "InvalidParameter"));
    CHECK(contains(
        ask(R"({"method":"io.graceful.Handoff.Begin","parameters":{"versions":[1],"token":"x"}})"),
        "NotExpected"));
    CHECK(contains(ask(R"({"method":"io.graceful.Control.Nothing"})"), "MethodNotFound"));
    CHECK(contains(ask(R"({"method":"com.example.Thing"})"), "InterfaceNotFound"));
    CHECK(contains(ask(R"({"method":"io.graceful.Control.Upgrade","parameters":{"command":"ls"}})"),
                   "InvalidParameter"));
    CHECK(contains(ask(status_call), "\"state\":\"serving\""));
  }
  unharmed(s, before);
}
