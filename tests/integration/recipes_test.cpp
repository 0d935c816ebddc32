// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// The programs of docs/guide.md, "Recipes": each is upgraded twice while clients come and go.
#include "kit_servers.hpp"
#include "server_fixture.hpp"
#include "testing/client_socket.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace graceful_test;

namespace {

/// A client that sends and receives any text.
class talker {
 public:
  explicit talker(std::uint16_t port)
      : socket_{resolve("127.0.0.1", port, patience), 0, deadline{patience}} {}

  void say(std::string_view text) { socket_.send(text, deadline{patience}); }

  /// Everything up to the end of `text`, whenever that comes.
  std::string hear(std::string_view text) {
    auto at = heard_.find(text);
    for (; at == std::string::npos; at = heard_.find(text)) {
      if (!receive()) throw std::runtime_error{"the server closed after: " + heard_};
    }
    const auto all = heard_.substr(0, at + text.size());
    heard_.erase(0, all.size());
    return all;
  }

  std::string ask(std::string_view line) {
    say(line);
    return hear("\n");
  }

  void hears_the_end() {
    while (receive()) continue;
  }

 private:
  bool receive() try {
    std::array<char, 4096> buffer{};
    const auto size = socket_.receive(buffer, deadline{patience});
    heard_.append(buffer.data(), size);
    return size > 0;
  } catch (const request_lost& lost) {
    throw std::runtime_error{lost.why + ", after: " + heard_};
  }

  client_socket socket_;
  std::string heard_;
};

/// A running recipe.
class recipe {
 public:
  explicit recipe(const std::string& name)
      : server_{scene_.start({from_build("RECIPES") + '/' + name, control(), "0"})} {
    if (!server_.wait_for_output("listening on ", patience)) {
      throw std::runtime_error{name + " does not start: " + server_.output()};
    }
    const auto line = server_.stdout_text();
    port_ = static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)));
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// Commits the new process as soon as it is ready.
  void upgrade() {
    REQUIRE(ctl({"upgrade", control(), "--until", "ready"}).status == "exited 0");
    REQUIRE(ctl({"commit", control()}).status == "exited 0");
  }

  bool status_comes_to_say(std::string_view text) {
    return eventually([&] { return contains(ctl({"status", control()}).all, text); }, patience);
  }

  /// The first process has ended, as its clients have gone.
  void first_has_ended() {
    const auto end = server_.wait_exit(patience);
    INFO(scene_.report());
    CHECK(end.exited(0));
    CHECK_FALSE(contains(server_.output(), "options::linger"));  // nothing had to be stopped
  }

  /// Ends the last process; none may be left.
  void ends() {
    CHECK(ctl({"drain", control()}).status == "exited 0");
    CHECK(scene_.wait_all_gone(patience));
  }

 private:
  [[nodiscard]] std::string control() const { return scene_.path("control.sock"); }
  finished ctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), from_build("GRACEFUL_CTL"));
    auto done = run(scene_, std::move(arguments));
    INFO(done.all);
    CHECK(done.status == "exited 0");
    return done;
  }

  scene scene_;
  process& server_;
  std::uint16_t port_;
};

constexpr std::uint64_t some_requests = 20;

/// The generation in "generation N"; 0 if there is none.
std::uint64_t told_generation(std::string_view reply) {
  constexpr std::string_view word = "generation ";
  const auto at = reply.rfind(word);
  if (at == std::string_view::npos) return 0;
  return std::strtoull(std::string{reply.substr(at + word.size())}.c_str(), nullptr, 10);
}

/// New connections, each of which sends one request and ends when it has received `end`.
exchange_load connecting(const recipe& to, const std::string& request, const std::string& end) {
  return {.port = to.port(),
          .connections = 4,
          .keep_alive = false,
          .request = request,
          .judge =
              [end](std::string_view reply) {
                return contains(reply, end) ? verdict::good : verdict::incomplete;
              },
          .generation = told_generation};
}

/// Loses nothing, and reaches the new process each time.
template <class Load>
void upgrade_twice(recipe& server, const Load& what) {
  load clients{what};
  REQUIRE(clients.wait_for(some_requests, patience, 0));
  for (std::uint64_t generation = 2; generation <= 3; ++generation) {
    server.upgrade();
    CHECK(clients.wait_for_generation(generation, some_requests, patience, 0));
  }
  const auto seen = clients.stop();
  INFO(seen.to_string());
  CHECK(seen.lost() == 0);
}

/// One client stays from beginning to end with the process that has accepted it.
void answer_lines(const char* name, const char* left) {
  CAPTURE(name);
  recipe server{name};
  {
    talker held{server.port()};
    CHECK(held.ask("one\n") == "generation 1: one\n");
    upgrade_twice(server, connecting(server, "new\n", "new\n"));
    CHECK(server.status_comes_to_say(left));
    CHECK(held.ask("two\n") == "generation 1: two\n");
    CHECK(talker{server.port()}.ask("three\n") == "generation 3: three\n");
  }
  server.first_has_ended();
  server.ends();
}

const std::string handshake =
    "GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A frame as a client must send it: masked, here with zeros.
std::string frame(char opcode, const std::string& payload) {
  std::string bytes{static_cast<char>(0x80 | opcode), static_cast<char>(0x80 | payload.size())};
  return bytes + std::string(4, '\0') + payload;
}

constexpr char text_frame = 1;
constexpr char close_frame = 8;
const std::string going_away{"\x03\xe9"};  // 1001

}  // namespace

TEST_CASE("an unchanged Asio loop can be upgraded, and status shows no number of connections") {
  answer_lines("asio_loop", ", drains, waiting for what still runs; no connection is tracked\n");
}

TEST_CASE("a framework that binds by itself can be upgraded through its hook") {
  answer_lines("framework", ", drains, waiting for what still runs; no connection is tracked\n");
}

TEST_CASE("a pool of threads can be upgraded, and its threads end with the last connection") {
  answer_lines("pool", ", drains, 1 connection left\n");
}

TEST_CASE("a Beast server is upgraded, and no request on a kept connection is lost") {
  recipe server{"beast"};
  upgrade_twice(server, http_load{.port = server.port(), .connections = 4});
  server.first_has_ended();
  server.ends();
}

TEST_CASE("a WebSocket++ server is upgraded, and tells its clients that it goes away") {
  if (from_build("WITH_WEBSOCKETPP") != "true") {
    MESSAGE("skipped: built without WebSocket++");
    return;
  }
  recipe server{"websocketpp"};
  talker held{server.port()};
  held.say(handshake);
  held.hear("\r\n\r\n");
  held.say(frame(text_frame, "one"));
  held.hear("generation 1: one");
  upgrade_twice(server, connecting(server, handshake + frame(text_frame, "new"), ": new"));
  held.hear(going_away + "connect again");
  held.say(frame(close_frame, going_away));
  held.hears_the_end();
  server.first_has_ended();
  server.ends();
}

TEST_CASE("a push server says goodbye, and its clients continue with the new process") {
  recipe server{"push"};
  talker listener{server.port()};
  CHECK(listener.hear("\n") == "generation 1: 0\n");
  CHECK(listener.hear("\n") == "generation 1: 1\n");
  upgrade_twice(server, connecting(server, "", "\n"));
  listener.hear("good-bye, connect again\n");
  listener.hears_the_end();
  CHECK(talker{server.port()}.hear("\n") == "generation 3: 0\n");
  server.first_has_ended();
  server.ends();
}

TEST_CASE("in an upgraded chat old clients talk to old ones until they reconnect") {
  recipe server{"chat"};
  {
    talker ann{server.port()};
    ann.hear("* generation 1\n");
    talker ben{server.port()};
    ben.hear("* generation 1\n");
    server.upgrade();
    ann.hear("* connect again\n");
    ben.hear("* connect again\n");
    talker cat{server.port()};
    cat.hear("* generation 2\n");
    ann.say("is anybody there?\n");
    CHECK(ben.hear("\n") == "is anybody there?\n");
    CHECK(cat.ask("hello\n") == "hello\n");  // the first text that it receives
  }
  server.first_has_ended();
  talker ann{server.port()};
  ann.hear("* generation 2\n");
  talker ben{server.port()};
  ben.hear("* generation 2\n");
  ben.say("all here?\n");
  CHECK(ann.hear("\n") == "all here?\n");
}

TEST_CASE("new clients can join a chat during its upgrade") {
  recipe server{"chat"};
  upgrade_twice(server, connecting(server, "new\n", "new\n"));
  server.first_has_ended();
  server.ends();
}
