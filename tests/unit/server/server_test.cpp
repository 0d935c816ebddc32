// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// The sessions of a server.
#include "server/server_fixture.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace graceful_test;
using namespace std::chrono_literals;

namespace {

/// Takes part in the drain, and does nothing else.
struct tracked : std::enable_shared_from_this<tracked> {
  tracked(tcp::socket s, shared& vars, graceful::upgrader& up)
      : socket{std::move(s)},
        token{up.track(socket.get_executor(), [this](auto) { socket.close(); })},
        generation{static_cast<char>(vars.letter + up.generation())} {}

  void start() {
    asio::async_write(socket, asio::buffer(&generation, 1),
                      [self = shared_from_this()](auto, auto) { self->wait(); });
  }
  void wait() {
    asio::async_read(socket, asio::buffer(&generation, 1),
                     [self = shared_from_this()](auto, auto) {});
  }

  tcp::socket socket;
  graceful::connection token;
  char generation;
};

/// Throws when it is made or started, every second time.
struct moody {
  moody(tcp::socket s, shared& vars) : socket{std::move(s)}, turn{vars.sessions++} {
    if (turn % 3 == 0) throw std::runtime_error{"in the constructor"};
  }
  void start() {
    if (turn % 3 == 1) throw std::runtime_error{"in start"};
    asio::write(socket, asio::buffer("x", 1));
  }
  tcp::socket socket;
  int turn;
};

struct refuses {
  refuses(tcp::socket, shared&) { throw std::runtime_error{"never"}; }
  void start() {}
};

/// Looks for the control path in its destructor, whatever led to that.
struct looks_back : std::enable_shared_from_this<looks_back> {
  looks_back(tcp::socket s, shared& v, graceful::upgrader& u)
      : socket{std::move(s)}, vars{v}, up{u} {}
  ~looks_back() {
    const std::lock_guard lock{vars.mutex};
    vars.upgrader_lives =
        vars.looks_for && std::filesystem::exists(*vars.looks_for) && up.draining() == vars.drains;
  }
  void start() {
    asio::async_write(socket, asio::buffer(&vars.letter, 1),
                      [self = shared_from_this()](auto, auto) { self->wait(); });
  }
  void wait() {
    asio::async_read(socket, asio::buffer(&byte, 1),
                     [self = shared_from_this()](auto, auto) { throw std::logic_error{"a bug"}; });
  }
  tcp::socket socket;
  shared& vars;
  graceful::upgrader& up;
  char byte = 0;
};

}  // namespace

TEST_CASE("sessions share their variables, and are spread over the threads") {
  server_fixture<greeter> b{{.threads = 3}};
  b.start();
  std::list<graceful::unique_fd> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(b.connect());
    CHECK(greeting(clients.back()) == 'q');
  }
  CHECK(b.server.vars().sessions == 6);
  const std::lock_guard lock{b.server.vars().mutex};
  CHECK(b.server.vars().threads.size() == 3);
}

TEST_CASE("a drain lets the sessions end, each on its thread, and then the server returns 0") {
  for (const bool reuse_port : {false, true}) {
    server_fixture<greeter> b{{.threads = 3, .listen = {.reuse_port = reuse_port}}};
    b.start();
    std::list<graceful::unique_fd> clients;
    for (int i = 0; i < 6; ++i) {
      clients.push_back(b.connect());
      CHECK(greeting(clients.back()) == 'q');
    }
    b.server.drain();
    CHECK(eventually([&] { return b.has_said("this process drains, and ends"); }));
    CHECK(b.server.vars().sessions == 6);
    for (auto& client : clients) REQUIRE(::write(client.get(), "x", 1) == 1);
    CHECK(b.result() == 0);
    CHECK(b.server.vars().sessions == 0);
  }
}

TEST_CASE("sessions that ignore the drain are ended on every thread at the deadline") {
  server_fixture<greeter> b{{.threads = 3}};
  b.start();
  std::list<graceful::unique_fd> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(b.connect());
    CHECK(greeting(clients.back()) == 'q');
  }
  b.server.exit();
  CHECK(b.result() == 0);
  CHECK(b.has_said("stopping the context"));
  CHECK(b.server.vars().sessions == 0);
}

TEST_CASE("a session that takes the upgrader may take part in the drain") {
  server_fixture<tracked> b{{.threads = 2}, {.drain_spread = 0ms}};
  b.start();
  const auto client = b.connect();
  CHECK(greeting(client) == 'q' + 1);
  b.server.drain();
  CHECK(b.result() == 0);
  CHECK_FALSE(b.has_said("stopping the context"));
}

TEST_CASE("a session that cannot start costs only its own connection") {
  server_fixture<moody> b{{.threads = 2}};
  b.start();
  std::string seen;
  for (int i = 0; i < 6; ++i) {
    const char letter = greeting(b.connect());
    seen += letter == '\0' ? '-' : letter;
  }
  CHECK(seen == "--x--x");
  CHECK(b.has_said("a session does not start, its connection is closed: in the constructor"));
  CHECK(b.has_said("a session does not start, its connection is closed: in start"));
  b.server.drain();
  CHECK(b.result() == 0);
}

TEST_CASE("remaining sessions are destroyed before the upgrader that they use") {
  server_fixture<looks_back> b{{.threads = 2}};
  b.server.vars().looks_for = b.directory.path("c.sock");  // which disappears with the upgrader
  b.start();
  const auto first = b.connect();
  const auto second = b.connect();
  REQUIRE(greeting(first) == 'q');
  REQUIRE(greeting(second) == 'q');
  SUBCASE("at the deadline of a drain") {
    b.server.vars().drains = true;
    b.server.exit();
    CHECK(b.result() == 0);
  }
  SUBCASE("when a handler throws") {
    REQUIRE(::write(first.get(), "x", 1) == 1);
    CHECK(b.result() == 1);
  }
  CHECK(b.server.vars().upgrader_lives == true);
}

TEST_CASE("a server logs what its threshold lets pass") {
  server_fixture<moody> b{{.threads = 1}, {.log_threshold = graceful::log_level::error}};
  b.start();
  CHECK(greeting(b.connect()) == '\0');
  CHECK(greeting(b.connect()) == '\0');
  b.server.drain();
  CHECK(b.result() == 0);
  CHECK(b.said.empty());
}

TEST_CASE("the upgrader and the server call the log function one after the other") {
  std::atomic<int> inside{0};
  std::atomic<bool> together{false};
  std::promise<void> complains;
  std::promise<tcp::endpoint> bound;
  temporary_directory directory;
  graceful::options opts{.control_path = directory.path("c.sock")};
  opts.log = [&](graceful::log_level, std::string_view text) {
    if (++inside > 1) together = true;
    if (text.starts_with("a session does not start")) {
      complains.set_value();
      // The upgrader logs that it drains, and has to wait.
      (void)eventually([&] { return together.load(); }, 200ms);
    }
    --inside;
  };
  graceful::server_params params{.threads = 2};
  params.handle_signals = false;
  params.on_ready = [&](graceful::upgrader&, const tcp::endpoint& at) { bound.set_value(at); };
  graceful::server<refuses, shared> server{std::move(opts), std::move(params)};
  auto ended =
      std::async(std::launch::async, [&] { return server.listen_and_serve("127.0.0.1", 0); });
  const auto client = connect_to(v4("127.0.0.1", bound.get_future().get().port()));
  complains.get_future().wait();
  server.drain();
  CHECK(greeting(client) == '\0');
  CHECK(ended.get() == 0);
  CHECK_FALSE(together);
}

TEST_CASE(
    "a connection that comes while no descriptor is free is served later, and one line says so") {
  server_fixture<greeter> b{{.threads = 1}};
  b.start();
  const auto complaints = [&] {
    const std::lock_guard lock{b.mutex};
    const auto first = b.said.find("cannot accept: Too many open files");
    if (first == b.said.npos) return 0;
    return b.said.find("cannot accept", first + 1) == b.said.npos ? 1 : 2;
  };
  const auto at = v4("127.0.0.1", b.port);
  const graceful::unique_fd client{::socket(at.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)};
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  graceful::unique_fd first_free{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  const rlimit none{static_cast<rlim_t>(first_free.get()), before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  first_free.reset();
  REQUIRE(::connect(client.get(), at.data(), at.size()) == 0);
  CHECK(eventually([&] { return complaints() > 0; }));
  CHECK_FALSE(eventually([&] { return complaints() > 1; }, 350ms));  // three attempts
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(greeting(client) == 'q');
  CHECK(complaints() == 1);
}
