// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// With what the test kit exports, and nothing else.
#include <graceful/testing.hpp>

#include "eventually.hpp"
#include "kit_servers.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <list>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace graceful::testing;
using namespace graceful_test;
using namespace std::chrono_literals;

namespace {

/// As in proc(5): 'T' is stopped.
char state_of(pid_t pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
  std::string number, name, state;
  file >> number >> name >> state;  // no server of ours has a blank in its name
  return state.empty() ? '?' : state.front();
}

/// What the constructor throws.
std::string failure_of(const deployment_params& params) {
  try {
    const deployment site{params};
    return "it serves";
  } catch (const std::exception& e) {
    return e.what();
  }
}

}  // namespace

TEST_CASE("a deploy loses nothing") {
  deployment site{http_server()};
  auto load = site.start_http_load({.connections = 8, .keep_alive = true, .path = "/"});
  REQUIRE(load.wait_for(50, site.patience()));
  auto outcome =
      site.upgrade({.environment = {{"NEW", "{directory}"}}, .until = upgrade_end::drained});
  REQUIRE(load.wait_for_generation(2, 50, site.patience()));
  auto seen = load.stop();
  INFO(site.report());
  CHECK(outcome.committed());
  CHECK(outcome.generation == 2);
  CHECK(outcome.pid == site.pid(2));
  CHECK(site.pid(2) != site.pid(1));
  CHECK(seen.lost() == 0);
  CHECK(seen.served_by_latest() > 0);
  CHECK(site.leaks() == no_leaks);
  CHECK(site.generation() == 2);
  CHECK(contains(site.metrics(), "graceful_"));
}

TEST_CASE("events continue over generations, and the report merges them with the outputs") {
  deployment site{http_server()};
  REQUIRE(site.upgrade().committed());
  REQUIRE(site.upgrade().committed());
  const auto committed = site.wait_for_event("committed", site.patience(), 2);
  REQUIRE(committed);
  CHECK(committed->generation == 2);
  const auto watching = site.wait_for_event("watching", site.patience(), 3);
  REQUIRE(watching);
  CHECK(watching->generation == 3);
  CHECK(site.wait_gone(1));
  CHECK(site.wait_gone(2));
  CHECK_FALSE(site.wait_gone(3, 0s));
  CHECK_THROWS_AS((void)site.pid(4), std::out_of_range);
  CHECK(site.drain().has_value());
  CHECK(site.wait_gone(3));
  const auto report = site.report();
  INFO(report);
  CHECK(contains(report, "generation 1, pid " + std::to_string(site.pid(1)) + ": exited 0"));
  CHECK(contains(report, "committed: upgrade: generation 2 has taken over"));
  for (const auto generation : {1U, 2U, 3U}) {
    const auto number = std::to_string(generation), pid = std::to_string(site.pid(generation));
    const auto log = report.find("--- output of generation " + number + ", pid " + pid + "\n");
    REQUIRE(log != report.npos);
    // In its own log, and in no other.
    const auto line = report.find("ready: generation " + number + " pid " + pid, log);
    REQUIRE(line != report.npos);
    CHECK(report.find("--- output", log + 1) > line);
  }
}

TEST_CASE("a client that left an upgrade in its probation can roll it back on a new connection") {
  deployment site{http_server("1min")};
  const auto connect = [&] {
    return graceful::control_client::connect(site.control(), site.patience()).value();
  };
  auto client = connect();
  const auto ready = client.upgrade({}, [](const auto& phase) { return phase.phase != "ready"; });
  REQUIRE(ready.has_value());
  REQUIRE(ready->phase == "ready");
  // The upgrade would be answered, by its commit.
  CHECK(client.rollback().error().code == boost::system::errc::not_connected);
  auto again = connect();
  CHECK(again.rollback().has_value());
  CHECK(again.rollback().error().code == graceful::errc::no_upgrade);
  CHECK(site.generation() == 1);
}

TEST_CASE("a test can act while an upgrade runs") {
  deployment site{http_server("1min")};
  const auto run = site.start_upgrade();
  REQUIRE(run.wait_for("ready", site.patience()));
  CHECK(site.status().state == "probation");
  CHECK(site.upgrade().busy());
  CHECK(run.wait(0s).code == graceful::errc::timed_out);
  SUBCASE("kill the successor") {
    CHECK(site.kill(2, SIGKILL));
    CHECK(run.wait(site.patience()).rolled_back());
    CHECK(site.wait_gone(2));
    CHECK(site.generation() == 1);
  }
  SUBCASE("stop it, and let it continue") {
    CHECK(site.stop(2));
    CHECK(site.cont(2));
    CHECK(site.commit().has_value());
    CHECK(run.wait(site.patience()).committed());
  }
  SUBCASE("roll it back") {
    CHECK(site.rollback().has_value());
    const auto outcome = run.wait(site.patience());
    CHECK(outcome.rolled_back());
    CHECK_FALSE(outcome.committed());
    CHECK(site.commit().error().code == graceful::errc::no_upgrade);
  }
  CHECK(site.leaks() == no_leaks);
}

TEST_CASE("of two upgrades at once one is told that the server is busy") {
  deployment site{http_server("1min")};
  for (int i = 0; i < 5; ++i) {
    const auto one = site.start_upgrade(), other = site.start_upgrade();
    const deadline until{site.patience()};
    while (!one.wait(5ms).busy() && !other.wait(5ms).busy()) REQUIRE_FALSE(until.passed());
    REQUIRE(site.wait_for_event("ready", until, static_cast<std::size_t>(i) + 1));
    CHECK(site.commit().has_value());
    const auto first = one.wait(until), second = other.wait(until);
    INFO(first.to_string(), "\n", second.to_string());
    CHECK(first.committed() + second.committed() == 1);
    CHECK(first.busy() + second.busy() == 1);
  }
  CHECK(site.generation() == 6);
  CHECK(site.leaks() == no_leaks);
}

TEST_CASE("a generation is stopped when stop() returns, and runs again after cont()") {
  deployment site{http_server()};
  for (int i = 0; i < 50; ++i) {
    REQUIRE(site.stop(1));
    CHECK(state_of(site.pid(1)) == 'T');
    REQUIRE(site.cont(1));
    CHECK(state_of(site.pid(1)) != 'T');
  }
  CHECK(site.upgrade().committed());
  REQUIRE(site.wait_gone(1));
  CHECK_FALSE(site.stop(1));
  CHECK_FALSE(site.cont(1));
  CHECK_THROWS_AS(site.stop(7), std::out_of_range);
}

TEST_CASE("thousands of deploys do not fill the test program: ended processes are released") {
  deployment site{http_server()};
  const auto upgrade = [&] {
    REQUIRE(site.upgrade({.until = upgrade_end::drained}).committed());
    CHECK(site.leaks() == no_leaks);
  };
  upgrade();
  upgrade();
  const auto before = take_census(::getpid());
  for (int i = 0; i < 5; ++i) upgrade();
  // A thread's end is seen a moment after its last action.
  CHECK(wait_for_census(::getpid(), before, site.patience()));
}

TEST_CASE("several test programs can use the kit at the same time") {
  const auto self = std::filesystem::read_symlink("/proc/self/exe").string();
  std::list<process> programs;
  for (int i = 0; i < 4; ++i) {
    programs.emplace_back(
        std::vector<std::string>{self, "--test-case=a deploy loses nothing,two deployments*"});
  }
  for (process& each : programs) {
    CHECK(each.wait_exit(2 * patience).exited(0));
    INFO(each.output());
    CHECK(contains(each.output(), "2 passed | 0 failed"));
  }
}

TEST_CASE("a test can wait for an upgrade until it is ready") {
  deployment site{http_server("1min")};
  const auto outcome = site.upgrade({.until = upgrade_end::ready});
  CHECK(outcome.ready());
  CHECK_FALSE(outcome.committed());
  CHECK_FALSE(outcome.failed());
}

TEST_CASE("two deployments at once do not affect each other") {
  deployment here{http_server()};
  auto load = here.start_http_load({.connections = 2});
  std::thread other{[&here] {
    deployment there{http_server()};
    CHECK(there.directory() != here.directory());
    CHECK(there.port() != here.port());
    for (int i = 0; i < 3; ++i) CHECK(there.upgrade().committed());
    CHECK(there.leaks() == no_leaks);
    CHECK_FALSE(contains(there.report(), here.directory()));
  }};
  for (int i = 0; i < 3; ++i) CHECK(here.upgrade().committed());
  other.join();
  // The end of the other one has neither ended nor reaped these processes.
  REQUIRE(load.wait_for(20, here.patience()));
  const auto seen = load.stop();
  CHECK(seen.lost() == 0);
  CHECK(here.leaks() == no_leaks);
  CHECK(contains(here.report(), "generation 1, pid " + std::to_string(here.pid(1)) + ": exited 0"));
}

TEST_CASE("a descriptor that a deploy leaks is named") {
  deployment site{flawed("leak")};
  REQUIRE(site.leaks() == no_leaks);
  REQUIRE(site.upgrade().committed());
  const auto leaks = site.leaks().to_string();
  INFO(leaks);
  CHECK(contains(leaks, "descriptors: "));
  CHECK(contains(leaks, "/dev/null"));
  CHECK(contains(leaks, "is not close-on-exec"));
}

TEST_CASE("every other leak of a deploy is named by its kind") {
  const std::vector<std::pair<const char*, std::string_view>> kinds{
      {"socket", "sockets: "},  {"epoll", "epoll entries: "},    {"thread", "threads: "},
      {"zombie", "zombies: 1"}, {"child", "child processes: 1"}, {"orphan", "the process "}};
  for (const auto& kind : kinds) {
    const auto flaw = kind.first;
    CAPTURE(flaw);
    deployment site{flawed(flaw)};
    REQUIRE(site.leaks() == no_leaks);
    REQUIRE(site.upgrade().committed());
    const auto leaks = site.leaks().to_string();
    INFO(leaks);
    CHECK(contains(leaks, kind.second));
  }
}

TEST_CASE("a path that a deploy leaves behind is named") {
  deployment site{flawed("litter")};
  REQUIRE(site.upgrade().committed());
  CHECK(site.leaks().to_string() == "the path control.sock.litter");
  site.take_reference();
  CHECK(site.leaks() == no_leaks);
}

TEST_CASE("a generation that does not end is a leak, and so is a connection that stays open") {
  deployment site{http_server()};
  http_connection held{resolve("127.0.0.1", site.port(), site.patience()), 0};
  held.exchange("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  held.send("GET / HTTP/1.1\r\n");
  CHECK(contains(site.leaks(100ms).to_string(), "1 connection is open"));
  REQUIRE(site.upgrade().committed());
  REQUIRE(site.wait_for_event("watching", site.patience(), 2));  // otherwise this is what does not
                                                                 // come to rest
  CHECK(contains(site.leaks(100ms).to_string(), "generation 1, pid "));
  held.exchange("Host: test\r\n\r\n");
  CHECK(site.leaks() == no_leaks);
}

TEST_CASE("a server that does not come to rest because of a probation is reported as such") {
  deployment site{http_server("1min")};
  const auto run = site.start_upgrade();
  REQUIRE(run.wait_for("ready", site.patience()));
  CHECK(contains(site.leaks(100ms).to_string(),
                 "does not come to rest: the server is in the probation of an upgrade"));
  CHECK(site.commit().has_value());
  CHECK(run.wait(site.patience()).committed());
}

TEST_CASE("a server that refuses clients during an upgrade is found out") {
  deployment site{flawed("refuse")};
  auto load = site.start_http_load({.connections = 4, .keep_alive = false});
  REQUIRE(load.wait_for(20, site.patience()));
  REQUIRE(site.upgrade().committed());
  CHECK_FALSE(load.wait_for(100, 200ms));
  const auto seen = load.stop();
  site.remember(seen, "clients");
  INFO(seen.to_string());
  CHECK(seen.refused > 0);
  CHECK(contains(site.report(), "clients       refused: connect: "));
}

TEST_CASE("a successor that never becomes ready fails its deploy, and nothing else") {
  deployment site{flawed("unready")};
  const auto outcome = site.upgrade({.timeout = 500ms});
  INFO(outcome.to_string());
  CHECK(outcome.failed());
  CHECK_FALSE(outcome.ready());
  CHECK_FALSE(outcome.busy());
  CHECK(site.generation() == 1);
  CHECK(site.leaks() == no_leaks);
}

TEST_CASE("a server that does not start is an error that says why") {
  CHECK(contains(failure_of({.command = {"/bin/sh", "-c", "echo no config >&2; exit 3"}}),
                 "/bin/sh exited 3 before it served; it wrote:\nno config"));
  // Both use up all their time, so they run at the same time.
  auto starting = flawed("starting");
  starting.patience = 3s;
  auto never_ready = std::async(std::launch::async, failure_of, starting);
  const auto foreign =
      failure_of({.command = {"/bin/sh", "-c", "echo hello; exec sleep 60"}, .patience = 3s});
  CHECK(contains(foreign, "is the program linked with graceful"));
  CHECK(contains(foreign, "hello"));
  CHECK(contains(never_ready.get(), "it says that it is starting: does it call ready()?"));
  CHECK_THROWS_AS(deployment{{.command = {"/no/such/program"}}}, std::system_error);
  CHECK_THROWS_AS(deployment{{}}, std::invalid_argument);
}

TEST_CASE("the processes of a killed test program end, and its directory is removed") {
  // It runs until it is killed. Its subreaper has gone then, and generation 2 has no parent.
  process program{{from_build("ENDLESS_TEST")}};
  REQUIRE(program.wait_for_output("\n", patience));
  std::istringstream said{program.stdout_text()};
  pid_t first = 0, second = 0;
  std::string directory;
  said >> first >> second >> directory;
  INFO(program.output());
  REQUIRE(!directory.empty());
  REQUIRE(::kill(first, 0) == 0);
  REQUIRE(::kill(second, 0) == 0);
  const deadline until{patience};
  program.signal(SIGKILL);
  CHECK(program.wait_exit(until).to_string() == "signalled 9");
  struct stat ignored;
  CHECK(eventually([&] { return ::stat(directory.c_str(), &ignored) != 0; }, until));
  // The directory is removed last.
  for (const pid_t pid : {first, second}) {
    const auto left = take_census(pid);
    CHECK(left.descriptors == 0);
  }
}

TEST_CASE(
    "a deployment prints its report if it is destroyed by an exception or the test asks for it") {
  // How it fails, and what is printed then.
  const std::vector<std::pair<std::string, std::string_view>> ways{
      {"throws", "--- timeline"},
      {"failed", "--- timeline"},
      {"failed keep", "the directory stays: "},
      {"check_throws", "a deployment's report: not now"},
      {"good keep", ""}};
  for (const auto& each : ways) {
    const auto& way = each.first;
    const auto printed = each.second;
    CAPTURE(way);
    process program{{from_build("REPORTING_TEST"), way.substr(0, way.find(' ')),
                     contains(way, "keep") ? "keep" : "remove"}};
    REQUIRE(program.wait_exit(patience).exited(0));
    INFO(program.output());
    const auto said = program.stdout_text();
    const std::string directory = said.substr(0, said.find('\n'));
    CHECK(contains(program.output(), printed));
    CHECK(contains(program.output(), "--- timeline") == (printed != "" && way != "check_throws"));
    CHECK((std::filesystem::remove_all(directory) > 0) == (way == "failed keep"));
  }
}

TEST_CASE("the directory disappears with the deployment") {
  std::string directory;
  {
    const deployment site{http_server()};
    directory = site.directory();
    CHECK(site.control() == directory + "/control.sock");
    CHECK(site.address("http") == "127.0.0.1:" + std::to_string(site.port()));
    CHECK_THROWS_AS((void)site.port("smtp"), std::out_of_range);
  }
  struct stat ignored;
  CHECK(::stat(directory.c_str(), &ignored) != 0);
}
