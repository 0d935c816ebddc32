// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/session_host.hpp"

#include "temporary_directory.hpp"
#include "varlink_peer.hpp"

#include <boost/asio/post.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <sys/un.h>

using graceful::control_session;
using graceful::session_host;
using graceful::unique_fd;
using graceful_test::varlink_peer;
namespace asio = graceful::asio;
namespace wire = graceful::wire;

namespace {

unique_fd listen_on(const std::string& path) {
  unique_fd listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener.get(), 64) == 0);
  return listener;
}

/// Records which methods are called, in order. Each call is answered at once.
struct host_fixture {
  host_fixture() { host.start(listener.get()); }
  ~host_fixture() { host.stop(); }

  varlink_peer connect() { return varlink_peer::connect(path); }

  /// Runs until a call of this method has been handled, or nothing is left to do.
  void run_until(const std::string& method) {
    while ((handled.empty() || handled.back() != method) && io.poll_one() > 0) {
    }
    REQUIRE_FALSE(handled.empty());
    REQUIRE(handled.back() == method);
  }

  graceful_test::temporary_directory directory;
  const std::string path = directory.path("control.sock");
  unique_fd listener = listen_on(path);
  asio::io_context io;
  graceful::log messages{[](graceful::log_level, std::string_view) {}, graceful::log_level::info};
  std::vector<std::string> handled;
  std::string needed;  // the session that has called this method is needed
  std::uint64_t needed_id = 0;
  std::weak_ptr<control_session> slow;  // has made a call that is not answered yet
  session_host host{io,
                    messages,
                    "control socket",
                    {.call =
                         [this](control_session& from, const wire::call& call) {
                           handled.push_back(call.method);
                           if (call.method == needed) needed_id = from.id();
                           if (call.method == "a.slow") {
                             slow = from.weak_from_this();
                           } else {
                             from.reply(wire::reply{});
                           }
                         },
                     .closed = [](const control_session&) {},
                     .needed = [this](const control_session& s) { return s.id() == needed_id; }}};
};

std::string calls(const std::string& method, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += R"({"method":")" + method + "\"}" + '\0';
  return all;
}

}  // namespace

TEST_CASE("peers that send a thousand calls at once delay another by one call each") {
  host_fixture f;
  constexpr int peers = 8;
  std::vector<varlink_peer> greedy;
  for (int i = 0; i < peers; ++i) {
    greedy.push_back(f.connect());
    greedy.back().send_raw(calls("a.flood", 1000));
  }
  f.run_until("a.flood");
  auto patient = f.connect();
  patient.send("{\"method\":\"a.question\"}");
  f.run_until("a.question");
  CHECK(f.handled.size() <= 4 * peers);  // the connections are accepted one by one meanwhile
}

TEST_CASE("between two calls of a peer the event loop runs once") {
  host_fixture f;
  auto greedy = f.connect();
  greedy.send_raw(calls("a.flood", 100));
  f.run_until("a.flood");
  f.handled.clear();
  bool heard = false;
  asio::post(f.io, [&] { heard = true; });
  while (!heard && f.io.poll_one() > 0) {
  }
  CHECK(heard);
  CHECK(f.handled.size() <= 1);
}

TEST_CASE("calls of an upgrade under way go before those of others, but not always") {
  host_fixture f;
  f.needed = "b.begin";
  auto successor = f.connect();
  successor.send("{\"method\":\"b.begin\"}");
  f.run_until("b.begin");
  std::vector<varlink_peer> greedy;
  for (int i = 0; i < 8; ++i) {
    greedy.push_back(f.connect());
    greedy.back().send_raw(calls("a.flood", 100));
  }
  while (f.handled.size() < 32 && f.io.poll_one() > 0) {
  }
  f.handled.clear();
  successor.send_raw(calls("b.fetch", 20));
  f.run_until("b.fetch");
  CHECK(f.handled.size() <= 3);
  f.handled.clear();
  f.run_until("a.flood");  // a successor that floods does not keep others out either
  CHECK(f.handled.size() <= 2);
}

TEST_CASE("a peer's calls are all answered, in order, however many it sends at once") {
  host_fixture f;
  auto peer = f.connect();
  peer.send_raw(calls("a.one", 700) + calls("a.two", 1));
  std::size_t answers = 0;
  while (f.io.poll_one() > 0) {
  }
  while (answers < 701 && peer.receive(graceful_test::deadline{std::chrono::seconds{5}})) {
    ++answers;
    f.io.poll();
  }
  CHECK(answers == 701);
  CHECK(f.handled.back() == "a.two");
}

TEST_CASE("calls that a peer has sent before it left are handled") {
  host_fixture f;
  std::string oneway;
  for (int i = 0; i < 3; ++i) oneway += std::string{R"({"method":"a.last","oneway":true})"} + '\0';
  f.connect().send_raw(oneway);
  f.io.poll();
  CHECK(f.handled == std::vector<std::string>(3, "a.last"));
}

TEST_CASE("a peer that has only ended its own side gets the answer to a call that takes time") {
  host_fixture f;
  auto peer = f.connect();
  peer.send_raw(calls("a.slow", 1));
  REQUIRE(::shutdown(peer.native_handle(), SHUT_WR) == 0);
  f.io.poll();
  const auto session = f.slow.lock();
  REQUIRE(session);
  session->reply(wire::reply{});
  CHECK(peer.receive(graceful_test::deadline{std::chrono::seconds{5}}));
  f.io.poll();
  CHECK(peer.closed_by_peer(graceful_test::deadline{std::chrono::seconds{5}}));
}

TEST_CASE("a peer that leaves while its call takes time is forgotten at once") {
  host_fixture f;
  {
    auto peer = f.connect();
    peer.send_raw(calls("a.slow", 1));
    f.io.poll();
    REQUIRE(f.slow.lock());
  }
  f.io.poll();
  CHECK_FALSE(f.slow.lock());
}

TEST_CASE("a session with a call that waits for its turn is not closed to make room for another") {
  host_fixture f;
  constexpr int most = 64;
  constexpr int each = 20;
  std::vector<varlink_peer> first;
  for (int i = 0; i < most; ++i) {
    first.push_back(f.connect());
    first.back().send_raw(calls("a.flood", each));
  }
  f.run_until("a.flood");
  std::vector<varlink_peer> later;
  for (int i = 0; i < most; ++i) {
    later.push_back(f.connect());
    later.back().send_raw(calls("a.late", 1));
    for (int k = 0; k < 4; ++k) f.io.poll_one();
  }
  f.io.poll();
  for (auto& peer : first) {
    int answers = 0;
    while (answers < each && peer.receive(graceful_test::deadline{std::chrono::seconds{5}})) {
      ++answers;
    }
    CHECK(answers == each);
  }
}
