// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "server_list.hpp"

#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using namespace graceful::cli;
using namespace std::chrono_literals;
using graceful_test::temporary_directory;

namespace {

/// A Unix socket at `path`. With `listens` a client can connect, but gets no answer.
graceful::unique_fd socket_at(const std::string& path, bool listens) {
  graceful::unique_fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.size() < sizeof address.sun_path);
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  if (listens) REQUIRE(::listen(fd.get(), 8) == 0);
  return fd;
}

}  // namespace

TEST_CASE("each control socket in a directory is a server, and so is a supervisor's alone") {
  temporary_directory where;
  const auto web = socket_at(where.path("web.sock"), false);
  const auto its = socket_at(where.path("web.sock.supervisor"), false);
  const auto down = socket_at(where.path("down.sock.supervisor"), false);
  const auto hidden = socket_at(where.path(".a1.sock"), false);
  const auto notify = socket_at(where.path("web.sock.notify"), false);
  const auto nameless = socket_at(where.path("nameless"), false);
  std::ofstream{where.path("file.sock")} << "no socket";
  std::filesystem::create_symlink(where.path("web.sock"), where.path("link.sock"));
  const auto found = servers_in({where.path(), 7});
  REQUIRE(found.size() == 2);
  CHECK(found[0].name == "down");
  CHECK(found[0].path == where.path("down.sock"));
  CHECK(found[0].supervised);
  CHECK(found[1].name == "web");
  CHECK(found[1].supervised);
  CHECK(found[1].user == 7);
  CHECK(servers_in({where.path("nowhere"), 7}).empty());
}

TEST_CASE("root looks into the directories of all users, except those that others can write to") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: only root looks into those of others");
    return;
  }
  temporary_directory where;
  const auto make = [&](const std::string& name, uid_t owner, mode_t mode) {
    std::filesystem::create_directories(where.path(name));
    REQUIRE(::chmod(where.path(name).c_str(), mode) == 0);
    REQUIRE(::chown(where.path(name).c_str(), owner, owner) == 0);
  };
  make("run/65534/graceful", 65534, 0700);
  make("run/65533/graceful", 65534, 0700);  // of another user than the name says
  make("run/65532/graceful", 65532, 0770);
  make("run/lock/graceful", 0, 0700);
  make("tmp/graceful-65531", 65531, 0755);
  make("tmp/graceful-65530", 0, 0755);
  make("tmp/graceful-", 0, 0700);
  make("tmp/graceful-x", 0, 0700);
  std::filesystem::create_directory_symlink(where.path("run/65534/graceful"),
                                            where.path("tmp/graceful-65534"));
  std::vector<std::string> seen;
  for (const auto& each : control_directories(where.path("run"), where.path("tmp"))) {
    if (each.path.starts_with(where.path())) {
      seen.push_back(each.path.substr(where.path().size()) + ' ' + std::to_string(each.user));
    }
  }
  CHECK(seen == std::vector<std::string>{"/run/65534/graceful 65534", "/tmp/graceful-65531 65531"});
}

TEST_CASE("servers that do not answer are asked at the same time, and shown with the reason") {
  temporary_directory where;
  std::vector<graceful::unique_fd> silent;
  for (int i = 0; i < 12; ++i) {
    silent.push_back(socket_at(where.path("silent" + std::to_string(i) + ".sock"), true));
  }
  socket_at(where.path("crashed.sock"), false);  // and closed
  const auto begin = std::chrono::steady_clock::now();
  const auto answers = ask(servers_in({where.path(), ::geteuid()}), 200ms);
  CHECK(std::chrono::steady_clock::now() - begin < 12 * 200ms);
  REQUIRE(answers.size() == 13);
  CHECK(answers[0].server.error().code == graceful::errc::not_running);
  CHECK(answers[1].server.error().code == graceful::errc::timed_out);
  const auto text = describe(answers, ::geteuid());
  CHECK(text.starts_with("NAME      GENERATION  PID  STATE        PATH\n"));
  CHECK(text.find("crashed   -           -    not running  " + where.path("crashed.sock") +
                  "\n  no server is running at ") != std::string::npos);
  CHECK(text.find("silent11  -           -    no answer    " + where.path("silent11.sock") +
                  "\n  the server did not answer in time\n") != std::string::npos);
  CHECK(describe(answers, ::geteuid() + 1).find("  USER  ") != std::string::npos);
  CHECK(to_json(answers[1]).find(R"("state":"no answer","error":"the server did not)") !=
        std::string::npos);
}

TEST_CASE(
    "a server is listed by name, generation, pid and state; one that waits by its supervisor") {
  graceful::server_status serving{.name = "web", .generation = 3, .pid = 812, .state = "serving"};
  graceful::supervisor_status waiting{.pid = 7, .state = "waiting", .wait = 4'200ms};
  const std::vector<answering_server> servers{
      {{"down", "/run/graceful/down.sock", 0, true},
       graceful::failure{graceful::errc::not_running, "no server is running"},
       graceful::result<graceful::supervisor_status>{waiting}},
      {{"w\x1b[eb", "/run/graceful/w\x1b[eb.sock", 0, false}, serving, {}}};
  CHECK(describe(servers, 0) ==
        "NAME   GENERATION  PID  STATE    PATH\n"
        "down   -           -    waiting  /run/graceful/down.sock\n"
        "  it is started again in 4 s by its supervisor (pid 7)\n"
        "w?[eb  3           812  serving  /run/graceful/w?[eb.sock\n");
  CHECK(to_json(servers[0]) ==
        R"({"name":"down","user":"root","path":"/run/graceful/down.sock","state":"waiting",)"
        R"x("error":"it is started again in 4 s by its supervisor (pid 7)",)x"
        R"("supervisor":{"pid":7,"state":"waiting","wait_ms":4200}})"
        "\n");
  CHECK(to_json(servers[1]).find(R"("state":"serving","generation":3,"pid":812})") !=
        std::string::npos);
}
