// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// graceful-ctl list, as a user who has a directory of their own for control sockets.
#include "kit_servers.hpp"
#include "possible.hpp"
#include "server_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace graceful_test;
namespace fs = std::filesystem;

namespace {

constexpr uid_t some_user = 65534;

/// Servers of one user, in that user's default directory.
struct user_servers {
  user_servers() {
    REQUIRE(::chmod(where.directory().c_str(), 0711) == 0);
    fs::create_directory(where.path("run"));
    REQUIRE(::chown(where.path("run").c_str(), some_user, some_user) == 0);
    fs::copy_file(programs::graceful_ctl(), where.path("ctl"));
    fs::copy_file(from_build("SET_ID_SERVER"), where.path("server"));
  }

  process_options as_user() {
    process_options options{.user = some_user};
    options.environment["XDG_RUNTIME_DIR"] = where.path("run");
    return options;
  }

  process& serve(const std::string& name) {
    process& server =
        where.start({where.path("server"), "--name", name, "--listen", "127.0.0.1:0"}, as_user());
    REQUIRE(server.wait_for_output("ready: generation 1 ", patience));
    return server;
  }

  finished ctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), where.path("ctl"));
    return run(where, std::move(arguments), as_user());
  }

  scene where;
};

}  // namespace

TEST_CASE("list shows servers that serve, hang, have crashed, or wait to be started again") {
  if (!others_can_run(programs::graceful_ctl())) return;
  user_servers u;
  CHECK(u.ctl({"list"}).status == "exited 0");
  CHECK(u.ctl({"list"}).out.empty());
  process& web = u.serve("web");
  process& stuck = u.serve("stuck");
  process& crashed = u.serve("crashed");
  // No server of ours takes such a name, but anybody can give it to a socket.
  fs::create_hard_link(u.where.path("run/graceful/web.sock"),
                       u.where.path("run/graceful/$(id).sock"));
  crashed.signal(SIGKILL);
  REQUIRE(crashed.wait_exit(patience));
  process& supervisor =
      u.where.start({u.where.path("ctl"), "run", "--name", "down", "--restart-delay", "10min",
                     "--max-restart-delay", "10min", "--", "/bin/false"},
                    u.as_user());
  REQUIRE(supervisor.wait_for_output("starting it again in 10 min", patience));
  REQUIRE(stuck.stop());
  const auto list = u.ctl({"list", "--timeout", "300ms"});
  INFO(list.all);
  CHECK(list.status == "exited 0");
  const auto line = [&](const std::string& name) {
    const auto at = list.out.find('\n' + name + ' ');
    if (at == std::string::npos) return std::string{};
    return list.out.substr(at + 1, list.out.find('\n', at + 1) - at - 1);
  };
  CHECK(contains(line("web"), " 1 "));
  CHECK(contains(line("web"), " " + std::to_string(web.pid()) + " "));
  CHECK(contains(line("web"), " serving "));
  CHECK(line("web").ends_with("/run/graceful/web.sock"));
  CHECK(contains(line("stuck"), " no answer "));
  CHECK(contains(list.out, "\n  the server did not answer in time\n"));
  CHECK(contains(line("crashed"), " not running "));
  CHECK(contains(line("down"), " waiting "));
  CHECK(contains(list.out, "\n  it is started again in "));
  const auto json = u.ctl({"list", "--json", "--timeout", "300ms"});
  CHECK(std::count(json.out.begin(), json.out.end(), '\n') == 5);
  CHECK(contains(json.out, R"({"name":"web","user":")"));
  CHECK(contains(json.out, R"("supervisor":{"pid":)" + std::to_string(supervisor.pid())));
  // Only what another command accepts, and a shell may evaluate.
  CHECK(u.ctl({"list", "--names", "--timeout", "300ms"}).out == "down\nweb\n");
  stuck.signal(SIGCONT);
  supervisor.signal(SIGTERM);
  CHECK(supervisor.wait_exit(patience));
}

TEST_CASE("a directory of control sockets that this user may not enter is a permission error") {
  if (!others_can_run(programs::graceful_ctl())) return;
  user_servers u;
  fs::create_directory(u.where.path("run/graceful"));
  REQUIRE(::chmod(u.where.path("run").c_str(), 0600) == 0);
  for (const char* command : {"list", "status", "upgrade"}) {
    const auto done = u.ctl({command});
    INFO(done.all);
    CHECK(done.status == "exited 4");
    CHECK(contains(done.all, "cannot look at the directory " + u.where.path("run/graceful") +
                                 ": Permission denied; use the user that the server runs as, "
                                 "or root"));
  }
}
