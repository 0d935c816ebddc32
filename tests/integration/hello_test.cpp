// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// The programs of the README, which people copy: they end well, whatever comes.
#include <graceful/control_client.hpp>

#include "kit_servers.hpp"
#include "server_fixture.hpp"
#include "testing/client_socket.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <signal.h>

using namespace graceful_test;
namespace fs = std::filesystem;

namespace {

/// One of the programs, and where it listens.
struct greeter {
  explicit greeter(const char* program) : command{from_build(program)} {
    options.environment["HELLO_CONTROL"] = control;
    server = &where.start({command}, options);
    await_serving();
  }

  [[nodiscard]] graceful::result<graceful::server_status> status() const {
    auto client = graceful::control_client::connect(control, std::chrono::seconds{1});
    if (!client) return client.error();
    return client->status();
  }

  void await_serving() const {
    const auto serves = [&] {
      const auto now = status();
      return now && now->state == "serving";
    };
    if (eventually(serves, patience)) return;
    throw std::runtime_error{"it does not serve: " + server->output()};
  }

  finished ctl(const char* what) { return run(where, {programs::graceful_ctl(), what, control}); }

  /// Everything that a client reads.
  [[nodiscard]] std::string greeting() const {
    const auto address = status().value().listeners.at(0).address;
    const auto port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
    client_socket client{resolve("127.0.0.1", port, patience), 0, patience};
    std::string all;
    std::array<char, 64> some{};
    while (const auto size = client.receive(some, patience)) all.append(some.data(), size);
    return all;
  }

  [[nodiscard]] bool left_nothing() const { return fs::is_empty(where.directory()); }

  scene where;
  std::string command;
  std::string control = where.path("hello.sock");
  process_options options;
  process* server = nullptr;
};

constexpr std::array both{"HELLO", "HELLO_POOL"};

}  // namespace

TEST_CASE("the README's programs greet, drain at SIGTERM, exit with 0, and leave no path behind") {
  for (const char* program : both) {
    CAPTURE(program);
    greeter hello{program};
    CHECK(hello.greeting() == "hello\n");
    REQUIRE(hello.server->signal(SIGTERM));
    CHECK(hello.server->wait_exit(patience).exited(0));
    CHECK(contains(hello.server->output(), "this process drains, and ends"));
    CHECK(hello.left_nothing());
  }
}

TEST_CASE("a second copy of the README's programs says that one is running, and exits with 1") {
  for (const char* program : both) {
    CAPTURE(program);
    greeter hello{program};
    const auto copy = run(hello.where, {hello.command}, hello.options);
    INFO(copy.all);
    CHECK(copy.status == "exited 1");
    CHECK(contains(copy.all,
                   "a server is running already as pid " + std::to_string(hello.server->pid())));
    CHECK_FALSE(contains(copy.all, "terminate called"));
    CHECK(hello.greeting() == "hello\n");
  }
}

TEST_CASE("the README's programs can be upgraded, and the old process exits with 0") {
  for (const char* program : both) {
    CAPTURE(program);
    greeter hello{program};
    process& upgrade =
        hello.where.start({programs::graceful_ctl(), "upgrade", hello.control, "--until", "ready"});
    REQUIRE(upgrade.wait_exit(patience).exited(0));
    CHECK(hello.ctl("commit").status == "exited 0");
    CHECK(hello.server->wait_exit(patience).exited(0));
    CHECK(hello.greeting() == "hello\n");
    CHECK(hello.ctl("drain").status == "exited 0");
    REQUIRE(hello.where.wait_all_gone(patience));
    CHECK(hello.left_nothing());
  }
}
