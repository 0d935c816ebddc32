// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// Sockets that the service manager passes and keeps: LISTEN_FDS and FDSTORE.
#include "os/listening_socket.hpp"

#include "notify_socket.hpp"
#include "server_fixture.hpp"
#include "service_fixture.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

using namespace graceful_test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
namespace os = graceful::os;
using graceful::unique_fd;

namespace {

constexpr const char* request = "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";

/// A socket bound as by a manager.
struct bound_socket {
  bound_socket() {
    sockaddr_in any_port{};
    any_port.sin_family = AF_INET;
    any_port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd =
        os::listen_tcp({reinterpret_cast<const sockaddr*>(&any_port), sizeof any_port}, {}).value();
    port = os::socket_address::bound_to(fd.get()).port();
  }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port); }
  unique_fd fd;
  std::uint16_t port;
};

/// The test acts as the manager: it receives messages, and starts a server.
struct managing {
  notification await(const std::string& line) {
    for (const deadline until{patience};;) {
      auto said = manager.next(until);
      if (said.has(line)) return said;
      heard.push_back(std::move(said));
    }
  }
  [[nodiscard]] std::map<std::string, std::string> environment() const {
    return {{"NOTIFY_SOCKET", manager.address()},
            {"MANAGERPID", std::to_string(::getpid())},
            {"FDSTORE", "8"}};
  }
  [[nodiscard]] std::string control() const { return place.path("control.sock"); }

  scene place;
  notify_socket manager{place.path("notify")};
  std::vector<notification> heard;
};

std::uint64_t inode(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 ? status.st_ino : 0;
}

/// Whether a process has this socket open.
bool has_open(pid_t pid, std::uint64_t socket) {
  const auto wanted = "socket:[" + std::to_string(socket) + ']';
  for (const auto& entry : fs::directory_iterator{"/proc/" + std::to_string(pid) + "/fd"}) {
    std::error_code gone;
    if (fs::read_symlink(entry.path(), gone) == wanted) return true;
  }
  return false;
}

http_connection client(std::uint16_t port, unsigned sequence = 0) {
  return {resolve("127.0.0.1", port, patience), sequence};
}

}  // namespace

TEST_CASE("a passed socket is adopted by its name, whatever its port") {
  managing m;
  const bound_socket s;
  const activated_server server{
      m.place, m.control(), {"--listen", "127.0.0.1:0"}, m.environment(), {{"http", s.fd.get()}}};
  m.await("READY=1");
  CHECK(client(s.port).exchange(request).generation == 1);
  CHECK(contains(server.output(), "comes from the service manager"));
}

TEST_CASE("a passed socket is adopted by its address, whatever its name, and only one of two") {
  managing m;
  const bound_socket s;
  auto environment = m.environment();
  environment["GRACEFUL_SUPERVISOR"] = m.place.path("no-such-supervisor");
  const activated_server server{m.place,
                                m.control(),
                                {"--listen", s.address()},
                                environment,
                                {{"web.socket", s.fd.get()}, {"stored", s.fd.get()}}};
  const auto stored = m.await("FDSTORE=1");  // under the name by which it is known from now on
  CHECK(stored.value("FDNAME") == "http");
  REQUIRE(stored.descriptors.size() == 1);
  CHECK(os::cookie_of(stored.descriptors[0].get()) == os::cookie_of(s.fd.get()));
  CHECK(client(s.port).exchange(request).generation == 1);
  CHECK(contains(server.output(), "comes from the supervisor"));
}

TEST_CASE(
    "an unclaimed passed socket is closed after a while, removed from the store, and logged") {
  managing m;
  const bound_socket s;
  const bound_socket other;
  const activated_server server{m.place,
                                m.control(),
                                {"--listen", s.address()},
                                m.environment(),
                                {{"http", s.fd.get()}, {"a%3Ab", other.fd.get()}}};
  CHECK(m.await("FDSTOREREMOVE=1").value("FDNAME") == "a%3Ab");
  CHECK(
      contains(server.output(), "it is kept for now, in case the application listens there later"));
  // /proc has no events.
  CHECK(eventually([&] { return !has_open(server.pid(), inode(other.fd.get())); }, patience));
  CHECK(contains(server.output(), "is dropped: this build does not listen on it"));
  CHECK(has_open(server.pid(), inode(s.fd.get())));
}

TEST_CASE("the manager keeps a newly bound socket from the start, but only if it has an fd store") {
  for (const char* store : {"8", "0"}) {
    managing m;
    auto environment = m.environment();
    environment["FDSTORE"] = store;
    const activated_server server{
        m.place, m.control(), {"--listen", "127.0.0.1:0"}, environment, {}};
    m.await("READY=1");
    if (*store == '0') {
      server.signal(SIGTERM);
      CHECK_FALSE(m.await("STOPPING=1").text.empty());
      for (const auto& said : m.heard) CHECK_FALSE(said.has("FDSTORE=1"));
      continue;
    }
    const auto stored = m.await("FDSTORE=1");
    CHECK(stored.value("FDNAME") == "http");
    REQUIRE(stored.descriptors.size() == 1);
    CHECK(has_open(server.pid(), inode(stored.descriptors[0].get())));
  }
}

TEST_CASE(
    "a server that is killed under load is started again with its sockets: nothing is refused") {
  managing m;
  unique_fd kept;
  http_load options;
  options.connections = 16;
  options.keep_alive = false;
  std::optional<load> clients;
  constexpr int kills = 3;
  for (int i = 0; i <= kills; ++i) {
    std::vector<os::passed_socket> passed;
    if (kept) passed.push_back({"http", kept.get()});
    activated_server server{
        m.place, m.control(), {"--listen", "127.0.0.1:0"}, m.environment(), passed};
    m.await("READY=1");
    if (!kept) {
      kept = std::move(m.await("FDSTORE=1").descriptors.at(0));
      options.port = os::socket_address::bound_to(kept.get()).port();
      clients.emplace(options);
    }
    REQUIRE(clients->wait_for(static_cast<std::uint64_t>(100 * (i + 1)), patience));
    if (i < kills) {
      server.signal(SIGKILL);
      CHECK(server.wait_exit() == "was killed by signal 9 (SIGKILL)");
      continue;
    }
    const auto seen = clients->stop();
    INFO(seen.to_string());
    CHECK(seen.refused == 0);
    CHECK(seen.timed_out == 0);
    // Only what the killed processes had accepted.
    CHECK(seen.lost() <= static_cast<std::uint64_t>(kills * options.connections));
  }
}

TEST_CASE(
    "clients that connect after SIGTERM wait in a kept queue, and the next process serves them") {
  for (const bool plain : {false, true}) {
    managing m;
    const bound_socket s;
    std::vector<std::string> arguments{"--listen", s.address()};
    if (plain) arguments.emplace_back("--plain-acceptor");
    std::vector<http_connection> waiting;
    {
      activated_server first{
          m.place, m.control(), arguments, m.environment(), {{"http", s.fd.get()}}};
      m.await("READY=1");
      CHECK(client(s.port).exchange(request).generation == 1);
      first.signal(SIGTERM);
      m.await("STOPPING=1");
      // At any time from now on: while it drains, and after it has ended.
      for (unsigned i = 0; i < 8; ++i) {
        waiting.push_back(client(s.port, i));
        waiting.back().send(request);  // a plain acceptor may still take it
      }
      CHECK(first.wait_exit() == "exited with status 0");
      for (unsigned i = 0; i < 8; ++i) {
        waiting.push_back(client(s.port, i));
        waiting.back().send(request);
      }
    }
    const activated_server second{
        m.place, m.control(), arguments, m.environment(), {{"http", s.fd.get()}}};
    std::size_t by_second = 0;
    for (auto& connection : waiting) {
      CHECK(connection.exchange("").generation == 1);
      const auto own = "-pid-" + std::to_string(second.pid()) + "\r\n";
      by_second += contains(connection.last_response(), own) ? 1 : 0;
    }
    CHECK(by_second >= (plain ? 8 : 16));
  }
}

TEST_CASE("clients in the queues of a listener are served at its end, even if only half are kept") {
  managing m;
  auto environment = m.environment();
  environment["FDSTORE"] = "2";  // of four
  process_options with_manager;
  with_manager.environment = environment;
  process& pool =
      m.place.start({programs::pool_server(), "--control", m.control(), "--listen", "127.0.0.1:0",
                     "--threads", "4", "--reuse-port", "--probation", "0"},
                    with_manager);
  REQUIRE(pool.wait_for_output("ready: generation 1", patience));
  m.await("READY=1");
  const auto said = pool.output();
  const auto address = said.substr(said.find("listening on ") + 13);
  const auto listen = address.substr(0, address.find('\n'));
  const auto port = static_cast<std::uint16_t>(std::stoi(listen.substr(listen.find(':') + 1)));
  // A single listener, which gets one of the four by its name, and the others by their address.
  const auto done =
      run(m.place, {programs::graceful_ctl(), "upgrade", m.control(), "--", programs::http_server(),
                    "--control", m.control(), "--listen", listen, "--probation", "0"});
  REQUIRE_MESSAGE(done.status == "exited 0", done.all);
  const auto next = std::stoi(m.await("READY=1").value("MAINPID"));
  CHECK(m.await("READY=1").pid == next);  // then it stores what it has
  const auto pidfd = open_pidfd(next);
  REQUIRE(send_signal(pidfd, SIGSTOP));
  std::vector<http_connection> waiting;
  for (unsigned i = 0; i < 256; ++i) {
    waiting.push_back(client(port, i));
    waiting.back().send(request);
  }
  REQUIRE(send_signal(pidfd, SIGTERM));
  REQUIRE(send_signal(pidfd, SIGCONT));
  m.await("STOPPING=1");
  const bool ended = wait_readable(pidfd.get(), patience);
  if (!ended) send_signal(pidfd, SIGKILL);
  REQUIRE(::waitpid(next, nullptr, 0) == next);
  CHECK(ended);
  std::map<std::string, int> kept;
  for (const auto& each : m.heard) {
    if (each.has("FDSTORE=1")) kept[each.value("FDNAME")] = each.descriptors.at(0).get();
    if (each.has("FDSTOREREMOVE=1")) kept.erase(each.value("FDNAME"));
  }
  CHECK(kept.size() == 2);
  std::vector<os::passed_socket> passed;
  for (const auto& [name, fd] : kept) passed.push_back({name, fd});
  const activated_server last{m.place, m.control(), {"--listen", listen}, environment, passed};
  for (auto& connection : waiting) CHECK_NOTHROW(connection.exchange(""));
}

TEST_CASE("a successor knows which sockets are kept, and does not seal them either") {
  managing m;
  const bound_socket s;
  auto environment = m.environment();
  environment["FDSTORE"] = "0";  // it cannot know that from having stored it itself
  const std::vector<std::string> arguments{"--listen", s.address(), "--probation", "0"};
  activated_server first{m.place, m.control(), arguments, environment, {{"http", s.fd.get()}}};
  m.await("READY=1");
  CHECK(run(m.place, {programs::graceful_ctl(), "upgrade", m.control()}).status == "exited 0");
  const auto next = std::stoi(m.await("READY=1").value("MAINPID"));
  const auto inherited = environment_of(next);
  CHECK(contains(inherited, "NOTIFY_SOCKET="));
  CHECK_FALSE(contains(inherited, "LISTEN_"));
  CHECK_FALSE(contains(inherited, "WATCHDOG_PID"));
  m.await("BARRIER=1");
  CHECK(first.wait_exit() == "exited with status 0");
  CHECK(client(s.port).exchange(request).generation == 2);
  REQUIRE(::kill(next, SIGTERM) == 0);
  m.await("STOPPING=1");
  auto waiting = client(s.port);
  REQUIRE(::waitpid(next, nullptr, 0) == next);  // a sibling is this process's child
  const activated_server last{m.place, m.control(), arguments, environment, {{"http", s.fd.get()}}};
  CHECK(waiting.exchange(request).generation == 1);
}

TEST_CASE("an upgrade under load with passed sockets loses nothing") {
  managing m;
  const bound_socket s;
  const activated_server server{m.place,
                                m.control(),
                                {"--listen", s.address(), "--probation", "50ms"},
                                m.environment(),
                                {{"http", s.fd.get()}}};
  m.await("READY=1");
  http_load options;
  options.port = s.port;
  options.keep_alive = false;
  load clients{options};
  REQUIRE(clients.wait_for(200, patience));
  CHECK(run(m.place, {programs::graceful_ctl(), "upgrade", m.control()}).status == "exited 0");
  const auto next = std::stoi(m.await("READY=1").value("MAINPID"));
  REQUIRE(clients.wait_for(400, patience));
  const auto seen = clients.stop();
  INFO(seen.to_string());
  CHECK(seen.lost() == 0);
  CHECK(seen.served_by(2) > 0);
  ::kill(next, SIGKILL);
  ::waitpid(next, nullptr, 0);
}

TEST_CASE(
    "without a manager that listens, passed sockets are adopted all the same, and never sealed") {
  managing m;
  const bound_socket s;
  activated_server server{
      m.place, m.control(), {"--listen", s.address()}, {}, {{"http", s.fd.get()}}};
  CHECK(client(s.port).exchange(request).generation == 1);
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == "exited with status 0");
  auto waiting = client(s.port);
  const activated_server next{
      m.place, m.control(), {"--listen", s.address()}, {}, {{"http", s.fd.get()}}};
  CHECK(waiting.exchange(request).generation == 1);
}
