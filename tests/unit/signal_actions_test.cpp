// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "signal_actions.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <signal.h>

using namespace std::chrono_literals;

namespace {

/// What a signal would do now.
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
    while (done.empty() && control.run_one_for(10s) > 0) continue;
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

TEST_CASE("the second signal that ends gives back those that end, and no other") {
  signal_fixture b;
  CHECK(b.after(SIGQUIT) == "drain");
  CHECK(b.after(SIGTERM) == "drain");
  CHECK(b.after(SIGUSR2) == "upgrade");
  CHECK(b.after(SIGINT) == "end");
  CHECK(has_default_action(SIGTERM));
  CHECK(has_default_action(SIGINT));
  // These would end a process that is about to end, and may just have cut what it served.
  REQUIRE_FALSE(has_default_action(SIGUSR2));
  REQUIRE_FALSE(has_default_action(SIGQUIT));
  CHECK(b.after(SIGUSR2) == "upgrade");
  CHECK(b.after(SIGQUIT) == "drain");
}

TEST_CASE("a signal is waited for also after one whose action has thrown") {
  signal_fixture b;
  b.throws = true;
  CHECK_THROWS_AS(b.after(SIGUSR2), std::runtime_error);
  CHECK(b.after(SIGTERM) == "drain");
}

TEST_CASE("when it goes, the signals have their default actions, and nothing more is done") {
  signal_fixture b;
  b.control.poll();
  b.signals.reset();
  for (const int number : {SIGTERM, SIGINT, SIGQUIT, SIGUSR2}) CHECK(has_default_action(number));
  b.control.restart();
  b.control.run();
  CHECK(b.done.empty());
}
