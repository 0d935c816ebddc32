// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "service/service.hpp"

#include <graceful/testing/deadline.hpp>

#include "os/listening_socket.hpp"
#include "os/text.hpp"
#include "service/service_fixture.hpp"

#include "notify_socket.hpp"
#include "tcp_sockets.hpp"
#include "temporary_directory.hpp"

#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace asio = boost::asio;
namespace os = graceful::os;
using namespace graceful_test;
using namespace graceful::testing;
using namespace std::chrono_literals;
using graceful::unique_fd;

TEST_CASE("variables for this process alone are removed from its environment, and the rest stays") {
  const std::vector<const char*> all{"NOTIFY_SOCKET", "FDSTORE", "WATCHDOG_USEC", "WATCHDOG_PID",
                                     "GRACEFUL_SUPERVISOR"};
  const auto take = [&](const char* store, const char* usec, const std::string& pid) {
    ::setenv("NOTIFY_SOCKET", "/n", 1);
    ::setenv("FDSTORE", store, 1);
    ::setenv("WATCHDOG_USEC", usec, 1);
    ::setenv("WATCHDOG_PID", pid.c_str(), 1);
    ::setenv("GRACEFUL_SUPERVISOR", "/s", 1);
    auto start = os::start_command::of_this_process();
    auto settings = graceful::service::settings::take(start);
    CHECK(std::getenv("WATCHDOG_PID") == nullptr);
    for (const auto& variable : start.environment)
      CHECK_FALSE(variable.starts_with("WATCHDOG_PID="));
    CHECK(std::getenv("WATCHDOG_USEC") != nullptr);
    for (const char* name : all) ::unsetenv(name);
    return settings;
  };
  const auto own = take("512", "30000000", std::to_string(::getpid()));
  CHECK(own.notify_socket == "/n");
  CHECK(own.supervisor == "/s");
  CHECK(own.store == 512);
  CHECK(own.watchdog == 30s);
  CHECK(take("", "5000", "").watchdog == 5ms);
  CHECK(take("x", "5000", "1").watchdog == 0s);
  CHECK(take("-1", "99999999999999999999", "").watchdog == 0s);
  CHECK(take("1x", "18446744073709551615", "").watchdog == 0s);
  CHECK(take("1x", "1", "").store == 0);
}

TEST_CASE("sockets that a shell was passed are taken from a supervisor, but not from systemd") {
  const auto taken = [](const char* supervisor) {
    const pid_t named = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
      const unique_fd high{::fcntl(listen_anywhere().get(), F_DUPFD, 100)};
      ::dup2(high.get(), 3);
      ::setenv("LISTEN_PID", std::to_string(named).c_str(), 1);
      ::setenv("LISTEN_FDS", "1", 1);
      ::setenv("GRACEFUL_SUPERVISOR", supervisor, 1);
      auto start = os::start_command::of_this_process();
      ::_exit(static_cast<int>(graceful::service::settings::take(start).passed.size()));
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WEXITSTATUS(status);
  };
  CHECK(taken("/s") == 1);
  CHECK(taken("") == 0);
}

TEST_CASE("the status of a service is one line") {
  service_fixture b{{}};
  b.service.serves(3, false);
  CHECK(b.next().text == "READY=1\nSTATUS=generation 3 serves");
  b.service.others_drain({{1, 811, 1}, {2, 812, 41}, {2, 813, {}}});
  CHECK(b.next().text ==
        "STATUS=generation 3 serves, 1 connection draining on 811, 41 connections draining on 812");
  b.service.ends(2);
  CHECK(b.next().has("STATUS=ends, 2 connections left"));
}

TEST_CASE("a process that tracks no connections does not report 0 left") {
  service_fixture b{{}};
  b.service.serves(3, false);
  b.next();
  b.service.others_drain({{2, 812, 0}});
  CHECK(b.next().text == "STATUS=generation 3 serves, pid 812 drains");
  b.service.ends(0);
  CHECK(b.next().has("STATUS=ends, waiting for what still runs"));
}

TEST_CASE("without a manager nothing is sent, and nothing fails") {
  service_fixture b{{}};
  graceful::service none{b.control, b.messages, b.sockets, b.application.get_executor(), {}};
  none.starts();
  none.serves(1, false);
  none.on_upgrade("spawned", "x");
  none.ends(1);
  none.hands_over(1);
  none.finish();
  CHECK_FALSE(none.managed());
  CHECK_FALSE(wait_readable(b.manager.socket(), 0s));
}

TEST_CASE("the manager keeps what this process listens on, and nothing else") {
  service_fixture b{{.store = 3}};
  b.listen("a");
  b.listen("b");
  b.sockets.open();
  b.service.serves(1, false);
  CHECK(b.next().has("READY=1"));
  CHECK(b.next().text == "FDSTORE=1\nFDNAME=a");
  CHECK(b.next().text == "FDSTORE=1\nFDNAME=b");
  CHECK(b.sockets.kept() == graceful::inventory::names{"a", "b"});
  b.sockets.remove("a", nullptr);
  b.listen("c");
  b.service.sockets_changed();
  CHECK(b.next().text == "FDSTOREREMOVE=1\nFDNAME=a");
  CHECK(b.next().text == "FDSTORE=1\nFDNAME=c");
  b.service.sockets_changed();  // nothing to report
  b.listen("d");
  b.listen("e");
  b.service.sockets_changed();
  CHECK(b.next().text == "FDSTORE=1\nFDNAME=d");
  CHECK(b.sockets.kept() == graceful::inventory::names{"b", "c", "d"});
  CHECK(b.logged.back().find("keeps 3 descriptors at most") != std::string::npos);
  b.service.goes_back();
  b.sockets.remove("b", nullptr);
  b.service.sockets_changed();
  CHECK_FALSE(wait_readable(b.manager.socket(), 0s));
}

TEST_CASE("a successor removes from the fd store what it does not listen on any more") {
  service_fixture b{{.store = 9}};
  for (const char* name : {"a", "gone"}) b.take_over(name);
  b.listen("a");
  b.sockets.open();
  b.service.sockets_changed();  // it is not the main process yet
  b.service.serves(2, true);
  CHECK(b.next().has("MAINPID=" + std::to_string(::getpid())));
  CHECK(b.next().text == "FDSTOREREMOVE=1\nFDNAME=gone");
  // The predecessor said that it is kept, but its manager may be another one.
  CHECK(b.next().text == "FDSTORE=1\nFDNAME=a");
  b.service.sockets_changed();
  CHECK_FALSE(wait_readable(b.manager.socket(), 0s));
  CHECK(b.sockets.kept() == graceful::inventory::names{"a"});
}

TEST_CASE("two managers are told apart, even with the same path, and each equals itself") {
  temporary_directory d;
  const auto path = d.path("n\xe9");  // not text: a path may be any bytes
  const auto named = [&](const std::string& invocation) {
    asio::io_context control;
    graceful::log quiet{[](auto, auto) {}};
    graceful::inventory none{quiet};
    const graceful::service s{control,
                              quiet,
                              none,
                              control.get_executor(),
                              {.notify_socket = path, .invocation = invocation}};
    return s.manager();
  };
  const notify_socket manager{path};
  const auto first = named("");
  CHECK(graceful::is_text(first));
  CHECK(named("") == first);
  CHECK(named("another unit") != first);
  const notify_socket next{d.path("next")};
  std::filesystem::rename(d.path("next"), path);
  CHECK(named("") != first);
}

TEST_CASE("of what the predecessor's manager kept, this process's own gets as much as it takes") {
  service_fixture b{{.store = 2}};
  for (const char* name : {"b", "c"}) b.take_over(name);
  for (const char* name : {"a", "b", "c"}) b.listen(name);
  b.sockets.open();
  b.service.serves(2, true);
  CHECK(b.next().has("MAINPID=" + std::to_string(::getpid())));
  CHECK(b.next().text == "FDSTORE=1\nFDNAME=b");  // before new ones
  CHECK(b.next().text == "FDSTORE=1\nFDNAME=c");
  CHECK_FALSE(wait_readable(b.manager.socket(), 0s));
  CHECK(b.logged.back().find("keeps 2 descriptors at most") != std::string::npos);
  CHECK(b.sockets.kept() == graceful::inventory::names{"b", "c"});
}

TEST_CASE("messages to a slow manager are not lost, and arrive in order") {
  service_fixture b{{}};
  b.service.serves(1, false);
  int queue{};  // of a datagram socket
  std::ifstream{"/proc/sys/net/unix/max_dgram_qlen"} >> queue;
  REQUIRE(queue > 0);
  const int many = 10 * (queue + 1);
  for (int i = 0; i < many; ++i)
    b.service.on_upgrade(i % 2 == 0 ? "spawned" : "failed", std::to_string(i));
  CHECK(b.next().has("READY=1"));
  for (int i = 0; i < many; ++i) {
    const auto said = b.next();
    REQUIRE(said.value("STATUS") == std::to_string(i));
    REQUIRE(said.has(i % 2 == 0 ? "RELOADING=1" : "READY=1"));
  }
}

TEST_CASE("only the main process may end the service, and says so only once") {
  service_fixture b{{}};
  b.service.ends(1);  // a successor in its probation
  CHECK_FALSE(wait_readable(b.manager.socket(), 0s));
  b.service.serves(1, false);
  b.next();
  b.service.ends(2);
  CHECK(b.next().has("STOPPING=1"));
  b.service.ends(1);
  const auto more = b.next();
  CHECK_FALSE(more.has("STOPPING=1"));
  CHECK(more.has("STATUS=ends, 1 connection left"));
}

TEST_CASE(
    "a process that was told to end before it was ready reports both, and keeps the fd store") {
  service_fixture b{{.store = 9}};
  b.listen("a");
  b.sockets.open();
  b.service.ends_unserved();
  const auto both = b.next();
  CHECK(both.has("READY=1"));
  CHECK(both.has("STOPPING=1"));
  CHECK(both.has("STATUS=ends, waiting for what still runs"));
  b.service.serves(1, false);
  b.service.sockets_changed();
  b.service.ends_unserved();
  CHECK_FALSE(wait_readable(b.manager.socket(), 0s));
  b.service.ends(0);
  CHECK_FALSE(b.next().has("STOPPING=1"));
}

TEST_CASE("a process that serves never reports that it ended unserved") {
  service_fixture b{{}};
  b.service.serves(1, false);
  b.next();
  b.service.ends_unserved();
  CHECK_FALSE(wait_readable(b.manager.socket(), 0s));
}

TEST_CASE("the watchdog is fed by a service whose threads run, and not by one that hangs") {
  service_fixture b{{.watchdog = 2ms}};
  b.service.serves(1, false);
  b.next();
  b.control.run_for(20ms);  // the application does not run
  CHECK_FALSE(wait_readable(b.manager.socket(), 0s));
  for (int i = 0; i < 3; ++i) {
    CHECK(b.application.poll() == 1);  // one probe was waiting, however long that was
    b.application.restart();
    b.control.run_for(20ms);
    CHECK(b.manager.next(patience).text == "WATCHDOG=1");
    CHECK_FALSE(wait_readable(b.manager.socket(), 0s));
  }
  CHECK(b.application.poll() == 1);
  b.service.finish();
  b.control.restart();
  b.control.poll();
  CHECK_FALSE(wait_readable(b.manager.socket(), 0s));
}

TEST_CASE("a service whose manager expects no sign of life asks its threads for none") {
  service_fixture b{{}};
  b.service.serves(1, false);
  b.control.run_for(1ms);
  CHECK(b.application.poll() == 0);
}
