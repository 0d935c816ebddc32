// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// A server whose file gives it rights that whoever starts it does not have: nothing that this one
// chooses decides what those rights are used for.
#include "kit_servers.hpp"
#include "notify_socket.hpp"
#include "possible.hpp"
#include "server_fixture.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <linux/capability.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

using namespace graceful_test;
namespace fs = std::filesystem;

namespace {

constexpr uid_t owner_of_file = 65534;
constexpr uid_t who_starts = 65533;
constexpr gid_t group_of_file = 65532;

void give(const std::string& path, uid_t user, gid_t group, mode_t mode) {
  REQUIRE(::chown(path.c_str(), user, group) == 0);
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

/// Copies of a server, directories of two users, and an operator.
class two_users {
 public:
  two_users() {
    if (!others_can_run(from_build("SET_ID_SERVER"))) return;
    REQUIRE(::chmod(where.directory().c_str(), 0711) == 0);
    for (const char* name : {"plain", "capable", "setuid", "setgid"}) {
      fs::copy_file(from_build("SET_ID_SERVER"), where.path(name));
    }
    give(where.path("plain"), 0, 0, 0755);
    give(where.path("capable"), 0, 0, 0755);
    give(where.path("setuid"), owner_of_file, owner_of_file, 04755);
    give(where.path("setgid"), owner_of_file, group_of_file, 02755);
    fs::create_directory(where.path("own"));
    give(where.path("own"), owner_of_file, owner_of_file, 0755);
    fs::create_directory(where.path("foreign"));
    give(where.path("foreign"), who_starts, who_starts, 0755);
    fs::copy_file("/usr/bin/id", where.path("id"));
    give(where.path("id"), owner_of_file, owner_of_file, 04755);
    const auto said = run(where, {where.path("id"), "-u"}, {.user = who_starts}).out;
    fs::remove(where.path("id"));
    possible_ = is_possible(said == std::to_string(owner_of_file) + '\n',
                            "set-user-ID is without effect here");
  }

  [[nodiscard]] bool possible() const { return possible_; }
  [[nodiscard]] std::string control() const { return where.path("own/control.sock"); }

  [[nodiscard]] std::vector<std::string> command(const std::string& program) const {
    return {program, "--control", control(), "--listen", "127.0.0.1:0", "--probation", "0"};
  }

  process& start(const std::string& program, process_options options) {
    process& server = where.start(command(program), std::move(options));
    REQUIRE_MESSAGE(server.wait_for_output("ready: generation 1 ", patience), server.output());
    return server;
  }

  finished ctl(std::vector<std::string> arguments, uid_t user = owner_of_file) {
    arguments.insert(arguments.begin(), programs::graceful_ctl());
    return run(where, std::move(arguments), {.user = user});
  }
  finished upgrade(const std::vector<std::string>& more = {}) {
    return ctl(joined({"upgrade", control()}, more));
  }

  /// The pid of the process that serves.
  std::string pid() {
    const auto text = ctl({"status", control(), "--json"}).out;
    constexpr std::string_view key = "\"pid\":";
    const auto at = text.find(key);
    return at == text.npos ? text : std::to_string(std::stol(text.substr(at + key.size())));
  }

  scene where;

 private:
  bool possible_ = false;
};

std::string all_of(const std::string& file) {
  std::ifstream text{file};
  return {std::istreambuf_iterator<char>{text}, {}};
}

void write_script(const std::string& path, const std::string& line) {
  std::ofstream{path} << "#!/bin/sh\n" << line << '\n';
  give(path, who_starts, who_starts, 0755);
}

bool something_was_said(const notify_socket& manager) {
  return wait_readable(manager.socket(), deadline{std::chrono::milliseconds{0}});
}

}  // namespace

TEST_CASE("a variable cannot make a set-id program take over what another user runs") {
  two_users u;
  if (!u.possible()) return;
  process& server = u.start(u.where.path("plain"), {.user = owner_of_file});
  for (const char* variable : {"GRACEFUL_TAKEOVER", "GRACEFUL_UPGRADE"}) {
    process_options options{.user = who_starts};
    options.environment[variable] = "1";
    const auto second = run(u.where, u.command(u.where.path("setuid")), options);
    CHECK_MESSAGE(second.status == "exited 1", second.all);
    CHECK(u.pid() == std::to_string(server.pid()));
  }
  auto by_option = u.command(u.where.path("setuid"));
  by_option.push_back("--takeover");
  process& second = u.where.start(by_option, {.user = who_starts});
  CHECK(second.wait_for_output("ready: generation 2 ", patience));
}

TEST_CASE("a set-id server has no service manager, and neither have its successors") {
  two_users u;
  if (!u.possible()) return;
  notify_socket manager{u.where.path("foreign/notify")};
  give(manager.address(), who_starts, who_starts, 0777);
  process_options options{.user = who_starts};
  options.environment = {{"NOTIFY_SOCKET", manager.address()},
                         {"FDSTORE", "9"},
                         {"WATCHDOG_USEC", "1000"},
                         {"GRACEFUL_SUPERVISOR", u.where.path("foreign/supervisor")}};
  process& server = u.start(u.where.path("setuid"), options);
  const auto done = u.upgrade();
  REQUIRE_MESSAGE(done.status == "exited 0", done.all);
  REQUIRE(server.wait_exit(patience).exited(0));
  const auto passed_on = all_of("/proc/" + u.pid() + "/environ");
  CHECK(contains(passed_on, "GRACEFUL_TEST_SCENE="));
  for (const auto& variable : options.environment) {
    CHECK_MESSAGE(!contains(passed_on, variable.first + '='), variable.first);
  }
  REQUIRE(u.ctl({"drain", u.control()}).status == "exited 0");
  REQUIRE(u.where.wait_all_gone(patience));
  CHECK_FALSE(something_was_said(manager));
}

TEST_CASE("a set-id server executes its own file again, whatever is at its path by now") {
  two_users u;
  if (!u.possible()) return;
  // Through a hard link, which any user can make if fs.protected_hardlinks is 0.
  const auto path = u.where.path("foreign/server");
  const auto ran = u.where.path("foreign/ran");
  std::string link;
  SUBCASE("another program") { link = path; }
  SUBCASE("another program, under what looks like the name of a removed file") {
    link = path + " (deleted)";
  }
  fs::create_hard_link(u.where.path("setuid"), link);
  process& server = u.start(link, {.user = who_starts});
  fs::remove(path);
  write_script(path, ": >'" + ran + "'");
  for (int i = 0; i < 2; ++i) {
    const auto done = u.upgrade();
    CHECK_MESSAGE(done.status == "exited 0", done.all);
    CHECK(fs::equivalent("/proc/" + u.pid() + "/exe", u.where.path("setuid")));
  }
  CHECK(contains(server.output(), "upgrade -- /PATH/TO/SERVER"));
  CHECK_FALSE(fs::exists(ran));
}

TEST_CASE("a set-id server ignores the PATH and the directory of the user who started it") {
  two_users u;
  if (!u.possible()) return;
  const auto ran = u.where.path("foreign/ran");
  write_script(u.where.path("foreign/cat"), ": >'" + ran + "'");
  process_options options{.directory = u.where.path("foreign"), .user = who_starts};
  options.environment["PATH"] = u.where.path("foreign");
  u.start(u.where.path("setuid"), options);
  CHECK(u.upgrade({"--", "cat", "/no/such/file"}).status == "exited 1");
  CHECK_FALSE(fs::exists(ran));
  // graceful-ctl sends no relative path, but another client may: it is relative to the server.
  const auto relative = run(u.where,
                            {"/usr/bin/python3", "-c",
                             "import json, socket, sys\n"
                             "s = socket.socket(socket.AF_UNIX)\n"
                             "s.connect(sys.argv[1])\n"
                             "s.sendall(json.dumps({'method': 'io.graceful.Control.Upgrade', "
                             "'parameters': {'command': ['./cat']}}).encode() + b'\\0')\n"
                             "print(s.recv(65536).decode())",
                             u.control()},
                            {.user = owner_of_file});
  CHECK_MESSAGE(contains(relative.all, "relative path"), relative.all);
  CHECK_FALSE(fs::exists(ran));
}

TEST_CASE("a set-group-ID server does not obey a user who started it and is not in its group") {
  two_users u;
  if (!u.possible()) return;
  process& server = u.start(u.where.path("setgid"), {.user = owner_of_file});
  const auto denied = u.upgrade({"--", "/bin/true"});
  CHECK_MESSAGE(denied.status == "exited 4", denied.all);
  const auto done = u.ctl({"upgrade", u.control()}, 0);
  CHECK_MESSAGE(done.status == "exited 0", done.all);
  CHECK(server.wait_for_output("ready: generation 2 ", patience));
}

TEST_CASE("a server with file capabilities belongs to its service manager, and can be upgraded") {
  two_users u;
  if (!u.possible()) return;
  // As setcap(8) does it: CAP_NET_BIND_SERVICE, permitted and effective.
  vfs_cap_data capabilities{};
  capabilities.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE;
  capabilities.data[0].permitted = 1U << CAP_NET_BIND_SERVICE;
  const bool given = ::setxattr(u.where.path("capable").c_str(), "security.capability",
                                &capabilities, XATTR_CAPS_SZ_2, 0) == 0;
  if (!is_possible(given, "a file cannot be given capabilities here")) return;
  notify_socket manager{u.where.path("notify")};
  REQUIRE(::chmod(manager.address().c_str(), 0666) == 0);
  process_options options{.user = owner_of_file};
  options.environment["NOTIFY_SOCKET"] = manager.address();
  process& server = u.start(u.where.path("capable"), options);
  const deadline until{patience};
  while (!manager.next(until).has("READY=1")) {
  }
  const auto done = u.upgrade();
  CHECK_MESSAGE(done.status == "exited 0", done.all);
  REQUIRE(server.wait_exit(patience).exited(0));
  options.environment["GRACEFUL_TAKEOVER"] = "1";
  process& third = u.where.start(u.command(u.where.path("capable")), options);
  CHECK(third.wait_for_output("ready: generation 3 ", patience));
}

namespace {

/// An upgrade to a process whose file makes it root for good, so that kill(2) fails with EPERM.
std::vector<std::string> upgrade_to_stubborn(const two_users& u,
                                             const std::vector<std::string>& options) {
  const auto stubborn = u.where.path("stubborn");
  fs::copy_file("/usr/bin/setpriv", stubborn);
  give(stubborn, 0, 0, 04755);
  std::vector<std::string> command{programs::graceful_ctl(), "upgrade", u.control()};
  command.insert(command.end(), options.begin(), options.end());
  command.insert(command.end(), {"--", stubborn, "--reuid", "0", "--regid", "0", "--clear-groups",
                                 "/bin/sleep", "1000"});
  return command;
}

}  // namespace

TEST_CASE(
    "a successor that cannot be killed fails its upgrade, and hinders the server in nothing") {
  two_users u;
  if (!u.possible()) return;
  process& server = u.start(u.where.path("plain"), {.user = owner_of_file});
  const auto upgraded =
      run(u.where, upgrade_to_stubborn(u, {"--timeout", "0.3"}), {.user = owner_of_file});
  INFO(upgraded.all);
  CHECK(upgraded.status == "exited 1");
  CHECK(contains(upgraded.all, "had not connected within 300 ms"));
  CHECK(contains(server.output(), "cannot kill the successor"));
  const auto status =
      run(u.where, {programs::graceful_ctl(), "status", u.control()}, {.user = owner_of_file});
  CHECK(contains(status.out, ", serving, "));
  server.signal(SIGTERM);
  CHECK(server.wait_exit(patience).exited(0));
}

TEST_CASE("a server whose successor cannot be killed still ends when it is told to") {
  two_users u;
  if (!u.possible()) return;
  process& server = u.start(u.where.path("plain"), {.user = owner_of_file});
  process& upgrade = u.where.start(upgrade_to_stubborn(u, {}), {.user = owner_of_file});
  REQUIRE(upgrade.wait_for_output("spawned", patience));
  server.signal(SIGTERM);
  CHECK(server.wait_exit(patience).exited(0));
  CHECK(upgrade.wait_exit(patience).exited(7));
}

TEST_CASE(
    "without the server's capabilities an operator of the same user cannot choose its command") {
  two_users u;
  if (!u.possible()) return;
  const std::vector<std::string> capable{"/usr/bin/setpriv",
                                         "--inh-caps=+net_bind_service",
                                         "--ambient-caps=+net_bind_service",
                                         "--reuid=" + std::to_string(owner_of_file),
                                         "--regid=" + std::to_string(owner_of_file),
                                         "--clear-groups"};
  const auto with_them = [&](const std::vector<std::string>& command) {
    return joined(capable, command);
  };
  process& server = u.where.start(with_them(u.command(u.where.path("plain"))));
  REQUIRE_MESSAGE(server.wait_for_output("ready: generation 1 ", patience), server.output());
  const auto ran = u.where.path("own/ran");
  for (const std::vector<std::string>& choice : std::vector<std::vector<std::string>>{
           {"--", "/bin/touch", ran}, {"--env", "A=1"}, {"--directory", "/"}}) {
    const auto denied = u.upgrade(choice);
    CHECK_MESSAGE(denied.status == "exited 4", denied.all);
    auto dry = choice;
    dry.insert(dry.begin(), "--dry-run");
    CHECK(u.upgrade(dry).status == "exited 4");
    CHECK(contains(denied.all, "the server has capabilities that"));
  }
  CHECK_FALSE(fs::exists(ran));
  const auto plain = u.upgrade();
  CHECK_MESSAGE(plain.status == "exited 0", plain.all);
  // Root has all capabilities, and so has a process that was given the same ones.
  const auto by_root = u.ctl({"upgrade", u.control(), "--env", "A=1"}, 0);
  CHECK_MESSAGE(by_root.status == "exited 0", by_root.all);
  const auto by_equal =
      run(u.where, with_them({programs::graceful_ctl(), "upgrade", u.control(), "--env", "A=1"}));
  CHECK_MESSAGE(by_equal.status == "exited 0", by_equal.all);
}
