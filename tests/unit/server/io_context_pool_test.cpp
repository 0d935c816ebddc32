// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/error.hpp>
#include <graceful/io_context_pool.hpp>

#include "patience.hpp"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/steady_timer.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <system_error>

namespace asio = boost::asio;
using graceful::io_context_pool;
using graceful_test::patience;
using namespace std::chrono_literals;

namespace {

/// A pool that runs in its own thread.
struct running {
  explicit running(std::size_t contexts) : pool{contexts} {}
  ~running() {
    pool.stop();
    if (ended.valid()) ended.wait();
  }

  [[nodiscard]] bool ends() { return ended.wait_for(patience) == std::future_status::ready; }

  io_context_pool pool;
  std::future<void> ended = std::async(std::launch::async, [this] { pool.run(); });
};

/// The result of `f` on the thread of `executor`.
template <class Function>
auto ask(const asio::any_io_executor& executor, Function f) {
  auto task = std::make_shared<std::packaged_task<decltype(f())()>>(std::move(f));
  auto answer = task->get_future();
  asio::post(executor, [task] { (*task)(); });
  REQUIRE(answer.wait_for(patience) == std::future_status::ready);
  return answer.get();
}

}  // namespace

TEST_CASE("a pool without contexts is an error that says so") {
  try {
    io_context_pool pool{0};
    FAIL("it was made");
  } catch (const graceful::error& e) {
    CHECK(e.code() == graceful::errc::invalid_argument);
    CHECK(std::string{e.what()}.find("a pool of 0 io_contexts can run nothing") !=
          std::string::npos);
  }
}

TEST_CASE("a pool without a number has a context for each processor that it may use") {
  cpu_set_t before;
  REQUIRE(::sched_getaffinity(0, sizeof before, &before) == 0);
  CHECK(io_context_pool{}.size() == static_cast<std::size_t>(CPU_COUNT(&before)));
  std::size_t first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
  CHECK(io_context_pool{}.size() == 1);
  REQUIRE(::sched_setaffinity(0, sizeof before, &before) == 0);
}

TEST_CASE("next() takes each context in turn") {
  io_context_pool pool{3};
  const auto all = pool.executors();
  REQUIRE(all.size() == 3);
  CHECK(all[0] != all[1]);
  CHECK(all[1] != all[2]);
  CHECK(all[2] != all[0]);
  for (std::size_t i = 0; i < 7; ++i) CHECK(pool.next() == all[i % 3]);
  CHECK(pool.get_executor() == all[0]);
  CHECK(pool.get_executor() == all[0]);
}

TEST_CASE("each context has a thread of its own, always the same") {
  running r{4};
  std::set<std::thread::id> threads;
  for (const auto& executor : r.pool.executors()) {
    const auto here = ask(executor, [] { return std::this_thread::get_id(); });
    threads.insert(here);
    CHECK(ask(executor, [] { return std::this_thread::get_id(); }) == here);
  }
  CHECK(threads.size() == 4);
}

TEST_CASE("the pool's own threads take no signals, and the caller's mask is unchanged") {
  running r{2};
  const auto blocked = [] {
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    return ::sigismember(&mask, SIGTERM) == 1 && ::sigismember(&mask, SIGUSR2) == 1;
  };
  CHECK_FALSE(ask(r.pool.executors()[0], blocked));
  CHECK(ask(r.pool.executors()[1], blocked));
}

TEST_CASE("a pool runs without anything to do until its work is reset") {
  running r{3};
  for (const auto& executor : r.pool.executors()) CHECK(ask(executor, [] { return true; }));
  r.pool.reset_work();
  r.pool.reset_work();
  REQUIRE(r.ends());
  CHECK_NOTHROW(r.ended.get());
}

TEST_CASE("when the work runs out each thread ends with what runs on its context, not before") {
  running r{2};
  asio::steady_timer session{r.pool.executors()[1], 1h};
  bool served = false;
  session.async_wait([&](boost::system::error_code) { served = true; });
  r.pool.reset_work();
  // The pool runs: the context still takes work from its own thread and from others.
  CHECK(ask(session.get_executor(), [&] { return !served; }));
  asio::post(session.get_executor(), [&] { session.cancel(); });
  REQUIRE(r.ends());
  CHECK(served);
}

TEST_CASE("stop ends all threads, whatever is left to do") {
  running r{3};
  std::vector<std::unique_ptr<asio::steady_timer>> timers;
  int called = 0;
  for (const auto& executor : r.pool.executors()) {
    timers.push_back(std::make_unique<asio::steady_timer>(executor, 1h));
    timers.back()->async_wait([&](boost::system::error_code) { ++called; });
  }
  r.pool.stop();
  REQUIRE(r.ends());
  CHECK(called == 0);
}

TEST_CASE("an exception of a handler, on any thread, ends all threads and is thrown by run") {
  for (const std::size_t thrower : {0U, 1U, 2U}) {
    CAPTURE(thrower);
    running r{3};
    asio::post(r.pool.executors()[thrower], [] { throw std::runtime_error{"a bug"}; });
    REQUIRE(r.ends());
    CHECK_THROWS_WITH_AS(r.ended.get(), "a bug", std::runtime_error);
  }
}

TEST_CASE("run throws the first of several exceptions") {
  running r{2};
  const auto all = r.pool.executors();
  asio::post(all[0], [&all] {
    auto& second = static_cast<asio::io_context&>(asio::query(all[1], asio::execution::context));
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!second.stopped() && std::chrono::steady_clock::now() < until) {
      std::this_thread::yield();
    }
    throw std::runtime_error{"a consequence"};
  });
  asio::post(all[1], [] { throw std::runtime_error{"a bug"}; });
  REQUIRE(r.ends());
  CHECK_THROWS_WITH_AS(r.ended.get(), "a bug", std::runtime_error);
}

TEST_CASE("if a thread cannot be made, run throws, and no thread is left") {
  // More than there is room for.
  pthread_attr_t before;
  pthread_attr_t too_much;
  REQUIRE(::pthread_getattr_default_np(&before) == 0);
  REQUIRE(::pthread_attr_init(&too_much) == 0);
  REQUIRE(::pthread_attr_setstacksize(&too_much, std::size_t{1} << 46) == 0);
  io_context_pool pool{3};
  REQUIRE(::pthread_setattr_default_np(&too_much) == 0);
  CHECK_THROWS_AS(pool.run(), std::system_error);
  REQUIRE(::pthread_setattr_default_np(&before) == 0);
}

TEST_CASE("a handler on one context may own a socket on another, even when both are destroyed") {
  for (const std::size_t owner : {0U, 1U}) {
    auto pool = std::make_unique<io_context_pool>(2);
    const auto all = pool->executors();
    auto socket = std::make_shared<asio::ip::tcp::socket>(all[1 - owner]);
    socket->open(asio::ip::tcp::v4());
    const std::weak_ptr<asio::ip::tcp::socket> watched = socket;
    asio::post(all[owner], [socket = std::move(socket)] { FAIL("nobody runs it"); });
    CHECK_FALSE(watched.expired());
    pool.reset();  // ASan and Valgrind would see a socket that outlives its context
    CHECK(watched.expired());
  }
}
