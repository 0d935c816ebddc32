// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/predecessor_watch.hpp"

#include "os/control_path.hpp"
#include "wire/handoff_messages.hpp"

#include "temporary_directory.hpp"
#include "varlink_peer.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace graceful_test;
using namespace std::chrono_literals;
using graceful::giving_up_watch;
using graceful::predecessor_watch;
using graceful::unique_fd;
using seen = giving_up_watch::seen;
namespace asio = graceful::asio;

namespace {

constexpr std::string_view aborted =
    R"({"error":"io.graceful.Handoff.Aborted","parameters":{"message":"not ready in time"}})";
constexpr std::string_view ask_again = R"({"parameters":{"settled":false}})";
constexpr std::string_view settled = R"({"parameters":{"settled":true}})";

/// A watch, and the predecessor that it watches: a socket, and a pipe in place of a pidfd, which
/// becomes readable when the predecessor dies.
class predecessor_fixture {
 public:
  predecessor_fixture() {
    watch_.start();
    io.poll();
  }
  ~predecessor_fixture() {
    watch_.leave();
    io.poll();
  }

  /// Post it to make it happen after the events that already wait.
  void die() { REQUIRE(::write(death_.get(), "x", 1) == 1); }
  void live_on() {
    char byte = 0;
    REQUIRE(::read(pidfd_, &byte, 1) == 1);
  }
  void close() { predecessor_ = varlink_peer{unique_fd{}}; }
  void say(std::string_view text) { REQUIRE(predecessor_.send(text)); }

  /// How often it has called Settle since the last time.
  int asked() {
    int count = 0;
    while (const auto text = predecessor_.receive(0ms)) {
      CHECK(text->find("Settle") != std::string::npos);
      ++count;
    }
    return count;
  }

  /// Blocks while a deadline of the watch, of this length, passes.
  static void stall(std::chrono::milliseconds time) {
    asio::io_context other;
    asio::steady_timer{other, time}.wait();
  }

  predecessor_watch& operator*() { return watch_; }

  asio::io_context io;
  int committed = 0, rolled_back = 0;
  std::string why;

 private:
  graceful::log quiet_{[](auto, auto) {}};
  temporary_directory directory_;
  unique_fd control_ = graceful::os::bind_control(directory_.path("s")).value();
  unique_fd death_;
  int pidfd_ = -1;
  varlink_peer predecessor_{unique_fd{}};
  predecessor_watch watch_{io,
                           quiet_,
                           make(),
                           directory_.path("s"),
                           {[](const auto& vouch) { vouch({}); }, [&] { ++committed; },
                            [&](const std::string& reason) {
                              ++rolled_back;
                              why = reason;
                            }}};

  predecessor_watch::predecessor make() {
    int ends[2], life[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    REQUIRE(::pipe2(life, O_CLOEXEC | O_NONBLOCK) == 0);
    predecessor_ = varlink_peer{unique_fd{ends[1]}};
    death_ = unique_fd{life[1]};
    pidfd_ = life[0];
    return {.pid = ::getpid(),
            .connection = unique_fd{ends[0]},
            .incoming = graceful::wire::framer{1024},
            .pidfd = unique_fd{life[0]}};
  }
};

/// A connection with a watch on it, and the results of the next looks.
struct given_up_fixture {
  given_up_fixture() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    ours = unique_fd{ends[0]};
    peer = unique_fd{ends[1]};
    watch.start(ours.get());
    io.poll();
  }

  void say() { REQUIRE(::write(peer.get(), "x", 1) == 1); }
  void take() {
    char byte = 0;
    REQUIRE(::read(ours.get(), &byte, 1) == 1);
  }

  asio::io_context io;
  unique_fd ours, peer;
  seen next = seen::nothing;
  int looks = 0;
  giving_up_watch watch{io, {.look = [this] {
                          ++looks;
                          return next;
                        }}};
};

}  // namespace

TEST_CASE("a spurious wake-up is not taken for the death of the predecessor") {
  predecessor_fixture w;
  // Asio sees that it is readable. A handler that runs before the wait completes makes that untrue.
  w.die();
  bool lives = false;
  asio::post(w.io, [&] {
    w.live_on();
    lives = true;
  });
  w.io.poll();
  CHECK(lives);
  REQUIRE(w.committed == 0);

  w.die();
  w.io.poll();
  CHECK(w.committed == 1);
  CHECK(w.rolled_back == 0);
}

TEST_CASE("a predecessor's last message counts, even if its death is seen first") {
  predecessor_fixture w;
  w.die();  // first, so that its death is the first event
  w.say(aborted);
  w.io.poll();
  CHECK(w.committed == 0);
  CHECK(w.rolled_back == 1);
  CHECK(w.why == "not ready in time");
}

TEST_CASE("a question that a predecessor asked before it died does not prevent the commit") {
  predecessor_fixture w;
  w.die();
  w.say(ask_again);
  w.say(settled);
  w.io.poll();
  CHECK(w.committed == 1);
  CHECK(w.rolled_back == 0);
}

TEST_CASE("a predecessor whose death is noticed late counts as dead when its connection ended") {
  predecessor_fixture w;
  w.close();
  w.io.poll();
  predecessor_fixture::stall(1010ms);
  // The deadline's handler follows this one, and the death is not among the events yet.
  asio::post(w.io, [&] { w.die(); });
  w.io.poll();
  CHECK(w.committed == 1);
  CHECK(w.rolled_back == 0);
}

TEST_CASE("a successor that has lost the connection to a live predecessor gives up") {
  predecessor_fixture w;
  w.close();
  w.io.poll();
  predecessor_fixture::stall(1010ms);
  w.io.poll();
  CHECK(w.committed == 0);
  CHECK(w.rolled_back == 1);
}

TEST_CASE("a successor confirms when it is asked, except when it is about to end") {
  predecessor_fixture w;
  CHECK(w.asked() == 1);
  w.say(ask_again);
  w.io.poll();
  CHECK(w.asked() == 1);

  (*w).ask_back("the successor was told to end");
  w.say(ask_again);
  w.io.poll();
  CHECK(w.asked() == 0);
  CHECK(w.committed + w.rolled_back == 0);
  w.say(aborted);
  w.io.poll();
  CHECK(w.rolled_back == 1);
}

TEST_CASE("the answer to a request to roll back counts, however late it is read") {
  predecessor_fixture w;
  (*w).ask_back("the successor was told to end");
  predecessor_fixture::stall(2010ms);
  asio::post(w.io, [&] { w.say(settled); });
  w.io.poll();
  CHECK(w.committed == 1);
  CHECK(w.rolled_back == 0);
}

TEST_CASE("a spurious wake-up does not end the wait for a predecessor that gives up") {
  given_up_fixture w;
  w.say();
  // A handler that runs before the wait completes makes the completion spurious.
  asio::post(w.io, [&] { w.take(); });
  w.io.poll();
  CHECK(w.looks == 1);

  w.next = seen::enough;
  w.say();
  w.io.poll();
  CHECK(w.looks == 2);
}

TEST_CASE("a watch that has seen enough is not woken again and again") {
  given_up_fixture w;
  w.next = seen::enough;
  w.peer.reset();  // readable from now on
  for (int i = 0; i < 100; ++i) w.io.poll_one();
  CHECK(w.looks == 1);
  CHECK(w.io.stopped());
}

TEST_CASE("a look that a busy application prevents is made later") {
  given_up_fixture w;
  w.next = seen::busy;
  w.say();
  w.io.poll();
  CHECK(w.looks == 1);
  w.next = seen::enough;
  w.io.run_for(10s);
  CHECK(w.looks == 2);
}

TEST_CASE("a watch that has been stopped does not look any more") {
  given_up_fixture w;
  w.next = seen::busy;
  w.say();
  w.io.poll();
  w.watch.stop();
  w.io.run_for(10s);
  CHECK(w.looks == 1);
}
