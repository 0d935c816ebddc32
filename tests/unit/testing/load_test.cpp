// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing/http_connection.hpp>
#include <graceful/testing/load.hpp>

#include "misbehaving_server.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include <pthread.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

using namespace graceful_test;

namespace {

/// One client, and a server that misbehaves at its first request only.
load_report after_misbehaving_once(const std::function<void(peer&)>& how, http_load what = {}) {
  misbehaving_server server{[&](peer& to, unsigned request) {
    if (request == 0) return how(to);
    to.say(reply_of(1));
  }};
  what.port = server.port();
  what.connections = 1;
  load clients{what};
  REQUIRE(clients.wait_for(3, patience));
  auto seen = clients.stop();
  INFO(seen.to_string());
  CHECK(seen.lost() == 1);
  CHECK(seen.failures.size() == 1);
  CHECK(seen.reconnects == 1);  // a client that has lost a request continues with another
                                // connection
  CHECK(seen.served_by(1) == seen.ok);
  return seen;
}

// Set by a handler of the test if it gets a signal that was meant for one thread.
std::atomic<pid_t> meant_for;
std::atomic<std::uint64_t> taken;
std::atomic<bool> went_astray;

void on_signal(int /*number*/) {
  if (::gettid() != meant_for) went_astray = true;
  ++taken;
}

/// Sends one signal after the other to the process, with pauses in which threads can take them.
void send_signals(const std::stop_token& stop) {
  for (std::uint64_t sent = 0; !stop.stop_requested();) {
    ::kill(::getpid(), SIGUSR1);
    ++sent;
    while (taken < sent && !stop.stop_requested()) std::this_thread::yield();
    const deadline pause{std::chrono::microseconds{5}};
    while (!pause.passed()) continue;
  }
}

}  // namespace

TEST_CASE("no thread of a load takes a signal of the test, from its first moment on") {
  struct sigaction handled {
  }, before{};
  handled.sa_handler = on_signal;
  handled.sa_flags = SA_RESTART;
  sigset_t usr1;
  ::sigemptyset(&usr1);
  ::sigaddset(&usr1, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
  REQUIRE(::sigaction(SIGUSR1, &handled, &before) == 0);
  std::jthread maker{[&usr1] {
    meant_for = ::gettid();
    std::jthread sender{send_signals};
    const closed_port nobody;
    for (int i = 0; i < 20; ++i) {
      ::pthread_sigmask(SIG_UNBLOCK, &usr1, nullptr);
      const load clients{http_load{.port = nobody.number, .connections = 10}};
      // Blocks the signal while threads are joined: where pthread_join frees their memory,
      // ThreadSanitizer runs the handler with its own lock held, for which the handler waits.
      ::pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
    }
  }};
  maker.join();
  CHECK(taken > 0);
  CHECK_FALSE(went_astray);
  ::signal(SIGUSR1, SIG_IGN);  // discards a signal that no thread has taken
  ::sigaction(SIGUSR1, &before, nullptr);
  ::pthread_sigmask(SIG_UNBLOCK, &usr1, nullptr);
}

TEST_CASE("a port where nobody listens is counted as refused") {
  const closed_port nobody;
  load clients{http_load{.port = nobody.number, .connections = 3}};
  REQUIRE(clients.wait_for_lost(20, patience));
  const auto seen = clients.stop();
  CHECK(seen.refused >= 20);
  CHECK(seen.lost() == seen.refused);
  CHECK(seen.ok == 0);
  CHECK(seen.failures.front().why == "connect: Connection refused");
}

TEST_CASE("a reset is counted as a reset, before the reply and within it") {
  CHECK(after_misbehaving_once([](peer& to) { to.reset(); }).reset == 1);
  CHECK(after_misbehaving_once([](peer& to) {
          to.say("HTTP/1.1 200 OK\r\n");
          to.reset();
        }).reset == 1);
  CHECK(after_misbehaving_once([](peer& to) {
          to.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
          to.reset();
        }).reset == 1);
}

TEST_CASE("a reply is cut short before it begins, in its head, or in its body") {
  for (const char* said :
       {"", "HTTP/1.1 200 OK\r\nConte", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"}) {
    CAPTURE(said);
    CHECK(after_misbehaving_once([&](peer& to) {
            to.say(said);
            to.close();
          }).cut_short == 1);
  }
}

TEST_CASE("a server that stalls is given up in time, whether it has begun to reply or not") {
  for (const char* said : {"", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"}) {
    CAPTURE(said);
    const auto seen = after_misbehaving_once(
        [&](peer& to) {
          to.say(said);
          to.stall();
        },
        {.timeout = 1s});
    CHECK(seen.timed_out == 1);
    CHECK(seen.failures.front().after >= 1s);
  }
}

TEST_CASE("a reply that drips is given up in time, even if each of its bytes is prompt") {
  const auto seen = after_misbehaving_once(
      [](peer& to) {
        bool listens = to.say("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
        while (listens) {
          ::poll(nullptr, 0, 10);  // the pace of the drops
          listens = to.say("x");
        }
        to.close();
      },
      {.timeout = 1s});
  CHECK(seen.timed_out == 1);
}

TEST_CASE("a reply that is not the wanted one is lost, with the reason") {
  for (const auto& each : {
           std::pair{"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
                     "status line: HTTP/1.1 500 Oops"},
           {"garbage", "no HTTP/1.1: garbage"},
           {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhello", "bytes after the reply"},
           {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "Content-Length: -1"},
       }) {
    const char* const said = each.first;  // clang 14 cannot capture a structured binding
    const char* const why = each.second;
    CAPTURE(said);
    const auto seen = after_misbehaving_once([&](peer& to) { to.say(said); });
    CHECK(seen.other == 1);
    CHECK(seen.failures.front().why == why);
  }
}

TEST_CASE("a kept connection that is closed between requests costs the next one") {
  const auto seen = [] {
    misbehaving_server server{[](peer& to, unsigned request) {
      to.say(reply_of(1));
      if (request == 0) to.close();
    }};
    load clients{http_load{.port = server.port(), .connections = 1}};
    REQUIRE(clients.wait_for(3, patience));
    return clients.stop();
  }();
  INFO(seen.to_string());
  // It depends on whether the close arrives before the next request.
  CHECK(seen.cut_short + seen.reset == 1);
  CHECK(seen.lost() == 1);
  CHECK(seen.reconnects == 1);
}

TEST_CASE("a close that was announced costs nothing") {
  misbehaving_server server{[](peer& to, unsigned) {
    to.say("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    to.close();
  }};
  load clients{http_load{.port = server.port(), .connections = 2}};
  REQUIRE(clients.wait_for(20, patience));
  const auto seen = clients.stop();
  CHECK(seen.lost() == 0);
  CHECK(seen.ok + seen.lost() == server.requests());
  CHECK(seen.reconnects == seen.ok - 2);
}

TEST_CASE("after the last reply of a connection only its end may come") {
  const std::string said = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
  CHECK(after_misbehaving_once([&](peer& to) { to.say(said), to.reset(); }).reset == 1);
  CHECK(after_misbehaving_once([&](peer& to) { to.say(said), to.stall(); }, {.timeout = 1s})
            .timed_out == 1);
}

TEST_CASE("each of many failures is counted, none twice, while other requests succeed") {
  for (const bool keep_alive : {true, false}) {
    CAPTURE(keep_alive);
    std::atomic<unsigned> reset{0}, cut{0}, wrong{0}, old{0}, latest{0};
    misbehaving_server server{[&](peer& to, unsigned request) {
      if (request % 7 == 3) return ++reset, to.reset();
      if (request % 5 == 2) {
        ++cut;
        to.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
        return to.close();
      }
      if (request % 11 == 4) {
        ++wrong;
        to.say("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        return to.close();
      }
      const bool first = request < 200;
      ++(first ? old : latest);
      to.say(reply_of(first ? 1 : 2));
      if (!keep_alive) to.close();
    }};
    load clients{http_load{.port = server.port(), .connections = 6, .keep_alive = keep_alive}};
    REQUIRE(clients.wait_for_generation(2, 300, patience));
    const auto seen = clients.stop();
    INFO(seen.to_string());
    CHECK(reset > 0);
    CHECK(cut > 0);
    CHECK(wrong > 0);
    CHECK(seen.reset == reset);
    CHECK(seen.cut_short == cut);
    CHECK(seen.other == wrong);
    CHECK(seen.refused + seen.timed_out == 0);
    CHECK(seen.served_by(1) == old);
    CHECK(seen.served_by_latest() == latest);
    CHECK(seen.ok == old + latest);
    CHECK(seen.ok + seen.lost() == server.requests());
  }
}

TEST_CASE("a load can choose the header that names the generation") {
  misbehaving_server server{[](peer& to, unsigned) {
    to.say("HTTP/1.1 200 OK\r\nX-Served-By: gen-1\r\nInstance: gen-5\r\nContent-Length: 0\r\n\r\n");
  }};
  load clients{http_load{.port = server.port(), .served_by = "Instance"}};
  REQUIRE(clients.wait_for_generation(5, 10, patience));
  const auto seen = clients.stop();
  CHECK(seen.served_by(5) == seen.ok);
}

TEST_CASE("a load can be moved, stops when it is assigned to, and reports its end repeatedly") {
  misbehaving_server first{[](peer& to, unsigned) { to.say(reply_of(1)); }};
  misbehaving_server second{[](peer& to, unsigned) { to.say(reply_of(2)); }};
  load clients{http_load{.port = first.port()}};
  REQUIRE(clients.wait_for(10, patience));
  clients = load{http_load{.port = second.port()}};
  const unsigned stopped_at = first.requests();
  load moved{std::move(clients)};
  REQUIRE(moved.wait_for_generation(2, 10, patience));
  CHECK(moved.ok_so_far() >= 10);
  CHECK(first.requests() == stopped_at);
  const auto seen = moved.stop();
  CHECK(seen.by_generation.size() == 1);
  CHECK(moved.stop().ok == seen.ok);
  CHECK_FALSE(moved.wait_for(1, patience));  // at once
}

TEST_CASE("a wait ends as soon as more is lost than allowed") {
  const closed_port nobody;
  load clients{http_load{.port = nobody.number, .connections = 1}};
  const deadline until{patience};
  CHECK_FALSE(clients.wait_for(1, until, 0));
  CHECK_FALSE(clients.wait_for_generation(1, 1, until, 20));
  CHECK_FALSE(until.passed());
  CHECK(clients.stop().refused > 20);
}

TEST_CASE("a wait continues as long as no more is lost than allowed") {
  misbehaving_server server{[](peer& to, unsigned request) {
    if (request < 5) return to.reset();
    to.say(reply_of(1));
  }};
  load clients{http_load{.port = server.port(), .connections = 1}};
  CHECK(clients.wait_for(20, patience, 5));
  CHECK(clients.stop().lost() == 5);
}

TEST_CASE("invalid values are refused") {
  CHECK_THROWS_AS(load(http_load{.port = 1, .connections = 0}), std::invalid_argument);
  CHECK_THROWS_AS(load(http_load{.port = 1, .rate = -1}), std::invalid_argument);
  CHECK_THROWS_AS(load(http_load{.port = 1, .timeout = 0ms}), std::invalid_argument);
  CHECK_THROWS_AS(load(exchange_load{.port = 1}), std::invalid_argument);
  CHECK_THROWS_AS(load(http_load{.host = "no host", .port = 1}), std::runtime_error);
}

TEST_CASE("a client that is told that its connection closes closes its half") {
  std::promise<void> closed;
  misbehaving_server server{[&](peer& to, unsigned) {
    to.say("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    to.stall();  // until then
    closed.set_value();
  }};
  http_connection connection{resolve("127.0.0.1", server.port(), patience), 0};
  CHECK(connection.exchange("GET / HTTP/1.1\r\nHost: test\r\n\r\n").closes);
  CHECK(closed.get_future().wait_for(patience) == std::future_status::ready);
}

TEST_CASE("a signal does not disturb a request") {
  static std::atomic<int> caught;
  struct sigaction action {};
  action.sa_handler = [](int) { ++caught; };  // no SA_RESTART
  struct sigaction before {};
  ::sigaction(SIGUSR1, &action, &before);
  const pthread_t client = ::pthread_self();
  misbehaving_server server{[&](peer& to, unsigned) {
    for (int i = 1; i <= 5; ++i) {
      ::pthread_kill(client, SIGUSR1);
      while (caught < i) std::this_thread::yield();
    }
    to.say(reply_of(4));
  }};
  {
    http_connection connection{resolve("127.0.0.1", server.port(), patience), 0};
    CHECK(connection.exchange("GET / HTTP/1.1\r\nHost: test\r\n\r\n").generation == 4);
  }
  CHECK(caught == 5);
  ::sigaction(SIGUSR1, &before, nullptr);
}
