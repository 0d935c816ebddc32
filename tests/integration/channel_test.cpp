// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// A successor that was passed its connection, and needs no path.
#include "gate.hpp"
#include "possible.hpp"
#include "server_fixture.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace graceful_test;
namespace fs = std::filesystem;

namespace {

constexpr uid_t nobody = 65534;

/// What the shell of an upgrade sees in its environment, and its descriptors.
std::string seen_by_shell(server_fixture& s, const std::string& what) {
  const auto file = s.scene().path("seen");
  const auto done =
      s.upgrade({"--", "/bin/sh", "-c", "{ " + what + "; } > '" + file + "'; exit 1"});
  CHECK(done.status == "exited 1");
  std::ifstream text{file};
  return {std::istreambuf_iterator<char>{text}, {}};
}

}  // namespace

TEST_CASE("a server that has dropped root privileges after listen can be upgraded repeatedly") {
  if (!others_can_run(programs::forking_server())) return;
  server_fixture s{{"--user", std::to_string(nobody)}, {}, programs::forking_server()};
  REQUIRE(fs::is_socket(s.control()));
  for (const std::int64_t generation : {2, 3}) {
    const auto before = s.pid();
    const auto done = s.upgrade();
    CHECK_MESSAGE(done.status == "exited 0", done.all);
    CHECK(s.generation() == generation);
    CHECK(s.pid() != before);
    struct stat owner {};
    REQUIRE(::stat(("/proc/" + std::to_string(s.pid())).c_str(), &owner) == 0);
    CHECK(owner.st_uid == nobody);
  }
}

TEST_CASE("a successor stays on its predecessor's path, even if its own default is another") {
  scene s;
  process_options as_user;
  if (::geteuid() == 0) {
    if (!others_can_run(programs::http_server())) return;
    as_user.user = nobody;
  }
  for (const char* directory : {"before", "after"}) {
    REQUIRE(::mkdir(s.path(directory).c_str(), 0700) == 0);
    if (as_user.user) REQUIRE(::chown(s.path(directory).c_str(), nobody, nobody) == 0);
  }
  as_user.environment["XDG_RUNTIME_DIR"] = s.path("before");
  process& server = s.start({programs::forking_server(), "--listen", "127.0.0.1:0"}, as_user);
  REQUIRE(server.wait_for_output("ready: generation 1 ", patience));
  const auto done = run(s,
                        {programs::graceful_ctl(), "upgrade", "forking", "--env",
                         "XDG_RUNTIME_DIR=" + s.path("after")},
                        as_user);
  CHECK_MESSAGE(done.status == "exited 0", done.all);
  CHECK(server.wait_exit(patience).exited(0));
  const auto status = run(s, {programs::graceful_ctl(), "status", "forking"}, as_user);
  CHECK(contains(status.out, "generation 2"));
  CHECK(fs::is_empty(s.path("after")));
}

TEST_CASE("a successor is passed a connection and the control path, and passes neither on") {
  server_fixture s;
  const auto text = seen_by_shell(s, "env; ls -l /proc/$$/fd/3");
  CHECK(contains(text, "GRACEFUL_CHANNEL="));
  CHECK(contains(text, "GRACEFUL_CONTROL_PATH=" + s.control() + "\n"));
  CHECK(contains(text, "socket:["));
  REQUIRE(s.upgrade().status == "exited 0");
  const auto again = seen_by_shell(s, "env");
  std::size_t channels = 0;
  for (std::size_t at = 0; (at = again.find("GRACEFUL_CHANNEL=", at)) != std::string::npos; ++at) {
    ++channels;
  }
  CHECK(channels == 1);
}

TEST_CASE("a successor whose connection was lost on the way uses the control path") {
  server_fixture s;
  auto command = s.command();
  std::string line = "exec";
  for (const auto& argument : command) line += " '" + argument + "'";
  std::string before;
  SUBCASE("a shell closes it") { before = "exec 3<&-; "; }
  SUBCASE("a shell opens another file in its place") { before = "exec 3</dev/null; "; }
  SUBCASE("sudo(8), for example, removes the variables") { before = "unset GRACEFUL_CHANNEL; "; }
  const auto done = s.upgrade({"--", "/bin/sh", "-c", before + line});
  CHECK_MESSAGE(done.status == "exited 0", done.all);
  CHECK(s.generation() == 2);
}

TEST_CASE("the death of a successor behind a live shell is noticed at once") {
  server_fixture s{{"--probation", "1min"}};
  std::string line;
  for (const auto& argument : s.command()) line += "'" + argument + "' ";
  process& ctl = s.start_upgrade({"--", "/bin/sh", "-c", line + "; sleep 600"});
  REQUIRE(ctl.wait_for_output("ready", patience));
  const auto text = s.status({"--json"}).out;
  const std::string key = "\"successor\":{\"pid\":";
  const auto at = text.find(key);
  REQUIRE(at != std::string::npos);
  const auto successor = open_pidfd(static_cast<pid_t>(std::stol(text.substr(at + key.size()))));
  REQUIRE(send_signal(successor, SIGKILL));
  // The shell holds the connection too, and need not end soon.
  CHECK(eventually([&] { return !contains(s.status({"--json"}).out, "probation"); }, patience / 2));
  http_connection client{resolve("127.0.0.1", s.port(), patience), 0};
  CHECK(client.exchange("GET / HTTP/1.1\r\nHost: test\r\n\r\n").generation == 1);
}
