// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "signal_actions.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include <signal.h>

using namespace std::chrono_literals;

namespace {

/// What a signal would do now.
bool has_default_action(int number) {
  struct sigaction now {};
  REQUIRE(::sigaction(number, nullptr, &now) == 0);
  return now.sa_handler == SIG_DFL;
}

struct bench {
  std::string after(int number) {
    done.clear();
    ::raise(number);
    control.restart();
    while (done.empty() && control.run_one_for(10s) > 0) continue;
    return done;
  }

  boost::asio::io_context control;
  std::string done;
  graceful::signal_actions signals{
      control, {[this](bool now) { done = now ? "end" : "drain"; }, [this] { done = "upgrade"; }}};
};

}  // namespace

TEST_CASE("the second signal that ends gives back those that end, and no other") {
  bench b;
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
