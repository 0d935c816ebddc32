// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing/load.hpp>

#include "misbehaving_server.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <string>

using namespace graceful_test;

namespace {

verdict a_line(std::string_view reply) {
  if (reply.find('\n') == reply.npos) return verdict::incomplete;
  return reply.starts_with("pong") && reply.ends_with('\n') ? verdict::good : verdict::bad;
}

}  // namespace

TEST_CASE("an exchange sends the user's bytes and wants those that the user expects") {
  misbehaving_server server{[](peer& to, unsigned request) {
                              // Two pieces, which may arrive as one.
                              to.say("po");
                              to.say(request % 4 == 3 ? "ny\n" : "ng\n");
                            },
                            "ping\n"};
  load clients{exchange_load{
      .port = server.port(), .connections = 1, .request = "ping\n", .reply = "pong\n"}};
  REQUIRE(clients.wait_for(30, patience));
  const auto seen = clients.stop();
  INFO(seen.to_string());
  CHECK(seen.other == server.requests() / 4);
  CHECK(seen.lost() == seen.other);
  CHECK(seen.reconnects + 1 == server.accepted());
  CHECK(seen.failures.front().why == "not the reply wanted, 5 bytes");
}

TEST_CASE("a judge says where a reply ends and whether it is good, and may name its generation") {
  misbehaving_server server{[](peer& to, unsigned request) {
                              to.say("pong of " + std::to_string(1 + request / 20) + "\n");
                            },
                            "ping\n"};
  load clients{exchange_load{.port = server.port(),
                             .connections = 1,
                             .request = "ping\n",
                             .judge = a_line,
                             .generation = [](std::string_view reply) {
                               return std::stoull(std::string{reply.substr(8)});
                             }}};
  REQUIRE(clients.wait_for_generation(3, 5, patience));
  const auto seen = clients.stop();
  CHECK(seen.lost() == 0);
  CHECK(seen.served_by(1) == 20);
  CHECK(seen.served_by(2) == 20);
  CHECK(seen.reconnects == 0);
}

TEST_CASE("an exception of a judge means a bad reply") {
  misbehaving_server server{[](peer& to, unsigned) { to.say("pong\n"); }, "ping\n"};
  load clients{exchange_load{.port = server.port(),
                             .connections = 1,
                             .request = "ping\n",
                             .judge = [calls = 0](std::string_view) mutable {
                               if (++calls == 2) throw std::runtime_error{"not by me"};
                               if (calls == 3) throw calls;
                               return verdict::good;
                             }}};
  REQUIRE(clients.wait_for(5, patience));
  const auto seen = clients.stop();
  CHECK(seen.other == 2);
  CHECK(seen.lost() == 2);
  CHECK(seen.failures.front().why == "not by me");
  CHECK(seen.failures.back().why == "an exception that is no std::exception");
}

TEST_CASE("an exchange can use one connection each, and the server can send first") {
  misbehaving_server server{[](peer& to, unsigned request) {
                              to.say(request == 1 ? "220 rea" : "220 ready\r\n");
                              to.close();
                            },
                            ""};
  load clients{exchange_load{
      .port = server.port(), .connections = 1, .keep_alive = false, .reply = "220 ready\r\n"}};
  REQUIRE(clients.wait_for(10, patience));
  const auto seen = clients.stop();
  CHECK(seen.cut_short == 1);
  CHECK(seen.lost() == 1);
  CHECK(seen.failures.front().why == "closed within the reply");
  CHECK(seen.ok + 1 == server.accepted());
}

TEST_CASE("a stream is good if it is as long as promised, and it is not kept in memory") {
  const std::string body(3'000'000, 'x');
  misbehaving_server server{[&](peer& to, unsigned request) {
    const std::string whole = reply_of(1, body);
    to.say(request == 1 ? std::string_view{whole}.substr(0, 2'000'000) : std::string_view{whole});
    to.close();
  }};
  load clients{stream_load{.port = server.port(), .connections = 1}};
  REQUIRE(clients.wait_for(3, patience));
  const auto seen = clients.stop();
  INFO(seen.to_string());
  CHECK(seen.cut_short == 1);
  CHECK(seen.lost() == 1);
  CHECK(seen.served_by(1) == seen.ok);
  CHECK(seen.ok + seen.lost() == server.accepted());
}

TEST_CASE("a stream is read no faster than its pace") {
  const std::string body(40'000, 'x');
  misbehaving_server server{[&](peer& to, unsigned) {
    to.say(reply_of(1, body));
    to.close();
  }};
  load clients{stream_load{.port = server.port(), .connections = 1, .bytes_per_second = 100'000}};
  REQUIRE(clients.wait_for(1, patience));
  // The pauses after all pieces but the last, a twentieth of a second each.
  CHECK(clients.stop().max >= 340ms);  // of the first; stop() hurries the next
}

TEST_CASE("stopped streams are read to their end at full speed, and are whole") {
  const std::string body(100'000, 'x');
  std::atomic<int> under_way{0};
  misbehaving_server server{[&](peer& to, unsigned) {
    const std::string reply = reply_of(1, body);
    to.say(std::string_view{reply}.substr(0, 1000));
    ++under_way, under_way.notify_all();
    to.say(std::string_view{reply}.substr(1000));
    to.close();
  }};
  load clients{stream_load{.port = server.port(), .connections = 2, .bytes_per_second = 100}};
  for (int now = under_way; now < 2; now = under_way) under_way.wait(now);
  const auto seen = clients.stop();
  INFO(seen.to_string());
  CHECK(seen.ok == 2);
  CHECK(seen.lost() == 0);
}

TEST_CASE("a stream may last longer than its timeout, but no silence within it may") {
  misbehaving_server server{[&](peer& to, unsigned request) {
    bool listens = to.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
    for (int i = 0; listens && i < 99; ++i) {
      ::poll(nullptr, 0, 18);  // the pace of the drops
      listens = to.say("x");
    }
    if (request > 0) return to.stall();
    to.say("x");
    to.close();
  }};
  load clients{stream_load{.port = server.port(), .connections = 1, .timeout = 1500ms}};
  REQUIRE(clients.wait_for_lost(1, patience));
  const auto seen = clients.stop();
  INFO(seen.to_string());
  CHECK(seen.ok == 1);
  CHECK(seen.lost() == seen.timed_out);
  CHECK(seen.max > 1500ms);
}

TEST_CASE("a connection is ok once it is established, and is closed as asked") {
  for (const bool abort : {false, true}) {
    CAPTURE(abort);
    std::uint64_t connected = 0;
    unsigned resets = 0;
    {
      misbehaving_server server{[](peer&, unsigned) {}};
      load clients{connect_load{.port = server.port(), .connections = 2, .abort = abort}};
      REQUIRE(clients.wait_for(100, patience));
      const auto seen = clients.stop();
      CHECK(seen.lost() == 0);
      CHECK(server.requests() == 0);
      connected = seen.ok;
      const deadline until{patience};
      // Connections in the queue are accepted later.
      while (server.accepted() < connected && !until.passed()) std::this_thread::yield();
      CHECK(server.accepted() == connected);
      while (abort && server.resets_seen() < connected && !until.passed()) {
        std::this_thread::yield();
      }
      resets = server.resets_seen();
    }
    CHECK(resets == (abort ? connected : 0));
  }
}

TEST_CASE("a refused connection is counted as refused") {
  const closed_port nobody;
  load clients{connect_load{.port = nobody.number}};
  REQUIRE(clients.wait_for_lost(10, patience));
  const auto seen = clients.stop();
  CHECK(seen.ok == 0);
  CHECK(seen.lost() == seen.refused);
}

TEST_CASE("a slow client sends its request in pieces and is answered") {
  std::atomic<unsigned> pieces{0};
  misbehaving_server server{[&](peer& to, unsigned request) {
    if (request == 0) pieces = to.reads();
    to.say(reply_of(2));
  }};
  load clients{slow_load{.port = server.port(),
                         .connections = 1,
                         .send_bytes = 2,
                         .send_pause = 10ms,
                         .read_bytes = 10,
                         .read_pause = 10ms}};
  REQUIRE(clients.wait_for_generation(2, 1, patience));
  const auto seen = clients.stop();
  INFO(seen.to_string());
  CHECK(seen.lost() == 0);
  CHECK(pieces > 3);  // a busy machine may join some
  // "GET / ... Host: 127.0.0.1:N" in twos, the reply's 70 bytes in tens.
  CHECK(seen.max >= (18 + 6) * 10ms);  // of the first; stop() hurries the next
}

TEST_CASE("a slow client that is cut off has lost its request") {
  misbehaving_server server{[](peer& to, unsigned request) {
                              if (request == 0) return to.reset();
                              to.say(reply_of(1));
                            },
                            // It does not wait until the first line is complete.
                            "HTTP/1.1\r\n"};
  load clients{
      slow_load{.port = server.port(), .connections = 1, .send_bytes = 8, .send_pause = 1ms}};
  REQUIRE(clients.wait_for(1, patience));
  const auto seen = clients.stop();
  CHECK(seen.reset == 1);
  CHECK(seen.lost() == 1);
}
