// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What an upgrader takes from an author who knows Asio.
#include <graceful/control_client.hpp>
#include <graceful/upgrader.hpp>

#include "patience.hpp"
#include "temporary_directory.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace graceful_test;
namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

graceful::options silent(const temporary_directory& directory) {
  return {.control_path = directory.path("s"), .log = [](auto, auto) {}};
}

void check_refused(const std::function<void()>& call) {
  std::optional<graceful::error> thrown;
  try {
    call();
  } catch (const graceful::error& e) {
    thrown = e;
  }
  REQUIRE(thrown);
  CHECK(thrown->code() == graceful::errc::invalid_argument);
  CHECK(std::string{thrown->what()}.find("an executor that is empty") != std::string::npos);
}

}  // namespace

TEST_CASE("an empty executor is refused, wherever one is given") {
  const temporary_directory directory;
  const asio::any_io_executor empty;
  check_refused([&] { graceful::upgrader{empty, silent(directory)}; });
  asio::io_context io;
  graceful::upgrader up{io, silent(directory)};
  const tcp::endpoint anywhere{asio::ip::address_v4::loopback(), 0};
  check_refused([&] { (void)up.listen<tcp>(empty, "web", anywhere); });
  check_refused([&] { (void)up.listen_group<tcp>({io.get_executor(), empty}, "web", anywhere); });
  check_refused([&] { (void)up.track(empty); });
  CHECK(up.listen<tcp>("web", anywhere).is_open());  // the name is still free
}

TEST_CASE("an acceptor that its server has made on a strand can be opened by listen repeatedly") {
  const temporary_directory directory;
  asio::io_context io;
  graceful::upgrader up{io, silent(directory)};
  const auto strand = asio::make_strand(io);
  graceful::basic_acceptor<tcp, asio::strand<asio::io_context::executor_type>> acceptor{strand};
  CHECK_FALSE(acceptor.is_open());
  up.listen(acceptor, "web", {asio::ip::address_v4::loopback(), 0});
  const auto first = acceptor.local_endpoint();
  CHECK(acceptor.is_open());
  CHECK(acceptor.name() == "web");
  up.listen(acceptor, "web", {asio::ip::address_v4::loopback(), 0});
  CHECK(acceptor.local_endpoint() != first);
  up.ready();
  bool on_strand = false;
  acceptor.async_accept([&](graceful::error_code ec, auto socket) {
    on_strand = !ec && strand.running_in_this_thread() && socket.get_executor() == strand;
    up.drain();
  });
  tcp::socket client{io};
  client.connect(acceptor.local_endpoint());
  io.run();
  CHECK(on_strand);
}

TEST_CASE("the handler of a tracked connection may be move-only") {
  const temporary_directory directory;
  asio::io_context io;
  graceful::upgrader up{io, silent(directory)};
  up.ready();
  std::vector<graceful::drain_stage> told;
  auto token = std::make_unique<graceful::connection>();
  *token = up.track(io.get_executor(),
                    [&, only = std::make_unique<int>(0)](graceful::drain_stage stage) {
                      told.push_back(stage);
                      if (++*only == 1) token.reset();  // and the handler with it
                    });
  up.drain();
  io.run();
  CHECK(told == std::vector{graceful::drain_stage::draining});
}

TEST_CASE("the handler of a tracked connection keeps its own state") {
  const temporary_directory directory;
  asio::io_context io;
  graceful::upgrader up{io, silent(directory)};
  up.ready();
  int calls = 0;
  std::optional<graceful::connection> token;
  token =
      up.track(io.get_executor(), [&, own = 0](graceful::drain_stage) mutable { calls = ++own; });
  up.drain_now();
  while (calls < 2 && io.run_one_for(std::chrono::seconds{10}) > 0) continue;
  CHECK(calls == 2);  // draining, deadline
  token.reset();
}

TEST_CASE(
    "a server with a fixed command lets nobody choose another, and can be upgraded without one") {
  const temporary_directory directory;
  auto opts = silent(directory);
  opts.command = {"/bin/false"};
  asio::io_context io;
  const auto order = [&](const graceful::upgrade_request& what) {
    auto client = graceful::control_client::connect(opts.control_path, patience);
    return client.value().upgrade(what).error();
  };
  for (const bool fixed : {true, false}) {
    opts.fixed_command = fixed;
    graceful::upgrader up{io, opts};
    up.ready();
    for (const graceful::upgrade_request& what :
         {graceful::upgrade_request{.command = {"/bin/false"}},
          {.environment = {{"A", "1"}}},
          {.directory = "/"}}) {
      const auto refused = order(what);
      CHECK(refused.code ==
            (fixed ? graceful::errc::permission_denied : graceful::errc::upgrade_failed));
      CHECK((refused.message.find("options::fixed_command") != refused.message.npos) == fixed);
      auto client = graceful::control_client::connect(opts.control_path, patience);
      const auto plan = client.value().plan(what).value();
      CHECK(plan.obstacles.empty() != fixed);
      if (fixed) CHECK(plan.obstacles.back().kind == "permission");
    }
    CHECK(order({}).code == graceful::errc::upgrade_failed);
    // A caller that may not choose the command does not learn whether a file exists.
    auto client = graceful::control_client::connect(opts.control_path, patience);
    const auto absent = client.value().plan({.command = {"/no/such/program"}}).value();
    const auto looked = std::ranges::count(absent.obstacles, std::string{"program"},
                                           &graceful::upgrade_obstacle::kind);
    CHECK(looked == (fixed ? 0 : 1));
  }
}
