// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// Which process is the server: upgrades move it, and so does a supervisor that is new.
#include "keeper_fixture.hpp"
#include "keeper_world.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <utility>

#include <signal.h>

using namespace graceful_test;
using supervision::phase;

TEST_CASE("the server names its successor; its own end, later, changes nothing") {
  auto k = serving();
  CHECK(k.says(7, "MAINPID=8\nREADY=1\nSTATUS=generation 2 serves") == "follow 8");
  CHECK(k.memory().main == 8);
  CHECK(k.memory().status == "generation 2 serves");
  k.says(7, "STATUS=draining");
  CHECK(k.memory().status == "generation 2 serves");
  CHECK(k.exits(7, 0) == "");
  CHECK(k.killed(8, SIGKILL) == "");
  CHECK(k.phase() == phase::waiting);
  CHECK(k.after(100ms) == "start");
}

TEST_CASE("an older process that fails while it drains does not count as a failure of the server") {
  auto k = serving();
  k.says(7, "MAINPID=8\nREADY=1");
  CHECK(k.killed(7, SIGSEGV) == "");
  CHECK(k.phase() == phase::serving);
  CHECK(k.memory().failures == 0);
}

TEST_CASE("failures that a server has made up for by a good while do not count for its successor") {
  for (const auto& [served, counted] : {std::pair{10s, 1U}, std::pair{9s, 2U}}) {
    keeper_fixture k;
    k.begin();
    k.started(6);
    k.exits(6, 1);
    k.after(100ms);
    k.started(7);
    k.says(7, "READY=1");
    k.after(served);
    k.says(7, "MAINPID=8\nREADY=1");
    k.after(3s);
    k.killed(8, SIGSEGV);
    CHECK(k.memory().failures == counted);
  }
}

TEST_CASE("only the server can name its successor while it lives") {
  auto k = serving();
  CHECK(k.says(9, "MAINPID=9\nREADY=1") == "");
  CHECK(k.noted("pid 9 says that pid 9 is the main process, which only the main process may say"));
  CHECK(k.says(0, "MAINPID=9") == "");
  CHECK(k.memory().main == 7);
}

TEST_CASE("a server behind a shell speaks for itself") {
  auto k = started();
  k.says(8, "STATUS=starting");
  k.says(8, "READY=1");
  CHECK(k.memory().main == 7);
  CHECK(k.says(8, "MAINPID=9\nREADY=1") == "follow 9");
  CHECK(k.exits(7, 0) == "");
  CHECK(k.exits(9, 0) == "finish 0");
}

TEST_CASE("a server outlives the shell around it, and is told what the shell was told") {
  auto k = started();
  k.says(8, "READY=1");
  CHECK(k.told(SIGTERM) == "send 15 to 7");
  CHECK(k.exits_before_speaker(7, 143) == "follow 8");
  CHECK(k.memory().main == 8);
  CHECK(k.after(1s) == "send 15 to 8");
  CHECK(k.next() == -1ms);
  CHECK(k.exits(8, 0) == "finish 0");

  auto alone = started();
  alone.says(8, "READY=1");
  CHECK(alone.exits_before_speaker(7, 1) == "follow 8");
  CHECK(alone.noted(
      "pid 7 exited with status 1; pid 8, which it has started, said that it is ready"));
  CHECK(alone.phase() == phase::serving);
  CHECK(alone.memory().failures == 0);
  CHECK(alone.after(1h) == "");
}

TEST_CASE("a server that the shell has told to end is not told again") {
  for (const bool before : {true, false}) {
    auto k = started();
    k.says(8, "READY=1");
    k.told(SIGTERM);
    if (before) k.says(8, "STOPPING=1");
    k.exits_before_speaker(7, 143);
    if (!before) k.says(8, "STOPPING=1");
    CHECK(k.after(1h) == "");
    CHECK(k.vanishes(8) == "finish 0");
  }
}

TEST_CASE("a server that a shell has started again replaces the previous speaker") {
  auto k = started();
  CHECK(k.says(8, "READY=1") == "follow 8");
  k.vanishes(8);
  CHECK(k.says(9, "READY=1") == "follow 9");
  CHECK(k.memory().speaker == 9);
  CHECK(k.says(10, "READY=1") == "");
  CHECK(k.memory().speaker == 9);
}

TEST_CASE("a helper that reports ready does not become the server") {
  auto k = started();
  k.says(9, "READY=1");
  CHECK(k.exits(9, 0) == "");
  CHECK(k.memory().main == 7);
  CHECK(k.says(9, "MAINPID=9") == "");
  CHECK(k.memory().main == 7);
}

TEST_CASE(
    "a successor that lost its predecessor can name itself, before or after another is started") {
  auto k = serving();
  k.killed(7, SIGKILL);
  CHECK(k.says(8, "MAINPID=8\nREADY=1") == "follow 8");
  CHECK(k.phase() == phase::serving);
  CHECK(k.after(1h) == "");
  CHECK(k.memory().restarts == 0);

  auto later = serving();
  later.killed(7, SIGKILL);
  later.after(100ms);
  later.started(9);
  later.says(9, "STATUS=starting");
  CHECK(later.says(8, "MAINPID=8\nREADY=1") == "follow 8");
  CHECK(later.exits(9, 1) == "");
  CHECK(later.memory().main == 8);
  CHECK(later.next() == -1ms);
}

TEST_CASE("a main process that is gone by the time it is named is a failure") {
  auto k = serving();
  k.says(7, "MAINPID=8\nREADY=1");
  CHECK(k.vanishes(8) == "");
  CHECK(k.noted("the server (pid 8) ended; starting it again"));
  CHECK(k.phase() == phase::waiting);
}

TEST_CASE("a process that becomes the server after the order to end gets that order too") {
  auto k = serving();
  CHECK(k.told(SIGTERM) == "send 15 to 7");
  CHECK(k.says(7, "MAINPID=8\nREADY=1") == "follow 8, send 15 to 8");
  CHECK(k.exits(8, 0) == "release");
  CHECK(k.noted("1 older process still drains"));
  CHECK(k.phase() == phase::ending);
  CHECK(k.told(SIGTERM) == "send 15 to 7");
  CHECK(k.exits(7, 0) == "finish 0");
}

TEST_CASE("older processes that drain are waited for, and the server's own end decides the code") {
  auto k = serving();
  k.says(7, "MAINPID=8\nREADY=1");
  k.says(8, "MAINPID=9\nREADY=1");
  k.told(SIGTERM);
  CHECK(k.exits(9, 0) == "release");
  CHECK(k.exits(7, 1) == "");
  CHECK(k.exits(8, 1) == "finish 0");
}

TEST_CASE("kept descriptors are released when a server is given up, and not before") {
  auto k = serving();
  k.says(7, "MAINPID=8\nREADY=1");
  pid_t newest = 8;
  for (unsigned failure = 1; failure < limits.failures; ++failure) {
    CHECK(k.killed(newest, SIGKILL) == "");
    CHECK(k.after(1s) == "start");
    k.started(++newest);
  }
  CHECK(k.killed(newest, SIGKILL) == "release");
  CHECK(k.phase() == phase::ending);
  CHECK(k.says(20, "MAINPID=20\nREADY=1") == "keep, follow 20");
  CHECK(k.phase() == phase::serving);
  CHECK(k.memory().failures == 0);
  CHECK(k.exits(20, 0) == "release");
  CHECK(k.exits(7, 0) == "finish 0");
}

TEST_CASE("kept descriptors are also released if the service is told to end before a restart") {
  auto k = serving();
  k.says(7, "MAINPID=8\nREADY=1");
  k.killed(8, SIGKILL);
  CHECK(k.told(SIGTERM) == "release");
  CHECK(k.exits(7, 0) == "finish 137");
}

TEST_CASE("a successor that was rolled back, and drains, is waited for like an older process") {
  auto k = serving();
  CHECK(k.says(8, "X_GRACEFUL_WENT_BACK=1") == "follow 8");
  CHECK(k.says(8, "X_GRACEFUL_WENT_BACK=1") == "");
  CHECK(k.says(7, "X_GRACEFUL_WENT_BACK=1") == "");  // it serves
  CHECK(k.says(0, "X_GRACEFUL_WENT_BACK=1") == "");  // not visible from here
  CHECK(k.memory().main == 7);
  k.told(SIGTERM);
  CHECK(k.exits(7, 0) == "release");
  CHECK(k.exits(8, 0) == "finish 0");
}

TEST_CASE("an upgrade that was rolled back changes nothing") {
  auto k = serving();
  k.says(7, "RELOADING=1\nMONOTONIC_USEC=1");
  k.says(7, "READY=1\nSTATUS=the upgrade failed");
  CHECK(k.exits(8, 1) == "");
  CHECK(k.memory().main == 7);
  CHECK(k.next() == -1ms);
}

TEST_CASE("a new supervisor adopts a running server, whichever process claims to be it") {
  keeper_fixture k;
  CHECK(k.on(supervision::event::adopt{7}) == "follow 7");
  CHECK(k.says(7, "STATUS=generation 1 serves") == "");
  CHECK(k.after(1h) == "");  // it may have said long ago that it is ready
  CHECK(k.says(8, "MAINPID=8\nREADY=1") == "follow 8");
  CHECK(k.memory().main == 8);
  CHECK(k.exits(7, 0) == "");
  CHECK(k.says(9, "MAINPID=9") == "");
  CHECK(k.after(5s) == "");
  CHECK(k.killed(8, SIGKILL) == "");
  CHECK(k.phase() == phase::waiting);
}

TEST_CASE(
    "a successor that names itself before its predecessor's death is noticed becomes the server") {
  auto k = serving();
  CHECK(k.says(8, "MAINPID=8\nREADY=1") == "");
  CHECK(k.killed(7, SIGKILL) == "follow 8");
  CHECK(k.memory().main == 8);
  CHECK(k.phase() == phase::serving);
  CHECK(k.exits(8, 0) == "finish 0");
}

TEST_CASE("a successor that named itself and has died is forgotten") {
  auto k = serving();
  CHECK(k.says(8, "MAINPID=8\nREADY=1") == "");
  CHECK(k.killed(8, SIGKILL) == "");
  CHECK(k.killed(7, SIGKILL) == "");
  CHECK(k.phase() == phase::waiting);
}

TEST_CASE("a server that has long served in silence is not killed because of a late message") {
  auto k = started();
  CHECK(k.after(1h) == "");
  CHECK(k.says(8, "STATUS=hello") == "");
  CHECK(k.next() == -1ms);
  CHECK(k.says(7, "STATUS=hello") == "");
  CHECK(k.next() == -1ms);
  CHECK(k.noted("pid 7 has reported for the first time, but later than the"));
}

TEST_CASE(
    "a server that becomes ready late, and sends more later, is not said to have spoken late") {
  auto k = started();
  CHECK(k.after(1h) == "");
  CHECK(k.says(7, "READY=1") == "");
  CHECK(k.says(7, "STATUS=hello") == "");
  CHECK_FALSE(k.noted("has reported for the first time"));
}

TEST_CASE("a server that said that it ends has ended well, even if its ending is unknown") {
  auto k = serving();
  CHECK(k.says(7, "STOPPING=1") == "");
  CHECK(k.vanishes(7) == "finish 0");
}

TEST_CASE("a process that has come to serve in place of the server becomes the server") {
  auto k = serving();
  CHECK(k.on(supervision::event::serves{7}) == "");
  CHECK(k.on(supervision::event::serves{8}) == "follow 8");
  CHECK(k.noted("pid 8 now serves the control path"));
  CHECK(k.memory().main == 8);
  CHECK(k.on(supervision::event::serves{7}) == "");  // observed before, reported after
  CHECK(k.memory().main == 8);
  CHECK(k.exits(7, 0) == "");
  CHECK(k.killed(8, SIGKILL) == "");
  CHECK(k.phase() == phase::waiting);
}

TEST_CASE("a process that has come to serve gets the order that the server got") {
  auto k = serving();
  k.told(SIGTERM);
  CHECK(k.on(supervision::event::serves{8}) == "follow 8, send 15 to 8");
}

TEST_CASE("the end of a server does not end the service if another serves, however it ended") {
  using kind = supervision::ending::kind;
  for (const auto& how :
       {supervision::ending{kind::exited, 0}, supervision::ending{kind::exited, 1},
        supervision::ending{kind::signalled, SIGKILL}}) {
    auto k = serving();
    CHECK(k.on(supervision::event::ended{7, how, false, 8}) == "follow 8");
    CHECK(k.memory().main == 8);
    CHECK(k.phase() == phase::serving);
    CHECK(k.memory().failures == 0);
    CHECK(k.exits(8, 0) == "finish 0");
  }
}

TEST_CASE("whether an event would end the service is known before") {
  using kind = supervision::ending::kind;
  auto k = serving();
  supervision::keeper trial{limits, k.memory()};
  CHECK(trial.would_finish({7, {kind::exited, 0}}, supervision::time{2h}));
  CHECK_FALSE(trial.would_finish({7, {kind::exited, 1}}, supervision::time{2h}));
  CHECK_FALSE(trial.would_finish({8, {kind::exited, 0}}, supervision::time{2h}));
  CHECK(trial.remembered().main == 7);
}

TEST_CASE("whatever happens, the keeper knows what to do next, and ends once") {
  using namespace supervision::event;
  for (unsigned seed = 0; seed < 400; ++seed) {
    std::mt19937 random{seed};
    const auto below = [&](unsigned n) { return static_cast<int>(random() % n); };
    keeper_world world;
    const auto take = [&](const supervision::keeper_event& e) {
      const auto wrong = world.take(e, below(8) != 0);
      INFO("seed ", seed, ": ", world.keeper.notes());
      CHECK(wrong == "");
    };
    const auto says = [&](pid_t by, const std::string& what) {
      take(said{by, *supervision::parse_notification(what)});
    };
    take(begin{});
    for (int step = 0; step < 60; ++step) {
      const auto one = world.some(random());
      using kind = supervision::ending::kind;
      switch (below(10)) {
        case 0:
          world.keeper.pass(std::chrono::milliseconds{below(20'000)});
          take(tick{});
          break;
        case 1:
          take(ended{one, {kind::exited, below(2)}, below(2) == 0});
          break;
        case 2:
          take(ended{one, {kind::signalled, SIGKILL}});
          break;
        case 3:
          says(one, "READY=1");
          break;
        case 4:
          says(one, "READY=1\nMAINPID=" + std::to_string(world.born()));
          break;
        case 5:
          says(one, "STATUS=x\nEXTEND_TIMEOUT_USEC=1000");
          break;
        case 6:
          if (below(10) == 0) take(told{SIGTERM, below(2) == 0});
          break;
        case 7:
          take(told{SIGHUP});
          break;
        case 8:
          take(serves{below(2) == 0 ? one : world.born()});
          break;
        default:
          take(ended{one, {kind::unknown}});
      }
    }
  }
}
