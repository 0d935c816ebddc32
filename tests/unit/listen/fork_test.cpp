// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What is destroyed in a child that was forked, and executes nothing: the parent's are left alone.
#include <graceful/control_client.hpp>
#include <graceful/io_context_pool.hpp>
#include <graceful/server.hpp>
#include <graceful/testing/deadline.hpp>
#include <graceful/upgrader.hpp>

#include "os/child.hpp"
#include "os/control_path.hpp"

#include "patience.hpp"
#include "temporary_directory.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace graceful_test;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// Runs `body` in a child that cannot hang: returns its exit code, -1 if a signal ended it.
template <class Body>
int code_of_fork(Body body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    int code = 1;
    try {
      code = body();
    } catch (...) {
      code = 99;
    }
    ::_exit(code);
  }
  auto child = graceful::os::child::of(pid);
  REQUIRE(child.has_value());
  if (!graceful::testing::wait_readable(child->pidfd(), patience)) child->kill();
  int status = -1;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// A server that has accepted one connection.
struct forking_upgrader {
  forking_upgrader() {
    up.emplace(io,
               graceful::options{.control_path = directory.path("s"), .log = [](auto, auto) {}});
    web.emplace(up->listen<tcp>("web", {asio::ip::address_v4::loopback(), 0}));
    up->ready();
    accept();
    served = std::thread{[this] { io.run(); }};
    CHECK(serves());
  }
  ~forking_upgrader() {
    up->drain_now();
    served.join();
  }

  void accept() {
    web->async_accept([this](graceful::error_code ec, tcp::socket) {
      if (ec) return;
      ++accepted;
      if (!token) token.emplace(up->track(io.get_executor(), nullptr));
      accept();
    });
  }

  /// Checks that a client is accepted, by waiting for the close.
  bool serves() {
    tcp::socket client{elsewhere};
    client.connect(web->local_endpoint());
    return graceful::testing::wait_readable(client.native_handle(), patience);
  }

  temporary_directory directory;
  asio::io_context io;
  asio::io_context elsewhere;
  std::optional<graceful::upgrader> up;
  std::optional<graceful::acceptor<tcp>> web;
  std::optional<graceful::connection> token;
  std::atomic<int> accepted{0};
  std::thread served;
};

}  // namespace

TEST_CASE("an upgrader that a child destroys stays intact in the parent") {
  forking_upgrader u;
  const int code = code_of_fork([&] {
    u.token.reset();
    u.web->cancel();
    u.web->close();
    u.web.reset();
    u.up.reset();
    return 0;
  });
  CHECK(code == 0);
  CHECK(graceful::os::identify(u.directory.path("s")));
  CHECK(graceful::os::identify(u.directory.path("s.lock")));
  CHECK(u.serves());
  auto client = graceful::control_client::connect(u.directory.path("s"), patience);
  REQUIRE(client.has_value());
  const auto status = client->status();
  REQUIRE_MESSAGE(status.has_value(), status.error().message);
  CHECK(status->connections == 1);
}

TEST_CASE("a child does not hold the port of its parent, nor the lock") {
  std::optional<forking_upgrader> u{std::in_place};
  const auto at = u->web->local_endpoint();
  const auto path = u->directory.path("s");
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const graceful::unique_fd out{ends[0]};
  const graceful::unique_fd in{ends[1]};
  const pid_t child = ::fork();
  if (child == 0) {
    (void)!::write(in.get(), "x", 1);
    for (;;) ::pause();
  }
  // The child holds everything that this process holds until it is first scheduled.
  CHECK(graceful::testing::wait_readable(out.get(), patience));
  // As when the process dies: nothing is handed over, and no process uses the paths.
  const auto lock = graceful::os::try_lock(path).value();
  CHECK_FALSE(lock.has_value());
  u.reset();
  asio::io_context io;
  CHECK_NOTHROW(tcp::acceptor{io, at});
  CHECK(graceful::os::try_lock(path).error().code ==
        boost::system::errc::no_such_file_or_directory);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_CASE("a child that throws from a handler of a pool does not wait for the other threads") {
  auto pool = std::make_unique<graceful::io_context_pool>(2);
  // On the first context, whose thread has called run().
  std::promise<int> said;
  asio::post(pool->get_executor(), [&] {
    const pid_t child = ::fork();
    if (child == 0) throw 7;
    auto other = graceful::os::child::of(child);
    const bool ends = other && graceful::testing::wait_readable(other->pidfd(), patience);
    if (!ends) ::kill(child, SIGKILL);
    int status = -1;
    ::waitpid(child, &status, 0);
    said.set_value(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    pool->reset_work();
  });
  try {
    pool->run();
  } catch (int thrown) {
    pool.reset();
    ::_exit(thrown);
  }
  CHECK(said.get_future().get() == 7);
}

namespace {

struct of_forking_sessions {
  std::promise<int> child_ended{};
};

/// Forks a child that throws something other than a std::exception out of the server.
class forking_session : public std::enable_shared_from_this<forking_session> {
 public:
  forking_session(tcp::socket socket, of_forking_sessions& all)
      : socket_{std::move(socket)}, all_{all} {}

  void start() {
    const pid_t child = ::fork();
    if (child == 0) throw 7;
    auto other = graceful::os::child::of(child);
    if (!other || !graceful::testing::wait_readable(other->pidfd(), patience)) {
      ::kill(child, SIGKILL);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    all_.child_ended.set_value(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  }

 private:
  tcp::socket socket_;
  of_forking_sessions& all_;
};

}  // namespace

TEST_CASE("a child that throws from a server's handler leaves the server, and the parent goes on") {
  temporary_directory directory;
  const pid_t parent = ::getpid();
  std::promise<tcp::endpoint> bound;
  graceful::server<forking_session, of_forking_sessions> s{
      {.control_path = directory.path("s"), .log = [](auto, auto) {}},
      {.threads = 1,
       .handle_signals = false,
       .on_ready = [&](graceful::upgrader&, const tcp::endpoint& at) { bound.set_value(at); }}};
  std::thread client{[&] {
    asio::io_context io;
    tcp::socket socket{io};
    socket.connect(bound.get_future().get());
    CHECK(s.vars().child_ended.get_future().get() == 41);
    CHECK(graceful::os::identify(directory.path("s")));
    CHECK(graceful::control_client::connect(directory.path("s"), patience).has_value());
    s.drain();
  }};
  const int code = s.listen_and_serve("127.0.0.1", 0);
  if (::getpid() != parent) ::_exit(40 + code);
  client.join();
  CHECK(code == 0);
}
