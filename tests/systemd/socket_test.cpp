// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "service.hpp"

#include <doctest/doctest.h>

#include <csignal>

#include <netinet/in.h>
#include <sys/socket.h>

using namespace graceful_systemd;

TEST_SUITE_BEGIN("socket");

namespace {

/// A port that no other process gets: bound, so that only another SO_REUSEADDR socket can have it,
/// as systemd's have.
class reserved_port {
 public:
  reserved_port() : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    const int on = 1;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(socket_.get(), generic, length) == 0);
    REQUIRE(::getsockname(socket_.get(), generic, &length) == 0);
    number_ = ntohs(address.sin_port);
  }

  [[nodiscard]] std::uint16_t number() const { return number_; }

 private:
  graceful::unique_fd socket_;
  std::uint16_t number_{};
};

}  // namespace

TEST_CASE("The first connection starts a service, and neither reload nor restart refuses one") {
  const reserved_port reserved;
  const auto port = reserved.number();
  service site{{.options = "--listen 127.0.0.1:" + std::to_string(port) +
                           " --probation 100ms --idle-grace 5s",
                .drop_in = "[Unit]\nRequires=http_server.socket\n",
                .by_socket = true,
                .port = port}};
  INFO(site.report());
  CHECK(site.place().systemctl({"start", service::socket_unit}).status.exited(0));
  CHECK(site.state().active == "inactive");
  CHECK(held_connection{port}.finish() == 1);
  CHECK(site.state().active == "active");

  both_loads loads{port};
  REQUIRE(loads.go_on());
  const auto first = site.main();
  CHECK(site.reload().status.exited(0));
  CHECK(loads.reach(2));
  CHECK(site.restart().status.exited(0));
  CHECK(loads.go_on());
  CHECK(site.signal(site.main().outside, SIGTERM));  // it ends by itself; the socket stays
  CHECK(loads.go_on());
  const auto seen = loads.stop();
  INFO(seen.text);
  CHECK(seen.lost == 0);
  CHECK(site.main().pid != first.pid);
  CHECK(site.server().listeners.size() == 1);
}

TEST_SUITE_END();
