// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/control_thread.hpp"

#include "patience.hpp"

#include <boost/asio/post.hpp>

#include <doctest/doctest.h>

#include <future>
#include <stdexcept>
#include <string>
#include <vector>

#include <pthread.h>
#include <signal.h>

namespace asio = boost::asio;
using graceful_test::patience;

namespace {

struct thread_fixture {
  /// Runs a function on the thread, and returns what it returns.
  template <class F>
  auto on_thread(F f) {
    std::packaged_task<decltype(f())()> task{std::move(f)};
    auto done = task.get_future();
    asio::post(thread.context(), std::move(task));
    REQUIRE(done.wait_for(patience) == std::future_status::ready);
    return done.get();
  }

  std::vector<std::string> logged;
  graceful::log log{
      [this](graceful::log_level, std::string_view text) { logged.emplace_back(text); }};
  graceful::control_thread thread{log};
};

}  // namespace

TEST_CASE("an exception on the control thread is logged, and does not end what else runs there") {
  thread_fixture b;
  b.thread.start();
  asio::post(b.thread.context(), [] { throw std::runtime_error{"no memory"}; });
  CHECK(b.on_thread([] { return 1; }) == 1);
  CHECK(b.logged == std::vector<std::string>{"control socket: no memory"});
}

TEST_CASE("the application's threads take its signals, and the control thread takes none") {
  thread_fixture b;
  b.thread.start();
  const auto blocks = [] {
    sigset_t mask;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    return ::sigismember(&mask, SIGTERM) == 1 && ::sigismember(&mask, SIGCHLD) == 1;
  };
  CHECK(b.on_thread(blocks));
  CHECK_FALSE(blocks());
}

TEST_CASE("the end of the control thread waits for what runs, and drops what is pending") {
  bool ran = false;
  std::promise<void> begun;
  std::promise<void> may_end;
  std::future<void> ended;
  {
    thread_fixture b;
    b.thread.start();
    asio::post(b.thread.context(), [&] {
      begun.set_value();
      may_end.get_future().wait();
      ran = true;
    });
    begun.get_future().wait();
    asio::post(b.thread.context(), [&b] { FAIL_CHECK("this was pending" << b.logged.size()); });
    b.thread.context().stop();
    may_end.set_value();
    b.thread.wait();
    CHECK(ran);
  }
}
