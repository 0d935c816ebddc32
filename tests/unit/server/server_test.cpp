// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/server.hpp>

#include "patience.hpp"
#include "tcp_sockets.hpp"
#include "temporary_directory.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <list>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace graceful_test;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

struct shared {
  explicit shared(char first = 'a') : letter{first} {}

  void meet() {
    const std::lock_guard lock{mutex};
    threads.insert(std::this_thread::get_id());
  }

  const char letter;
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::atomic<int> sessions{0};
  std::optional<std::string> looks_for{};
  bool drains = false;
  std::optional<bool> upgrader_lives{};
};

/// Sends one letter, and waits until its peer goes. Does not track its connection.
class greeter : public std::enable_shared_from_this<greeter> {
 public:
  greeter(tcp::socket socket, shared& vars) : socket_{std::move(socket)}, vars_{vars} {
    ++vars_.sessions;
  }
  ~greeter() { --vars_.sessions; }

  void start() {
    vars_.meet();
    asio::async_write(socket_, asio::buffer(&vars_.letter, 1),
                      [self = shared_from_this()](auto, auto) { self->wait(); });
  }

 private:
  void wait() {
    asio::async_read(socket_, asio::buffer(&byte_, 1),
                     [self = shared_from_this()](auto, auto) { self->vars_.meet(); });
  }

  tcp::socket socket_;
  shared& vars_;
  char byte_ = 0;
};

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

/// Has a bug that appears later.
struct broken {
  broken(tcp::socket s, shared&) : socket{std::move(s)} {}
  void start() {
    asio::post(socket.get_executor(), [] { throw std::logic_error{"a bug"}; });
  }
  tcp::socket socket;
};

template <class Session>
struct server_fixture {
  explicit server_fixture(graceful::server_params params, graceful::options opts = {})
      : server{with(std::move(opts)), with(std::move(params)), 'q'} {}
  ~server_fixture() {
    server.exit();
    if (ended.valid()) ended.wait();
  }

  graceful::options with(graceful::options opts) {
    opts.control_path = directory.path("c.sock");
    opts.log = [this](graceful::log_level, std::string_view text) {
      const std::lock_guard lock{mutex};
      said += std::string{text} + '\n';
    };
    return opts;
  }
  graceful::server_params with(graceful::server_params params) {
    params.handle_signals = false;
    params.on_ready = [this](graceful::upgrader&, const tcp::endpoint& at) { bound.set_value(at); };
    return params;
  }

  /// Runs in its own thread; returns when the server serves.
  void start() {
    ended =
        std::async(std::launch::async, [this] { return server.listen_and_serve("127.0.0.1", 0); });
    auto at = bound.get_future();
    REQUIRE(at.wait_for(patience) == std::future_status::ready);
    port = at.get().port();
  }

  [[nodiscard]] graceful::unique_fd connect() const { return connect_to(v4("127.0.0.1", port)); }

  int result() {
    REQUIRE(ended.wait_for(patience) == std::future_status::ready);
    return ended.get();
  }

  bool has_said(std::string_view text) {
    const std::lock_guard lock{mutex};
    return said.find(text) != std::string::npos;
  }

  temporary_directory directory;
  std::mutex mutex;
  std::string said;
  std::promise<tcp::endpoint> bound;
  graceful::server<Session, shared> server;
  std::future<int> ended;
  unsigned short port = 0;
};

/// The first byte that the server sends; 0 if it closes instead.
char greeting(const graceful::unique_fd& client) {
  char letter = 0;
  return ::read(client.get(), &letter, 1) == 1 ? letter : '\0';
}

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

TEST_CASE("a signal that ends a server while it starts is not a failure") {
  const auto holder = listen_anywhere();
  struct sigaction before {};
  REQUIRE(::sigaction(SIGTERM, nullptr, &before) == 0);
  // It retries for 2.5 s.
  const graceful::server_params busy{.threads = 1, .listen = {.bind_attempts = 8}};
  temporary_directory directory;
  std::promise<void> drains;
  graceful::server<greeter, shared> server{{.control_path = directory.path("c.sock"),
                                            .log =
                                                [&](graceful::log_level, std::string_view text) {
                                                  if (text == "this process drains, and ends")
                                                    drains.set_value();
                                                }},
                                           busy};
  auto ended = std::async(std::launch::async, [&] {
    return server.listen_and_serve("127.0.0.1", address_of(holder).port());
  });
  REQUIRE(eventually([&] {
    struct sigaction now {};
    ::sigaction(SIGTERM, nullptr, &now);
    return now.sa_handler != before.sa_handler;
  }));
  ::kill(::getpid(), SIGTERM);
  CHECK(drains.get_future().wait_for(patience) == std::future_status::ready);
  CHECK(ended.get() == 0);
  ::sigaction(SIGTERM, &before, nullptr);
}

TEST_CASE("an exception of a handler ends the server with an error") {
  server_fixture<broken> b{{.threads = 3}};
  b.start();
  const auto client = b.connect();
  CHECK(b.result() == 1);
  CHECK(b.has_said("the server ends: a bug"));
}

TEST_CASE("a server that was told to end before it began ends as soon as it has begun") {
  server_fixture<greeter> b{{.threads = 2}};
  b.server.drain();
  b.start();
  CHECK(b.result() == 0);
}

TEST_CASE("an exit before the beginning stays an exit, even if a drain follows") {
  for (const bool drains_too : {false, true}) {
    server_fixture<greeter> b{{.threads = 2}};
    b.server.exit();
    if (drains_too) b.server.drain();
    b.start();
    CHECK(b.result() == 0);
    CHECK(b.has_said("this process ends\n"));
    CHECK_FALSE(b.has_said("this process drains, and ends\n"));
  }
}

TEST_CASE("a drain before the beginning is a drain, not an exit") {
  server_fixture<greeter> b{{.threads = 2}};
  b.server.drain();
  b.start();
  CHECK(b.result() == 0);
  CHECK(b.has_said("this process drains, and ends\n"));
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

TEST_CASE("a server that has ended can serve again") {
  server_fixture<greeter> b{{.threads = 2}};
  b.server.drain();
  b.start();
  CHECK(b.result() == 0);
  b.bound = {};
  b.start();
  CHECK(greeting(b.connect()) == 'q');
}

TEST_CASE("a server that cannot start says why, and returns 1") {
  server_fixture<greeter> none{{.threads = 0}};
  CHECK(none.server.listen_and_serve("127.0.0.1", 0) == 1);
  CHECK(none.has_said("the server ends: a pool of 0 io_contexts can run nothing"));
  server_fixture<greeter> b{{.threads = 1, .listen = {.bind_attempts = 1}}};
  CHECK(b.server.listen_and_serve("::g", 0) == 1);
  CHECK(b.has_said("cannot listen on '::g': it is no IP address"));
  const auto holder = listen_anywhere();
  CHECK(b.server.listen_and_serve("127.0.0.1", address_of(holder).port()) == 1);
  CHECK(b.has_said("Address already in use"));
}
