// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/detail/asio_abi.hpp>
#include <graceful/testing/census.hpp>

#include "listen/listener_fixture.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>

using namespace graceful_test;
using graceful::error_code;
using graceful::unique_fd;

namespace {

/// How many epoll entries of this process belong to the socket of `fd`, whichever descriptor they
/// were made with: epoll_ctl(2), the format of fdinfo in proc(5).
int epoll_entries_of(int fd) {
  struct stat status {};
  REQUIRE(::fstat(fd, &status) == 0);
  int entries = 0;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fdinfo"}) {
    std::ifstream file{entry.path()};
    for (std::string line; std::getline(file, line);) {
      const auto at = line.find(" ino:");
      if (!line.starts_with("tfd:") || at == line.npos) continue;
      ino_t inode = 0;
      std::from_chars(line.data() + at + 5, line.data() + line.size(), inode, 16);
      if (inode == status.st_ino) ++entries;
    }
  }
  return entries;
}

/// An accept loop like that of a server.
struct accept_loop {
  explicit accept_loop(graceful::acceptor<tcp> a) : acceptor{std::move(a)} {}

  void start() {
    acceptor.async_accept([this](error_code ec, auto socket) {
      if (ec) {
        ++ended;
        return;
      }
      {
        const std::lock_guard lock{mutex};
        sockets.push_back(std::move(socket));
      }
      ++accepted;
      start();
    });
  }

  graceful::acceptor<tcp> acceptor;
  std::atomic<int> accepted{0};
  std::atomic<int> ended{0};
  std::mutex mutex;
  std::vector<tcp::socket> sockets;
};

}  // namespace

TEST_CASE("a stopped listener leaves no epoll entry, even if another process holds the socket") {
  open_web web;
  accept_loop loop{web.acceptor};
  loop.start();
  web.context.poll();
  const auto successor = web.duplicate();
  REQUIRE(successor);
  CHECK(epoll_entries_of(successor.get()) == (graceful::detail::asio_epoll ? 1 : 0));
  web.home->stop();
  CHECK(epoll_entries_of(successor.get()) == 0);
  CHECK(web.run_until([&] { return loop.ended == 1; }));

  // The successor gets new connections, and no thread here is woken.
  const auto client = web.connect();
  REQUIRE(wait_readable(successor.get(), std::chrono::seconds{10}));
  web.context.restart();
  CHECK(web.context.poll() == 0);
  const unique_fd accepted{::accept(successor.get(), nullptr, nullptr)};
  CHECK(accepted);
}

TEST_CASE("a paused listener accepts nothing and ends nothing, and resumes where it was") {
  open_web web;
  accept_loop loop{web.acceptor};
  loop.start();
  web.context.poll();
  web.home->pause({});
  web.home->pause({});
  run_for(web.context, std::chrono::milliseconds{1});
  const auto client = web.connect();
  REQUIRE(web.wait_for_queue(1));
  run_for(web.context, std::chrono::milliseconds{20});
  CHECK(web.queue() == 1);
  CHECK(loop.accepted == 0);
  CHECK(loop.ended == 0);
  web.home->resume();
  CHECK(web.run_until([&] { return loop.accepted == 1; }));
  web.home->resume();
  const auto next = web.connect();
  CHECK(web.run_until([&] { return loop.accepted == 2; }));
  web.home->pause({});
  web.home->stop();
  CHECK(web.run_until([&] { return loop.ended == 1; }));
}

TEST_CASE("a listener that is destroyed without a stop leaves no epoll entry either") {
  asio::io_context context;
  log_book book;
  unique_fd holder = listen_anywhere();
  {
    auto socket = std::make_shared<const graceful::listening_socket>(graceful::listening_socket{
        "web", address_of(holder), unique_fd{::fcntl(holder.get(), F_DUPFD_CLOEXEC, 3)}, 16});
    const auto body = std::make_shared<graceful::detail::listener>(
        context.get_executor(), socket, std::weak_ptr<graceful::inventory>{});
    CHECK(epoll_entries_of(holder.get()) == (graceful::detail::asio_epoll ? 1 : 0));
  }
  CHECK(epoll_entries_of(holder.get()) == 0);
}

TEST_CASE("a socket can be listened on again after a stop, as after a rollback") {
  asio::io_context context;
  listening first{context.get_executor()};
  first.home->open();
  accept_loop loop{first.acceptor};
  loop.start();
  context.poll();
  auto kept = first.duplicate();
  first.home->stop();

  log_book book;
  const auto home = std::make_shared<graceful::inventory>(book.log);
  home->inherit("web", std::move(kept));
  const auto socket = home->obtain("web", first.keep_address, {}, {}).value();
  const auto body =
      std::make_shared<graceful::detail::listener>(context.get_executor(), socket, home);
  home->attach("web", body);
  home->open();
  accept_loop again{{body, tcp::v4()}};
  again.start();
  const auto client = first.connect();
  CHECK(run_until(context, [&] { return again.accepted == 1; }));
  home->stop();
}

TEST_CASE("a stop from another thread is complete when it returns, however busy the executor is") {
  asio::io_context context;  // no thread runs it
  listening web{context.get_executor()};
  web.home->open();
  accept_loop loop{web.acceptor};
  loop.start();
  const auto successor = web.duplicate();
  std::thread{[&] { web.home->stop(); }}.join();
  CHECK_FALSE(web.acceptor.is_open());
  CHECK(epoll_entries_of(successor.get()) == 0);
  const auto client = web.connect();
  REQUIRE(eventually([&] { return graceful::os::accept_queue_of(successor.get()).length == 1; }));
  context.run();
  CHECK(loop.accepted == 0);
  CHECK(graceful::os::accept_queue_of(successor.get()).length == 1);
}

TEST_CASE("a stop and a new accept at the same time leave nothing behind") {
  for (int round = 0; round < 200; ++round) {
    open_web web;
    accept_loop loop{web.acceptor};
    const auto successor = web.duplicate();
    std::jthread runner{[&] {
      for (int i = 0; i < 20; ++i) loop.start();
      web.context.run();
    }};
    std::jthread stopper{[&] { web.home->stop(); }};
    stopper.join();
    runner.join();
    REQUIRE(loop.ended == 20);
    REQUIRE(epoll_entries_of(successor.get()) == 0);
  }
}

TEST_CASE("no connection is lost when four threads accept and the listener is stopped") {
  constexpr int clients = 4;
  constexpr int connects = 600;  // of each
  open_web web;
  const auto successor = web.duplicate();
  accept_loop loop{web.acceptor};
  for (int i = 0; i < 8; ++i) loop.start();

  std::vector<std::jthread> runners;
  for (int i = 0; i < 4; ++i) runners.emplace_back([&] { web.context.run(); });
  std::atomic<int> connected{0};
  std::vector<std::vector<unique_fd>> held(clients);
  std::vector<std::jthread> connectors;
  for (int i = 0; i < clients; ++i) {
    connectors.emplace_back([&, i] {
      for (int n = 0; n < connects; ++n) {
        held[i].push_back(web.connect());
        ++connected;
      }
    });
  }
  REQUIRE(eventually([&] { return loop.accepted >= clients * connects / 3; }));
  web.home->stop();
  constexpr int late = 100;  // these certainly start after the stop
  std::vector<unique_fd> latecomers;
  for (int n = 0; n < late; ++n) latecomers.push_back(web.connect());
  for (auto& runner : runners) runner.join();  // the context has nothing left to do
  CHECK(loop.ended == 8);
  const int by_old = loop.accepted;

  constexpr int total = clients * connects + late;
  int by_new = 0;
  std::vector<unique_fd> accepted;
  while (by_old + by_new < total && wait_readable(successor.get(), std::chrono::seconds{10})) {
    accepted.emplace_back(::accept(successor.get(), nullptr, nullptr));
    if (accepted.back()) ++by_new;
  }
  for (auto& connector : connectors) connector.join();
  CHECK(connected == clients * connects);
  CHECK(by_old + by_new == total);
  CHECK(by_new >= late);
  MESSAGE(by_old << " accepted before, " << by_new << " after");
  CHECK(graceful::os::accept_queue_of(successor.get()).length == 0);
}

TEST_CASE("listeners that have gone leave no descriptor and no epoll entry behind") {
  asio::io_context context;
  const auto round = [&] {
    listening web{context.get_executor()};
    web.home->open();
    accept_loop loop{web.acceptor};
    loop.start();
    const auto client = web.connect();
    CHECK(run_until(context, [&] { return loop.accepted == 1; }));
    web.home->stop();
    CHECK(run_until(context, [&] { return loop.ended == 1; }));
  };
  round();
  const auto before = take_census(::getpid());
  for (int i = 0; i < 20; ++i) round();
  CHECK(take_census(::getpid()) == before);
}
