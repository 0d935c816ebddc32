// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/supervision_driver.hpp"

#include <graceful/testing/deadline.hpp>

#include "os/child.hpp"

#include "ordinary_user.hpp"
#include "patience.hpp"

#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace graceful_test;
using namespace std::chrono_literals;
using graceful::serving_watch;
using graceful::supervision_driver;
namespace os = graceful::os;

namespace {

os::start_command command_of(std::vector<std::string> arguments) {
  auto file = arguments.front();
  return {.file = std::move(file),
          .arguments = std::move(arguments),
          .environment = {},
          .directory = "/"};
}

struct driver_fixture {
  explicit driver_fixture(const char* script) : script_{script} {}

  bool run_until(const std::function<bool()>& done) {
    for (const graceful::testing::deadline until{patience}; !until.passed();) {
      driver.reap();
      if (done()) return true;
      context.restart();
      context.run_for(1ms);
    }
    return false;
  }

  const char* script_;
  boost::asio::io_context context;
  std::string logged;
  graceful::log log{[this](auto, std::string_view text) { logged.append(text) += '\n'; },
                    graceful::log_level::info};
  int asked = 0;
  std::function<serving_watch::after()> answer = [] { return serving_watch::after{}; };
  std::optional<int> finished;
  supervision_driver driver{context,
                            log,
                            {.server = command_of({"/bin/sh", "-c", script_}),
                             .limits = {.first_delay = 1h,
                                        .longest_delay = 1h,
                                        .failures = 2,
                                        .good_while = 10s,
                                        .ready_timeout = 1h},
                             .sockets = [] { return std::vector<os::passed_socket>{}; },
                             .listen = [] {},
                             .main_is = [](pid_t) {},
                             .after =
                                 [this](pid_t) {
                                   ++asked;
                                   return answer();
                                 },
                             .release = [] {},
                             .keep = [] {},
                             .finished = [this](int code) { finished = code; }},
                            {}};
};

/// Leaves only that many descriptors free while it lives.
struct few_descriptors {
  explicit few_descriptors(int more) {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const graceful::unique_fd lowest{::dup(STDIN_FILENO)};
    const rlimit low{.rlim_cur = static_cast<rlim_t>(lowest.get() + more),
                     .rlim_max = before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  }
  ~few_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before); }
  rlimit before{};
};

}  // namespace

TEST_CASE("the end of a server is not decided while another process may be about to serve") {
  auto heir = os::child::spawn(command_of({"/bin/sleep", "1000"}));
  REQUIRE(heir.has_value());
  driver_fixture b{"exit 0"};
  b.answer = [&] {
    return b.asked < 4 ? serving_watch::after{.may_come = true}
                       : serving_watch::after{.heir = heir->pid()};
  };
  b.driver.begin();
  CHECK(b.run_until([&] { return b.driver.undecided(); }));
  CHECK(b.run_until([&] { return b.driver.remembered().main == heir->pid(); }));
  CHECK_FALSE(b.driver.undecided());
  CHECK_FALSE(b.finished);
  heir->kill();
  REQUIRE(heir->wait(patience));
}

TEST_CASE(
    "the end of a server that cannot have a successor, or of one that fails, is decided at once") {
  for (const auto& [script, waits] : {std::pair{"exit 0", false}, std::pair{"exit 1", true}}) {
    driver_fixture b{script};
    b.answer = [waits = waits] { return serving_watch::after{.may_come = waits}; };
    b.driver.begin();
    CHECK(b.run_until([&] { return b.finished || b.driver.remembered().failures == 1; }));
    CHECK(b.asked == 1);
    CHECK(b.finished.has_value() != waits);
  }
}

TEST_CASE("a signal that cannot be passed on is logged") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: an ordinary user cannot become another");
    return;
  }
  driver_fixture b{"exec setpriv --reuid=65533 --clear-groups sleep 1000"};
  b.driver.begin();
  const auto server = *b.driver.remembered().main;
  const auto user = [&] {
    struct stat status {};
    return ::stat(("/proc/" + std::to_string(server)).c_str(), &status) == 0 ? status.st_uid : 0;
  };
  REQUIRE(b.run_until([&] { return user() == 65'533; }));
  {
    const ordinary_user nobody;
    bool by_terminal = false;
    SUBCASE("by kill(2)") {}
    SUBCASE("by a terminal, to all") { by_terminal = true; }
    b.driver.told(SIGHUP, by_terminal);
  }
  CHECK(b.logged.find("cannot send signal 1 (SIGHUP) to pid " + std::to_string(server) +
                      ": Operation not permitted") != std::string::npos);
  b.driver.told(SIGTERM, false);
  CHECK(b.run_until([&] { return b.finished.has_value(); }));
}

TEST_CASE("a server that cannot be watched for lack of descriptors still gets signals") {
  driver_fixture b{"exec sleep 1000"};
  b.driver.begin();
  auto other = os::child::spawn(command_of({"/bin/sleep", "1000"}));
  REQUIRE(other.has_value());
  graceful::supervision::notification said;
  said.main_pid = other->pid();
  {
    const few_descriptors none{0};
    b.driver.said({.pid = *b.driver.remembered().main}, said);
    REQUIRE(b.driver.remembered().main == other->pid());
    b.driver.told(SIGTERM, false);
  }
  CHECK(graceful::testing::wait_readable(other->pidfd(), patience));
  b.driver.told(SIGTERM, false);
  CHECK(b.run_until([&] { return b.finished.has_value(); }));
}

TEST_CASE("a successor's message decides an undecided end of its predecessor") {
  auto heir = os::child::spawn(command_of({"/bin/sleep", "1000"}));
  REQUIRE(heir.has_value());
  driver_fixture b{"exit 0"};
  b.answer = [] { return serving_watch::after{.may_come = true}; };
  b.driver.begin();
  REQUIRE(b.run_until([&] { return b.driver.undecided(); }));
  graceful::supervision::notification said;
  said.main_pid = heir->pid();
  said.ready = true;
  b.driver.said({.pid = heir->pid()}, said);
  CHECK(b.run_until([&] { return b.driver.remembered().main == heir->pid(); }));
  heir->kill();
  REQUIRE(heir->wait(patience));
}

TEST_CASE("a process that is seen to serve decides an undecided end of the server") {
  auto heir = os::child::spawn(command_of({"/bin/sleep", "1000"}));
  REQUIRE(heir.has_value());
  driver_fixture b{"exit 0"};
  b.answer = [] { return serving_watch::after{.may_come = true}; };
  b.driver.begin();
  REQUIRE(b.run_until([&] { return b.driver.undecided(); }));
  b.driver.serves({.pid = heir->pid()});
  CHECK(b.run_until([&] { return !b.driver.undecided(); }));
  CHECK(b.driver.remembered().main == heir->pid());
  CHECK(b.driver.remembered().formers.empty());
  heir->kill();
  REQUIRE(heir->wait(patience));
}

TEST_CASE("a server that cannot be watched for lack of descriptors does not count as dead") {
  for (const int more : {0, 1}) {
    driver_fixture b{"exit 0"};
    {
      const few_descriptors none{more};
      b.driver.adopt({.pid = ::getppid()});
    }
    CHECK(b.driver.remembered().main == ::getppid());
    CHECK(b.asked == 0);
    CHECK(b.logged.find("cannot watch pid " + std::to_string(::getppid())) != std::string::npos);
    // It also gets the events that follow.
    graceful::supervision::notification said;
    said.status = "serves";
    b.driver.said({.pid = ::getppid()}, said);
    CHECK(b.driver.remembered().status == "serves");
  }
}
