// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// graceful-ctl upgrade --dry-run: what is said is what then happens, and nothing has happened.
#include "gate.hpp"
#include "server_fixture.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include <signal.h>

using namespace graceful_test;
namespace fs = std::filesystem;

TEST_CASE("a dry run shows what would be executed, where, and with what, and changes nothing") {
  server_fixture s{{"--probation", "2s", "--ready-timeout", "1min"}};
  const auto rested = s.at_rest();
  const auto done = s.upgrade({"--dry-run", "--env", "STAGE=two words", "--directory", "/tmp"});
  INFO(done.all);
  CHECK(done.status == "exited 0");
  CHECK(contains(done.out, "would start generation 2:\n"));
  CHECK(contains(done.out, "  program      " + programs::http_server() + '\n'));
  CHECK(contains(done.out, "  arguments    " + programs::http_server() + " --control "));
  CHECK(contains(done.out, "  directory    /tmp\n"));
  CHECK(contains(done.out, " PWD=/tmp\n"));
  CHECK(contains(done.out, " 'STAGE=two words'\n"));
  CHECK(contains(done.out, "  sockets      http  127.0.0.1:" + std::to_string(s.port()) + '\n'));
  CHECK(contains(done.out, "ready within 1 min, then a probation of 2 s\n"));
  CHECK(contains(done.out, "nothing is known that would stop it\n"));
  CHECK_FALSE(contains(done.out, "GRACEFUL_"));
  CHECK(s.generation() == 1);
  CHECK(s.at_rest() == rested);
  const auto json = s.upgrade({"-n", "--json", "--timeout", "3s", "--", "sh", "-c", "true"});
  CHECK(json.status == "exited 0");
  CHECK(contains(json.out, R"("arguments":["sh","-c","true"])"));
  CHECK(contains(json.out, R"("timeout_ms":3000,"probation_ms":2000)"));
  CHECK(contains(json.out, R"("obstacles":[])"));
  CHECK_FALSE(contains(s.server().output(), "upgrade"));
}

TEST_CASE("a dry run reports the same error as an upgrade that fails") {
  server_fixture s;
  for (const auto& more : std::vector<std::vector<std::string>>{
           {"--", s.scene().path("absent")},
           {"--", s.scene().directory()},
           {"--directory", s.scene().path("gone")},
       }) {
    auto dry = more;
    dry.insert(dry.begin(), "--dry-run");
    const auto said = s.upgrade(dry);
    const auto done = s.upgrade(more);
    CHECK(said.status == "exited 1");
    CHECK(done.status == "exited 1");
    const std::string before = "an upgrade would fail now: ";
    REQUIRE(contains(said.all, before));
    auto reason = said.all.substr(said.all.find(before) + before.size());
    reason.erase(reason.find('\n'));
    INFO(done.all);
    CHECK(contains(done.all, "upgrade failed: " + reason));
  }
  CHECK(s.generation() == 1);
}

TEST_CASE("a dry run during an upgrade says that the server would be busy") {
  server_fixture s;
  process& ctl = s.start_upgrade({"--", "/bin/sleep", "60"});
  REQUIRE(ctl.wait_for_output("spawned", patience));
  const auto said = s.upgrade({"--dry-run"});
  CHECK(said.status == "exited 75");
  CHECK(contains(said.all, "an upgrade would fail now: an upgrade is under way (successor pid "));
  CHECK(contains(said.out, "would start generation 2:"));
  CHECK(s.ctl({"abort", s.control()}).status == "exited 0");
  CHECK(ctl.wait_exit(patience).exited(1));
}

TEST_CASE("a dry run of a server whose program is missing says where to put the new build") {
  scene where;
  const auto program = where.path("server");
  fs::copy_file(programs::http_server(), program);
  const auto control = where.path("control.sock");
  process& server = where.start({program, "--control", control, "--listen", "127.0.0.1:0"},
                                {.environment = {{"LD_LIBRARY_PATH", programs::libraries()}}});
  REQUIRE(server.wait_for_output("ready: generation 1 ", patience));
  fs::remove(program);
  const auto said = run(where, {programs::graceful_ctl(), "upgrade", control, "--dry-run"});
  INFO(said.all);
  CHECK(said.status == "exited 1");
  CHECK(
      contains(said.all, "put the new build there, or name one: graceful-ctl upgrade -- COMMAND"));
}

TEST_CASE("a dry run does not upgrade a server of an older build, and says why") {
  scene where;
  const auto control = where.path("control.sock");
  // It speaks Varlink, but does not know Plan; it would answer an Upgrade too.
  process& older = where.start({"/usr/bin/python3", "-c", R"(
import json, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("listens", flush=True)
while True:
    connection, _ = listener.accept()
    with connection:
        data = b""
        while chunk := connection.recv(65536):
            data += chunk
            while b"\0" in data:
                call, data = data.split(b"\0", 1)
                method = json.loads(call)["method"]
                print(method, flush=True)
                reply = {"parameters": {"description": "interface io.graceful.Control"}}
                connection.sendall(json.dumps(reply).encode() + b"\0")
)",
                                control});
  REQUIRE(older.wait_for_output("listens", patience));
  const auto said = run(where, {programs::graceful_ctl(), "upgrade", control, "--dry-run"});
  INFO(said.all);
  CHECK(said.status == "exited 1");
  CHECK(contains(said.all,
                 "the server is of an older build, which cannot say what an upgrade would "
                 "do"));
  CHECK_FALSE(contains(older.output(), "Upgrade"));
  older.signal(SIGTERM);
  CHECK(older.wait_exit(patience));
}
