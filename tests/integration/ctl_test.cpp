// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "server_fixture.hpp"
#include "varlink_peer.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace graceful_test;

TEST_CASE("status shows generation, pid, state and each listener with its queue") {
  server_fixture s;
  const auto plain = s.status();
  CHECK(plain.status == "exited 0");
  CHECK(contains(plain.out,
                 "generation 1, pid " + std::to_string(s.server().pid()) + ", serving, up "));
  CHECK(contains(plain.out, "127.0.0.1:" + std::to_string(s.port()) + "  accept queue 0 of "));
  const auto json = s.status({"--json"});
  CHECK(contains(json.out, "\"listeners\":[{\"name\":\"http\",\"address\":\"127.0.0.1:" +
                               std::to_string(s.port()) + "\",\"queue\":0,\"backlog\":"));
  CHECK(json.out.back() == '\n');
}

TEST_CASE("upgrade streams the phases, as lines or as JSON") {
  server_fixture s;
  const auto plain = s.upgrade();
  CHECK(plain.status == "exited 0");
  for (const char* phase : {"spawned pid ", "connected as generation 2", "1 socket passed",
                            "ready: generation 2 (pid "}) {
    CHECK(contains(plain.out, phase));
  }
  const auto json = s.upgrade({"--json"});
  CHECK(json.status == "exited 0");
  for (const char* phase : {"\"phase\":\"spawned\"", "\"phase\":\"begun\"", "\"phase\":\"passed\"",
                            "\"phase\":\"ready\""}) {
    CHECK(contains(json.out, phase));
  }
}

TEST_CASE("the exit code says what went wrong, and the message says what to do") {
  server_fixture s;
  const auto expect = [&](std::vector<std::string> arguments, const char* status,
                          const char* says) {
    const auto done = s.ctl(std::move(arguments));
    INFO(done.all);
    CHECK(done.status == status);
    CHECK(done.out.empty());
    CHECK(contains(done.all, says));
  };
  expect({}, "exited 2", "no command given");
  expect({"upgade"}, "exited 2", "'upgade' is no command");
  expect({"status", "--jsn"}, "exited 2", "--jsn");
  expect({"status", "a", "b"}, "exited 2", "one TARGET is enough");
  expect({"status", "--timeout", "0"}, "exited 2",
         "--timeout: '0' is no time from 1 ms to 1 d; write 2s");
  expect({"status", "--timeout", "nan"}, "exited 2", "--timeout");
  expect({"status", "--", "ls"}, "exited 2", "only upgrade and run take a command");
  expect({"upgrade", s.control(), "--"}, "exited 2", "no command behind --");
  expect({"upgrade", s.control(), "--env", "=x"}, "exited 2", "KEY=VALUE");
  expect({"status", "--env", "A=b"}, "exited 2", "--env does not go with status");
  expect({"status", "upgrade", "--until", "ready"}, "exited 2", "--until does not go with status");
  expect({"upgrade", "drain", "--now"}, "exited 2", "--now does not go with upgrade");
  expect({"status", s.scene().path("nowhere")}, "exited 7", "no server is running");
  expect({"upgrade", "no-server-of-this-name"}, "exited 7", "no server is running");
}

TEST_CASE("a failed command says what to do next") {
  server_fixture s;
  const auto says = [&](const std::string& arguments, const char* next) {
    const auto done =
        run(s.scene(), {"/bin/sh", "-c", "'" + programs::graceful_ctl() + "' " + arguments});
    INFO(done.all);
    CHECK(done.status != "exited 0");
    CHECK(contains(done.all, next));
  };
  const std::string control = "'" + s.control() + "'";
  says("stat", "see graceful-ctl --help");
  says("status '" + s.scene().path("nowhere") + "'", "; start it, or name another");
  says("abort " + control, "; see who serves: graceful-ctl status");
  says("rollback " + control, "; see who serves: graceful-ctl status");
  says("upgrade " + control + " -- /bin/false",
       "; the old process keeps serving; what the new process said is in the old one's log");
  says("status " + control + " >/dev/full", "; see where it goes, and try again");
  REQUIRE(s.server().stop());
  says("status " + control + " --timeout 0.2", "; it may be stopped or overloaded");
}

TEST_CASE("in a removed directory, a relative path is refused with a clear message") {
  server_fixture s;
  const auto gone = s.scene().path("gone");
  for (const char* relative : {"-- ./new", "--directory next"}) {
    const auto done = run(
        s.scene(), {"/bin/sh", "-c",
                    "mkdir '" + gone + "' && cd '" + gone + "' && rmdir '" + gone + "' && exec '" +
                        programs::graceful_ctl() + "' upgrade '" + s.control() + "' " + relative});
    INFO(done.all);
    CHECK(done.status == "exited 1");
    CHECK(contains(done.all,
                   "graceful-ctl: the current directory cannot be found (No such file or "
                   "directory): it may have been removed; go to another, or give "));
    CHECK_FALSE(contains(done.all, "filesystem error"));
  }
  CHECK(s.generation() == 1);
}

TEST_CASE("help and version go to standard output") {
  server_fixture s;
  CHECK(s.ctl({"--help"}).out.find("Usage: graceful-ctl COMMAND") == 0);
  for (const auto& arguments :
       {std::vector<std::string>{"upgrade", "--help"}, {"help", "upgrade"}}) {
    const auto done = s.ctl(arguments);
    CHECK(done.status == "exited 0");
    CHECK(done.out.find("Usage: graceful-ctl upgrade [TARGET]") == 0);
  }
  CHECK(s.ctl({"--version"}).out.find("graceful-ctl 0.1.0") == 0);
}

TEST_CASE("output that cannot be written is reported, and the upgrade still counts") {
  server_fixture s;
  const auto shell = [&](const std::string& command) {
    return run(s.scene(), {"/bin/sh", "-c", "'" + programs::graceful_ctl() + "' " + command});
  };
  const auto status = shell("status '" + s.control() + "' > /dev/full");
  CHECK(status.status == "exited 1");
  CHECK(contains(status.all, "cannot write to standard output"));
  CHECK(shell("upgrade '" + s.control() + "' > /dev/full").status == "exited 0");
  CHECK(s.generation() == 2);
}

TEST_CASE("a client that knows only Varlink finds its way by introspection") {
  server_fixture s;
  auto peer = varlink_peer::connect(s.control());
  const auto ask = [&](const char* call) {
    peer.send(call);
    return peer.receive(patience).value_or("closed");
  };
  const auto info = ask(R"({"method":"org.varlink.service.GetInfo"})");
  CHECK(contains(
      info, R"("interfaces":["org.varlink.service","io.graceful.Control","io.graceful.Handoff"])"));
  const auto description = ask(
      R"({"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"io.graceful.Control"}})");
  CHECK(contains(description, "method Upgrade(\\n  command: ?[]string,"));
  // A oneway call gets no reply: the next reply belongs to the next call.
  peer.send(R"({"method":"org.varlink.service.GetInfo","oneway":true})");
  CHECK(contains(ask(R"({"method":"io.graceful.Control.Status"})"), "\"generation\":1"));
  // Without "more" there is one reply, the last.
  const auto upgraded = ask(R"({"method":"io.graceful.Control.Upgrade"})");
  CHECK(contains(upgraded, "\"phase\":\"committed\""));
  CHECK_FALSE(contains(upgraded, "continues"));
}

TEST_CASE("a command that no server would accept is refused before the server is asked") {
  server_fixture s;
  for (const auto& [command, reason] :
       {std::pair{std::string{"\xff"}, "have to be UTF-8"},
        std::pair{std::string(70'000, 'x'), "too long for one call (64 KiB)"}}) {
    const auto done = s.upgrade({"--", "/bin/true", command});
    CHECK(done.status == "exited 2");
    CHECK(contains(done.all, reason));
  }
  CHECK(s.generation() == 1);
}
