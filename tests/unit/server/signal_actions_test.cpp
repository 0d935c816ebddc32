// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "server/signal_actions.hpp"

#include "patience.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;
using graceful_test::patience;

namespace {

/// True if a signal would have its default action now.
bool has_default_action(int number) {
  struct sigaction now {};
  REQUIRE(::sigaction(number, nullptr, &now) == 0);
  return now.sa_handler == SIG_DFL;
}

struct signal_fixture {
  std::string after(int number) {
    done.clear();
    ::raise(number);
    control.restart();
    while (done.empty() && control.run_one_for(patience) > 0) continue;
    return done;
  }

  void upgrade() {
    done = "upgrade";
    if (throws) throw std::runtime_error{"no memory, for instance"};
  }

  boost::asio::io_context control;
  std::string done;
  bool throws = false;
  std::optional<graceful::signal_actions> signals{
      std::in_place, control,
      graceful::signal_actions::actions{[this](bool now) { done = now ? "end" : "drain"; },
                                        [this] { upgrade(); }}};
};

}  // namespace

TEST_CASE("the second ending signal restores the default action of TERM and INT, and of no other") {
  signal_fixture b;
  CHECK(b.after(SIGQUIT) == "drain");
  CHECK(b.after(SIGTERM) == "drain");
  CHECK(b.after(SIGUSR2) == "upgrade");
  CHECK(b.after(SIGINT) == "end");
  CHECK(has_default_action(SIGTERM));
  CHECK(has_default_action(SIGINT));
  // These would end a process that is about to end anyway, and may just have cut its connections.
  REQUIRE_FALSE(has_default_action(SIGUSR2));
  REQUIRE_FALSE(has_default_action(SIGQUIT));
  CHECK(b.after(SIGUSR2) == "upgrade");
  CHECK(b.after(SIGQUIT) == "drain");
}

TEST_CASE("signals that every thread blocks are taken too, and the third has its default action") {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  {
    signal_fixture b;
    // Sent to the process, as kill(1) does: a signal for one thread can be taken only by that
    // thread.
    const auto after = [&b](int number) {
      b.done.clear();
      ::kill(::getpid(), number);
      b.control.restart();
      while (b.done.empty() && b.control.run_one_for(patience) > 0) continue;
      return b.done;
    };
    CHECK(after(SIGUSR2) == "upgrade");
    CHECK(after(SIGQUIT) == "drain");
    CHECK(after(SIGINT) == "drain");
    CHECK(after(SIGTERM) == "end");
    CHECK(after(SIGUSR2) == "upgrade");
    sigset_t now;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &now);
    CHECK(::sigismember(&now, SIGTERM) == 1);
    const pid_t child = ::fork();
    if (child == 0) {
      ::kill(::getpid(), SIGTERM);
      b.control.notify_fork(boost::asio::execution_context::fork_child);
      b.control.restart();
      b.control.run_for(patience);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGTERM);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("the next signal is still waited for after an action has thrown") {
  signal_fixture b;
  b.throws = true;
  CHECK_THROWS_AS(b.after(SIGUSR2), std::runtime_error);
  CHECK(b.after(SIGTERM) == "drain");
}

TEST_CASE("on destruction the signals get their default actions, and no action runs any more") {
  signal_fixture b;
  b.control.poll();
  b.signals.reset();
  for (const int number : {SIGTERM, SIGINT, SIGQUIT, SIGUSR2}) CHECK(has_default_action(number));
  b.control.restart();
  b.control.run();
  CHECK(b.done.empty());
}
