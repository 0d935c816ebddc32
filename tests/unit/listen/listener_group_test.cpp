// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "listen/listener_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace graceful_test;
using graceful::errc;
using graceful::listen_group;
using graceful::log_level;

namespace {

struct group_fixture : log_book {
  ~group_fixture() { home->stop(); }

  auto listen(std::size_t executors, std::string_view name = "http",
              const graceful::os::socket_address& at = v4("127.0.0.1"),
              const graceful::listen_params& params = {}) {
    return listen_group(home, log, std::vector(executors, executor), name, at, params);
  }

  [[nodiscard]] std::string names() const {
    std::string all;
    for (const auto& socket : home->sockets()) all += socket->name + ' ';
    return all;
  }

  asio::io_context context;
  asio::any_io_executor executor = context.get_executor();
  std::shared_ptr<graceful::inventory> home = std::make_shared<graceful::inventory>(log);
};

}  // namespace

TEST_CASE("a group has a socket for each executor, on one address") {
  group_fixture b;
  const auto group = b.listen(3).value();
  REQUIRE(group.size() == 3);
  CHECK(b.names() == "http/0 http/1 http/2 ");
  for (const auto& listener : group) {
    REQUIRE(listener->socket() != nullptr);
    CHECK(listener->socket()->address.port() == group[0]->socket()->address.port());
  }
}

TEST_CASE("a group needs a name, and an executor") {
  group_fixture b;
  CHECK(b.listen(0).error().code == errc::invalid_argument);
  CHECK(b.listen(1, "").error().code == errc::invalid_argument);
  CHECK(b.listen(1, "@x").error().code == errc::invalid_argument);
}

TEST_CASE("a group that fails leaves nothing behind") {
  group_fixture b;
  REQUIRE(b.home->obtain("http/2", v4("127.0.0.1"), {}, {}).has_value());
  CHECK(b.listen(4).error().code == errc::invalid_argument);
  CHECK(b.names() == "http/2 ");
}

TEST_CASE("a group is as large as possible beside inherited sockets, and the log says why") {
  group_fixture b;
  // Without SO_REUSEADDR, a connection that was accepted before blocks the address.
  auto alone = listen_anywhere({.reuse_address = false});
  const auto at = address_of(alone);
  const auto client = connect_to(at);
  const graceful::unique_fd accepted{::accept4(alone.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  REQUIRE(accepted.get() >= 0);
  b.home->inherit("http", std::move(alone));
  const auto group = b.listen(3, "http", at, {.reuse_address = false, .bind_attempts = 1}).value();
  CHECK(group.size() == 1);
  CHECK(b.names() == "http/0 ");
  CHECK(b.mentions(log_level::warning, "listeners 'http': only 1 for 3 executors: cannot bind to"));
}

TEST_CASE("an accept on a socket that is bound beside inherited ones completes after the commit") {
  group_fixture b;
  auto alone = listen_anywhere();
  const auto at = address_of(alone);
  b.home->inherit("http", std::move(alone));
  const auto group = b.listen(2, "http", at).value();
  REQUIRE(group.size() == 2);
  b.home->open();
  CHECK(group[0]->socket() != nullptr);
  CHECK(group[1]->socket() == nullptr);
  b.home->commit();
  REQUIRE(group[1]->socket() != nullptr);
  CHECK(b.names() == "http/0 http/1 ");
}
