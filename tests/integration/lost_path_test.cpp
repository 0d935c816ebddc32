// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// The control path is removed while a server serves.
#include "possible.hpp"
#include "server_fixture.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using namespace graceful_test;
namespace fs = std::filesystem;

namespace {

/// A server whose control path is in its own directory.
struct runtime_directory {
  runtime_directory() {
    REQUIRE(::mkdir(directory.c_str(), 0711) == 0);
    server = &where.start(command);
    REQUIRE(server->wait_for_output("ready: generation 1 ", patience));
  }

  finished ctl(const char* what) { return run(where, {programs::graceful_ctl(), what, control}); }

  /// Polls, because without root's rights the file system does not report all changes.
  bool comes_back() {
    const auto is_there = [&] {
      return fs::is_socket(control) && fs::exists(control + ".lock") &&
             ctl("status").status == "exited 0";
    };
    return eventually(is_there, patience);
  }

  /// An upgrade, and then a restart on the same path.
  void check_usable() {
    const auto done = ctl("upgrade");
    CHECK_MESSAGE(done.status == "exited 0", done.all);
    REQUIRE(server->wait_exit(patience).exited(0));
    CHECK(run(where, {programs::graceful_ctl(), "drain", control}).status == "exited 0");
    REQUIRE(where.wait_all_gone(patience));
    CHECK_FALSE(fs::exists(control));
    CHECK_FALSE(fs::exists(control + ".lock"));
    process& next = where.start(command);
    CHECK(next.wait_for_output("ready: generation 1 ", patience));
    CHECK(ctl("status").status == "exited 0");
  }

  scene where;
  std::string directory = where.path("runtime");
  std::string control = directory + "/control.sock";
  std::vector<std::string> command = http_command(control);
  process* server = nullptr;
};

}  // namespace

TEST_CASE("a control path that was removed comes back") {
  runtime_directory r;
  SUBCASE("its directory") { fs::remove_all(r.directory); }
  SUBCASE("its directory, which was moved away") {
    fs::rename(r.directory, r.where.path("elsewhere"));
  }
  SUBCASE("the socket") { fs::remove(r.control); }
  SUBCASE("the lock") { fs::remove(r.control + ".lock"); }
  REQUIRE(r.comes_back());
  struct stat status {};
  REQUIRE(::stat(r.directory.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0711);
  const auto copy = run(r.where, r.command);
  CHECK(contains(copy.all, "a server is running already"));
  r.check_usable();
}

TEST_CASE("a status waits until a server has put its socket back") {
  runtime_directory r;
  fs::remove(r.control);
  const auto status = r.ctl("status");
  CHECK_MESSAGE(status.status == "exited 0", status.all);
}

TEST_CASE("status and a second copy both say that a server without its socket is running") {
  runtime_directory r;
  r.server->signal(SIGSTOP);  // it cannot put it back
  fs::remove(r.control);
  const auto runs = "pid " + std::to_string(r.server->pid()) + " holds " + r.control +
                    ", but does not listen there";
  const auto status =
      run(r.where, {programs::graceful_ctl(), "status", r.control, "--timeout", "0.2"});
  CHECK(status.status == "exited 75");
  CHECK_MESSAGE(contains(status.all, runs), status.all);
  const auto copy = run(r.where, r.command);
  CHECK(copy.status == "exited 1");
  CHECK_MESSAGE(contains(copy.all, runs), copy.all);
  r.server->signal(SIGCONT);
  CHECK(r.comes_back());
}

TEST_CASE("a control path that a successor was passed comes back too") {
  runtime_directory r;
  REQUIRE(r.ctl("upgrade").status == "exited 0");
  fs::remove_all(r.directory);
  REQUIRE(r.comes_back());
  CHECK(r.ctl("upgrade").status == "exited 0");
}

TEST_CASE("a control path that cannot be put back is logged once, and comes back when possible") {
  runtime_directory r;
  fs::remove_all(r.directory);
  std::ofstream{r.directory} << "in the way";
  REQUIRE(r.server->wait_for_output("cannot put it back: ", patience));
  // After two more checks.
  r.server->signal(SIGUSR2);
  REQUIRE(r.server->wait_for_output("generation 2 has taken over", patience));
  fs::remove(r.directory);
  REQUIRE(r.comes_back());
  // Not the mode of the file that the new process found there.
  CHECK((fs::status(r.directory).permissions() & fs::perms::owner_all) == fs::perms::owner_all);
  CHECK(r.server->wait_exit(patience).exited(0));
}

TEST_CASE("a control path is not put back in a directory that another user has made meanwhile") {
  if (!others_can_run(programs::http_server())) return;
  constexpr uid_t user = 65534;
  constexpr uid_t another = 65533;
  scene where;
  // Unwise permissions, but only then can another user make a directory there, as in /tmp.
  fs::create_directory(where.path("runtime"));
  REQUIRE(::chown(where.path("runtime").c_str(), user, user) == 0);
  REQUIRE(::chmod(where.path("runtime").c_str(), 0777) == 0);
  process_options options{.user = user};
  options.environment["XDG_RUNTIME_DIR"] = where.path("runtime");
  const auto directory = where.path("runtime/graceful");
  std::vector<std::string> command{programs::http_server(), "--listen", "127.0.0.1:0"};
  SUBCASE("by default") { command.insert(command.end(), {"--name", "web"}); }
  SUBCASE("at a path that the application chose") {
    fs::create_directory(directory);
    REQUIRE(::chown(directory.c_str(), user, user) == 0);
    command.insert(command.end(), {"--control", directory + "/web.sock"});
  }
  process& server = where.start(command, options);
  REQUIRE(server.wait_for_output("ready: generation 1 ", patience));
  if (!fs::is_socket(directory + "/web.sock")) {
    MESSAGE("skipped: that user has a directory of logind's here");
    return;
  }
  const auto foreign = where.path("runtime/foreign");
  fs::create_directory(foreign);
  REQUIRE(::chown(foreign.c_str(), another, another) == 0);
  REQUIRE(::chmod(foreign.c_str(), 0777) == 0);
  // In one step, so that the server does not make it in between.
  REQUIRE(::renameat2(AT_FDCWD, foreign.c_str(), AT_FDCWD, directory.c_str(), RENAME_EXCHANGE) ==
          0);
  CHECK(server.wait_for_output("cannot put it back: " + directory, patience));
  CHECK(fs::is_empty(directory));
  fs::remove_all(directory);
  CHECK(eventually([&] { return fs::is_socket(directory + "/web.sock"); }, patience));
  struct stat status {};
  REQUIRE(::stat(directory.c_str(), &status) == 0);
  CHECK(status.st_uid == user);
}

TEST_CASE("another server's socket at the control path is left alone") {
  runtime_directory r;
  fs::remove_all(r.directory);
  REQUIRE(::mkdir(r.directory.c_str(), 0711) == 0);
  process& other = r.where.start(r.command);
  if (!other.wait_for_output("ready: generation 1 ", patience)) {
    // The first was faster, and has its path again.
    CHECK(contains(other.output(), "running already"));
    return;
  }
  CHECK(r.server->wait_for_output("cannot put it back: another process", patience));
  CHECK(contains(r.ctl("status").out, std::to_string(other.pid())));
  other.signal(SIGTERM);
  REQUIRE(other.wait_exit(patience).exited(0));
  REQUIRE(r.comes_back());
  CHECK(contains(r.ctl("status").out, std::to_string(r.server->pid())));
}
