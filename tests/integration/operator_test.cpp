// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What an operator reads when something is wrong: it is true, and it says what to do next.
#include "gate.hpp"
#include "server_fixture.hpp"
#include "testing/process_table.hpp"
#include "varlink_peer.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <signal.h>
#include <unistd.h>

using namespace graceful_test;
namespace fs = std::filesystem;

namespace {

std::size_t mentioned(const std::string& text, const std::string& words) {
  std::size_t found = 0;
  for (auto at = text.find(words); at != text.npos; at = text.find(words, at + 1)) ++found;
  return found;
}

/// The command line of the server of `s`, with each argument `from` replaced.
std::vector<std::string> command_with(const server_fixture& s, const std::string& from,
                                      const std::string& to) {
  auto command = s.command();
  for (auto& argument : command) {
    if (argument == from) argument = to;
  }
  return command;
}

/// An upgrade whose predecessor is killed while the successor has its sockets and initialises.
struct orphaned_upgrade {
  orphaned_upgrade() {
    REQUIRE(ctl.wait_for_output("passed", patience));
    REQUIRE(s.server().wait_for_output("gate: initialising", patience));
    successor = spawned_pid(ctl);
    s.server().signal(SIGKILL);
    REQUIRE(s.server().wait_exit(patience));
  }

  server_fixture s;
  gate opening{s.scene()};
  process& ctl = opening.start_upgrade(s);
  pid_t successor = 0;
};

}  // namespace

TEST_CASE("a successor that is still starting when its predecessor dies is reported as starting") {
  orphaned_upgrade o;
  const auto status = o.s.status({"--timeout", "1.5"});
  INFO(status.all);
  CHECK(status.status == "exited 75");
  CHECK(contains(status.all, "has died"));
  CHECK(
      contains(status.all, "its successor (pid " + std::to_string(o.successor) + ") is starting"));
  CHECK_FALSE(contains(status.all, "start the server"));
  const auto copy = run(o.s.scene(), o.s.command());
  INFO(copy.all);
  CHECK(copy.status == "exited 1");
  CHECK(contains(copy.all, "is starting"));
  CHECK_FALSE(contains(copy.all, "is running already"));
  REQUIRE(o.ctl.running());  // it waits for the successor
  o.opening.open();
  CHECK(o.ctl.wait_exit(patience).exited(0));
  INFO(o.ctl.output());
  CHECK(contains(o.ctl.output(), "generation 2, pid " + std::to_string(o.successor)));
}

TEST_CASE("an upgrade whose server dies and leaves a child behind says once to start the server") {
  server_fixture s{{}, {}, programs::forking_server()};
  http_connection connection{resolve("127.0.0.1", s.port(), patience), 0};
  connection.exchange("GET /clone HTTP/1.1\r\nHost: test\r\n\r\n");
  process& ctl = s.start_upgrade({"--", "/bin/sleep", "60"});
  REQUIRE(ctl.wait_for_output("spawned", patience));
  s.server().signal(SIGKILL);
  CHECK(ctl.wait_exit(patience).exited(7));
  INFO(ctl.output());
  CHECK(mentioned(ctl.output(), "start the server") == 1);
}

TEST_CASE("an upgrade whose predecessor and successor both die reports that at once") {
  orphaned_upgrade o;
  REQUIRE(send_signal(open_pidfd(o.successor), SIGKILL));
  CHECK(o.ctl.wait_exit(patience).exited(7));
}

TEST_CASE("a monitor waits for a successor whose predecessor has died while it starts") {
  server_fixture s;
  gate opening{s.scene()};
  process& watch = s.start_ctl({"monitor", s.control(), "--timeout", "0.2"});
  REQUIRE(watch.wait_for_output("the server is serving", patience));
  process& ctl = opening.start_upgrade(s);
  REQUIRE(ctl.wait_for_output("passed", patience));
  REQUIRE(s.server().wait_for_output("gate: initialising", patience));
  s.server().signal(SIGKILL);
  REQUIRE(s.server().wait_exit(patience));
  const auto status = s.status({"--timeout", "1.5"});  // longer than the monitor's own deadline
  CHECK(status.status == "exited 75");
  CHECK(watch.running());
  opening.open();
  CHECK(watch.wait_for_output("generation 2, pid ", patience));
}

TEST_CASE(
    "an upgrade that ends because the server ends does not say that the server still serves") {
  server_fixture s;
  process& ctl = s.start_upgrade({"--", "/bin/sleep", "60"});
  REQUIRE(ctl.wait_for_output("spawned", patience));
  s.server().signal(SIGTERM);
  CHECK(ctl.wait_exit(patience).exited(7));
  CHECK(contains(ctl.output(), "the server was told to end; the old process ends"));
  CHECK(s.server().wait_exit(patience).exited(0));
  CHECK(s.status().status == "exited 7");
}

TEST_CASE("a listener that moves to another address is shown with both addresses") {
  server_fixture s{{"--probation", "1min"}};
  const auto old_address = "127.0.0.1:" + std::to_string(s.port());
  process& ctl = s.start_upgrade(behind_dashes(command_with(s, "127.0.0.1:0", "127.0.0.2:0")));
  REQUIRE(ctl.wait_for_output("ready: generation 2", patience));
  CHECK(s.ctl({"commit", s.control()}).status == "exited 0");
  REQUIRE(ctl.wait_exit(patience).exited(0));
  const auto nobody = "nobody listens on " + old_address + " ('http') any more";
  INFO(ctl.output());
  CHECK(contains(ctl.output(), nobody + ": the new build does not listen there"));
  CHECK(contains(s.server().output(), nobody));
  const auto status = s.status();
  INFO(status.out);
  CHECK(contains(status.out, nobody + " since the last upgrade: this build listens on 127.0.0.2:"));
  CHECK_FALSE(contains(status.out, "not listened on"));
  CHECK(contains(s.status({"--json"}).out, "\"dropped_addresses\":[\"" + old_address + "\"]"));
}

TEST_CASE("a successor with another control path says so, and does not advise to end the server") {
  server_fixture s;
  const auto command =
      at_port(command_with(s, s.control(), s.scene().path("other.sock")), s.port());
  const auto done = s.upgrade(behind_dashes(command));
  CHECK(done.status == "exited 1");
  const auto log = s.server().output();
  INFO(done.all, log);
  CHECK(contains(log, "was started to replace the server at " + s.control() +
                          ", but its own control path is " + s.scene().path("other.sock")));
  CHECK(contains(log, "it starts cold"));
  CHECK(contains(log, "it is held by pid " + std::to_string(s.server().pid())));
  CHECK_FALSE(contains(log, "end that"));
  CHECK(s.generation() == 1);
}

TEST_CASE("a server that finds its port held by another server says how to replace that one") {
  server_fixture s;
  const auto command =
      at_port(command_with(s, s.control(), s.scene().path("other.sock")), s.port());
  const auto copy = run(s.scene(), command);
  INFO(copy.all);
  CHECK(copy.status == "exited 1");
  CHECK(contains(copy.all, "to replace it: graceful-ctl upgrade " + s.control()));
  CHECK_FALSE(contains(copy.all, "end that"));
}

TEST_CASE("a successor that ends before ready() is reported with the way in which it ended") {
  server_fixture s;
  gate opening{s.scene()};
  process& ctl = opening.start_upgrade(s);
  REQUIRE(ctl.wait_for_output("passed", patience));
  opening.give_up();
  CHECK(ctl.wait_exit(patience).exited(1));
  INFO(ctl.output());
  CHECK(contains(ctl.output(), "the successor exited with status 4 before it was ready"));
  CHECK(contains(ctl.output(), "; what the new process said is in the old one's log"));
}

TEST_CASE("an upgrade that is not ready in time says how far the successor came, with its pid") {
  server_fixture s;
  const auto never = s.upgrade({"--timeout", "0.3", "--", "/bin/sleep", "60"});
  INFO(never.all);
  CHECK(contains(never.all, "the successor (pid "));
  CHECK(contains(never.all,
                 ") had not connected within 300 ms (does it make a graceful::upgrader?): "
                 "it was killed"));
  const auto other = s.upgrade({"--", "/bin/true"});
  INFO(other.all);
  CHECK(contains(other.all,
                 "exited with status 0 before it connected (does it make a graceful::upgrader?)"));
}

TEST_CASE("the log of the old process is mentioned only if the new one may have logged something") {
  server_fixture s;
  const auto nothing = s.upgrade({"--", "/no/such/program"});
  CHECK(nothing.status == "exited 1");
  CHECK_FALSE(contains(nothing.all, "log"));
  process& ctl = s.start_upgrade({"--", "/bin/sleep", "60"});
  REQUIRE(ctl.wait_for_output("spawned", patience));
  const auto early = s.ctl({"commit", s.control()});
  CHECK(early.status == "exited 1");
  CHECK(contains(early.all, "the successor (pid "));
  CHECK(contains(early.all, ") is not ready yet"));
  const auto busy = s.upgrade();
  CHECK(busy.status == "exited 75");
  CHECK(contains(busy.all, ") for "));
  CHECK(s.ctl({"abort", s.control()}).status == "exited 0");
  CHECK(ctl.wait_exit(patience).exited(1));
  INFO(ctl.output());
  CHECK(contains(ctl.output(), "an operator aborted it"));
  CHECK_FALSE(contains(ctl.output(), "log"));
}

TEST_CASE("commit and rollback without a probation each say what to do") {
  server_fixture s;
  const auto commit = s.ctl({"commit", s.control()});
  CHECK(contains(commit.all, "nothing to commit: no successor is in probation"));
  CHECK_FALSE(contains(commit.all, "earlier build"));
  const auto rollback = s.ctl({"rollback", s.control()});
  CHECK(contains(rollback.all, "to go back to an earlier build, upgrade to it"));
}

TEST_CASE("an upgrade is a single line in the log of each process that ends or stays") {
  server_fixture s;
  REQUIRE(s.upgrade().status == "exited 0");
  REQUIRE(s.server().wait_exit(patience).exited(0));
  const auto ended = "generation 1 (pid " + std::to_string(s.server().pid()) + ") has ended";
  REQUIRE(s.server().wait_for_output(ended, patience));
  // What the successor has to log about that end comes before its next message.
  REQUIRE(s.upgrade({"--", "/bin/false"}).status == "exited 1");
  const auto log = s.server().output();
  INFO(log);
  CHECK(contains(log, "committed: this process stays"));
  CHECK(mentioned(log, "has ended") == 1);
}

TEST_CASE("a limit of open files that is too low is named, wherever it is hit") {
  scene where;
  for (int limit = 5; limit < 24; ++limit) {
    const auto control = where.path("control" + std::to_string(limit) + ".sock");
    const auto command = "ulimit -n " + std::to_string(limit) + "; exec '" +
                         programs::http_server() + "' --listen 127.0.0.1:0 --control '" + control +
                         "'";
    process& server = where.start({"/bin/sh", "-c", command});
    const bool serves = server.wait_for_output("ready: generation 1 ", patience);
    if (serves) server.signal(SIGTERM);
    const auto end = server.wait_exit(patience);
    REQUIRE(end);
    const auto text = server.output();
    if (end.exited(0) || contains(text, "loading shared libraries")) continue;
    INFO(limit, ": ", text);
    CHECK(contains(text, "raise the limit of open files"));
    CHECK_FALSE(contains(text, "[system:"));
  }
}

TEST_CASE("a limit of open files that is too low for a successor is named, wherever it is hit") {
  server_fixture s;
  std::string server;
  for (const auto& argument : s.command()) server += " '" + argument + "'";
  for (int limit = 6; limit < 24 && s.generation() == 1; ++limit) {
    const auto before = s.server().output().size();
    const auto done = s.upgrade(
        {"--", "/bin/sh", "-c", "ulimit -n " + std::to_string(limit) + "; exec" + server});
    if (done.status == "exited 0") break;
    const auto text = done.all + s.server().output().substr(before);
    if (contains(text, "loading shared libraries")) continue;
    INFO(limit, ": ", text);
    CHECK(contains(text, "raise the limit of open files"));
    CHECK_FALSE(contains(text, "[system:"));
  }
  CHECK(s.generation() == 2);
}

TEST_CASE("a control path in a missing directory names the directory, and says what to do") {
  scene where;
  const auto control = where.path("nope/x.sock");
  const auto server =
      run(where, {programs::http_server(), "--control", control, "--listen", "127.0.0.1:0"});
  INFO(server.all);
  CHECK(server.status == "exited 1");
  CHECK(contains(server.all, "the directory " + where.path("nope") +
                                 " of the control path does not exist: make it, or choose another "
                                 "control path"));
}

TEST_CASE("a program that exists but cannot be executed is told apart from a missing one") {
  server_fixture s;
  const auto script = s.scene().path("script");
  std::ofstream{script} << "#!/nope/bash\n";
  fs::permissions(script, fs::perms::owner_all);
  const auto interpreter = s.upgrade({"--", script});
  INFO(interpreter.all);
  CHECK(contains(interpreter.all,
                 "No such file or directory: its interpreter (/nope/bash) is missing"));
  const auto absent = s.upgrade({"--", s.scene().path("absent")});
  CHECK_FALSE(contains(absent.all, "interpreter"));
}

TEST_CASE("a server whose own program is missing says where to put the new build") {
  scene where;
  const auto program = where.path("server");
  fs::copy_file(programs::http_server(), program);
  const auto control = where.path("control.sock");
  process& server = where.start({program, "--control", control, "--listen", "127.0.0.1:0"},
                                {.environment = {{"LD_LIBRARY_PATH", programs::libraries()}}});
  REQUIRE(server.wait_for_output("ready: generation 1 ", patience));
  fs::remove(program);
  const auto done = run(where, {programs::graceful_ctl(), "upgrade", control});
  INFO(done.all);
  CHECK(done.status == "exited 1");
  CHECK(
      contains(done.all, "put the new build there, or name one: graceful-ctl upgrade -- COMMAND"));
}

TEST_CASE("an order that is reported as failed is not carried out later") {
  server_fixture s{{"--probation", "1min"}};
  REQUIRE(s.upgrade({"--until", "ready"}).status == "exited 0");
  const auto refused = [&](const std::vector<std::string>& order) {
    CAPTURE(order.front());
    REQUIRE(s.server().stop());
    auto words = order;
    words.insert(words.begin() + 1, s.control());
    words.insert(words.end(), {"--timeout", "0.3"});
    const auto answer = s.ctl(words);
    s.server().signal(SIGCONT);
    INFO(answer.all);
    CHECK(answer.status == "exited 1");
    CHECK(contains(answer.all, "has not read the call, and drops it when it does"));
    CHECK(s.server().wait_for_output("is dropped: its caller has given up", patience));
  };
  refused({"commit"});
  refused({"rollback"});
  CHECK(contains(s.status().all, "in probation"));  // the first answer after the orders
  REQUIRE(s.ctl({"commit", s.control()}).status == "exited 0");
}

TEST_CASE("an upgrade or a drain that is reported as failed does not begin later") {
  server_fixture s;
  for (const std::string order : {"upgrade", "drain", "abort"}) {
    CAPTURE(order);
    REQUIRE(s.server().stop());
    const auto answer = s.ctl({order, s.control(), "--timeout", "0.3"});
    s.server().signal(SIGCONT);
    INFO(answer.all);
    CHECK(answer.status == "exited 1");
    // An upgrade begins with a question, which is not an order.
    CHECK(contains(answer.all, order == "upgrade" ? "did not answer in time; it may be stopped"
                                                  : "drops it when it does"));
    CHECK(contains(s.status().all, "generation 1, pid " + std::to_string(s.server().pid()) +
                                       ", serving"));  // it has read the order before this call
  }
  CHECK(mentioned(s.server().output(), "is dropped: its caller has given up") == 2);
  REQUIRE(s.server().stop());
  varlink_peer::connect(s.control()).send(R"({"method":"io.graceful.Control.Upgrade"})");
  s.server().signal(SIGCONT);
  CHECK(s.server().wait_for_output("the order io.graceful.Control.Upgrade is dropped", patience));
  CHECK(s.generation() == 1);
}
