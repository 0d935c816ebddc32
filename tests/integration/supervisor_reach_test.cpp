// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// graceful-ctl run when its sockets are removed, or are not the server's to write to: upgrades go
// on.
#include <graceful/supervisor_client.hpp>
#include <graceful/testing/http_connection.hpp>

#include "possible.hpp"
#include "supervised.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace graceful_test;
namespace fs = std::filesystem;

namespace {

constexpr uid_t server_user = 65534;

const std::vector<std::string> as_server_user{"/usr/bin/setpriv", "--reuid=65534", "--regid=65534",
                                              "--clear-groups"};

bool ends_well(process& p) { return p.wait_exit(patience).exited(0); }

bool user_can_run(const std::vector<std::string>& prefix, const char* what) {
  return others_can_run(programs::graceful_ctl()) &&
         can_run(prefix, what, {programs::graceful_ctl(), "--version"});
}

/// A supervised server whose paths are in their own directory.
struct reach {
  struct how {
    std::vector<std::string> before{};  ///< graceful-ctl
    std::vector<std::string> prefix{};  ///< the server
    std::optional<uid_t> owner{};       ///< of the directory
    std::vector<std::string> server{};  ///< else an http_server
    std::string control{};              ///< of the server, if the supervisor does not know it
    std::string probation = "0";
  };

  explicit reach(how h) {
    REQUIRE(::chmod(fs::path{directory}.parent_path().c_str(), 0755) == 0);
    REQUIRE(::mkdir(directory.c_str(), 0755) == 0);
    if (h.owner) REQUIRE(::chown(directory.c_str(), *h.owner, *h.owner) == 0);
    if (!h.control.empty()) server_control = where.path(h.control.c_str());
    auto command = h.before;
    command.insert(command.end(), {programs::graceful_ctl(), "run", "--control", control,
                                   "--restart-delay", "0.01", "--max-failures", "0", "--"});
    command.insert(command.end(), h.prefix.begin(), h.prefix.end());
    if (h.server.empty()) h.server = {programs::http_server()};
    command.insert(command.end(), h.server.begin(), h.server.end());
    command.insert(command.end(), {"--control", server_control, "--listen", "127.0.0.1:0",
                                   "--probation", h.probation});
    supervisor = &where.start(command);
    REQUIRE(supervisor->wait_for_output("ready: generation 1 ", patience));
  }

  finished ctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), programs::graceful_ctl());
    return run(where, std::move(arguments));
  }

  [[nodiscard]] std::optional<graceful::supervisor_status> status() const {
    auto client = graceful::supervisor_client::connect(socket, patience);
    if (!client) return {};
    auto said = client->status();
    return said ? std::optional{*said} : std::nullopt;
  }

  [[nodiscard]] std::int64_t main() const {
    const auto s = status();
    return s && s->main_pid && s->state == "serving" ? *s->main_pid : 0;
  }

  [[nodiscard]] std::int64_t wait_main(std::int64_t before) const {
    INFO(supervisor->output());
    std::int64_t now = 0;
    REQUIRE(eventually([&] { return (now = main()) != 0 && now != before; }, patience));
    return now;
  }

  /// It must also be ready: before that, SIGTERM kills it.
  [[nodiscard]] bool serves() {
    return contains(ctl({"status", server_control}).out, ", serving, ");
  }

  /// A refused upgrade says that it can be tried again.
  void upgrade() {
    std::string last;
    const auto succeeds = [&] {
      const auto tried = ctl({"upgrade", server_control});
      last = tried.all;
      if (tried.status == "exited 0") return true;
      CHECK((contains(last, "try again") || contains(last, "graceful-ctl run as the user") ||
             contains(last, "no server")));
      return false;
    };
    CHECK_MESSAGE(eventually(succeeds, patience), last);
  }

  /// The number of a process outside of the container.
  [[nodiscard]] pid_t outside(std::int64_t inner) const {
    for (const auto& entry : process_table()) {
      std::ifstream lines{"/proc/" + std::to_string(entry.pid) + "/status"};
      for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("NSpid:") && line.ends_with('\t' + std::to_string(inner)) &&
            is_below_supervisor(entry)) {
          return entry.pid;
        }
      }
    }
    return 0;
  }

  [[nodiscard]] bool is_below_supervisor(process_entry entry) const {
    for (int i = 0; i < 8 && entry.parent > 1; ++i) {
      if (entry.parent == supervisor->pid()) return true;
      const auto parent = process_entry_of(entry.parent);
      if (!parent) return false;
      entry = *parent;
    }
    return false;
  }

  /// The server is upgraded, and the supervisor knows: it starts the new one again when that dies,
  /// and ends with it.
  void check_supervised() {
    const auto first = wait_main(0);
    INFO(supervisor->output());
    upgrade();
    const auto second = wait_main(first);
    REQUIRE(eventually([&] { return outside(first) == 0; }, patience));
    CHECK(supervisor->running());
    CHECK(main() == second);
    REQUIRE(::kill(outside(second), SIGKILL) == 0);
    const auto third = wait_main(second);
    INFO(supervisor->output(), ctl({"status", server_control}).all);
    CHECK(eventually([&] { return serves(); }, patience));
    CHECK(main() == third);
    // The init of a container is signalled from outside.
    const auto init = outside(1);
    ::kill(init != 0 ? init : supervisor->pid(), SIGTERM);
    CHECK(ends_well(*supervisor));
  }

  scene where;
  std::string directory = where.path("runtime");
  std::string control = directory + "/control.sock";
  std::string server_control = control;
  std::string socket = control + ".supervisor";
  process* supervisor = nullptr;
};

}  // namespace

TEST_CASE("a supervisor's removed paths come back, and it hears as before") {
  reach r{{}};
  const auto main = r.wait_main(0);
  const std::vector<std::string> all{r.socket, r.socket + ".lock", r.socket + ".notify",
                                     r.socket + ".main"};
  SUBCASE("their directory") { fs::remove_all(r.directory); }
  SUBCASE("their directory, which was moved away") {
    fs::rename(r.directory, r.where.path("elsewhere"));
  }
  SUBCASE("the socket") { fs::remove(r.socket); }
  SUBCASE("the lock") { fs::remove(all[1]); }
  SUBCASE("the socket for notifications") { fs::remove(all[2]); }
  SUBCASE("the note") { fs::remove(all[3]); }
  const auto is_back = [&] {
    // The server puts its own path back; until then status comes from the supervisor alone.
    return fs::exists(r.control) &&
           std::ranges::all_of(all, [](const auto& path) { return fs::exists(path); }) &&
           r.main() == main && r.ctl({"status", r.control}).status == "exited 0";
  };
  REQUIRE_MESSAGE(eventually(is_back, patience), r.supervisor->output());
  CHECK(contains(r.supervisor->output(), "had been removed: it is back"));
  struct stat status {};
  REQUIRE(::stat(r.directory.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0755);
  // What is stored from now on is received: an upgrade stores the socket, and reports by
  // notification.
  REQUIRE(r.ctl({"upgrade", r.control}).status == "exited 0");
  const auto second = r.wait_main(main);
  CHECK_FALSE(contains(r.supervisor->output(), "now serves the control path"));
  CHECK(eventually([&] { return r.status()->kept.size() == 1; }, patience));
  REQUIRE(::kill(static_cast<pid_t>(second), SIGKILL) == 0);
  CHECK(r.wait_main(second) != second);
  INFO(r.supervisor->output());
  CHECK(r.status()->restarts == 1);
  REQUIRE(eventually([&] { return r.serves(); }, patience));
  r.supervisor->signal(SIGTERM);
  CHECK(ends_well(*r.supervisor));
  CHECK(fs::is_empty(r.directory));
}

TEST_CASE("another supervisor's paths are left alone, even at the end") {
  reach r{{}};
  fs::rename(r.directory, r.where.path("elsewhere"));
  REQUIRE(::mkdir(r.directory.c_str(), 0755) == 0);
  process& other = r.where.start(
      {programs::graceful_ctl(), "run", "--control", r.control, "--", "/bin/sleep", "1000"});
  if (!other.wait_for_output("started the server", patience)) {
    CHECK(contains(other.output(), "runs already"));  // the first was faster
    return;
  }
  REQUIRE(
      r.supervisor->wait_for_output("supervisor's socket " + r.socket + " is gone, and", patience));
  r.supervisor->signal(SIGTERM);
  CHECK(ends_well(*r.supervisor));
  for (const char* suffix : {"", ".lock", ".notify", ".main"}) CHECK(fs::exists(r.socket + suffix));
  CHECK(r.status()->pid == other.pid());
}

TEST_CASE(
    "an upgrade just after the supervisor's sockets were removed leaves the server supervised") {
  for (const bool contained : {false, true}) {
    if (contained && !user_can_run(in_container, "a container")) continue;
    reach r{{.before = contained ? in_container : std::vector<std::string>{}}};
    for (const char* suffix : {"", ".notify"}) fs::remove(r.socket + suffix);
    REQUIRE(eventually([&] { return r.main() != 0; }, patience));
    fs::remove(r.socket + ".notify");
    r.check_supervised();
  }
}

TEST_CASE("root's supervisor follows a server of another user through upgrades") {
  if (!user_can_run(as_server_user, "another user")) return;
  for (const bool contained : {false, true}) {
    if (contained && !user_can_run(in_container, "a container")) continue;
    reach r{{.before = contained ? in_container : std::vector<std::string>{},
             .prefix = as_server_user,
             .owner = server_user}};
    const auto first = r.wait_main(0);
    r.upgrade();
    CHECK(r.wait_main(first) != first);  // and the next can be upgraded as well
    r.check_supervised();
  }
}

TEST_CASE("a supervisor follows a server that has changed its user, even in a container") {
  if (!user_can_run(as_server_user, "another user")) return;
  for (const bool contained : {false, true}) {
    if (contained && !user_can_run(in_container, "a container")) continue;
    reach r{{.before = contained ? in_container : std::vector<std::string>{},
             .server = {programs::forking_server(), "--user", std::to_string(server_user)}}};
    REQUIRE(eventually([&] { return r.status().has_value(); }, patience));
    const auto first = *r.status()->main_pid;  // it cannot say that it is ready
    r.upgrade();
    const auto second = r.wait_main(first);
    REQUIRE(eventually([&] { return r.outside(first) == 0; }, patience));
    CHECK(r.supervisor->running());
    CHECK(r.main() == second);
    const auto init = r.outside(1);
    ::kill(init != 0 ? init : r.supervisor->pid(), SIGTERM);
    CHECK(ends_well(*r.supervisor));
  }
}

TEST_CASE("a successor in the server's own PID namespace is known by its number outside of it") {
  if (!user_can_run(in_container, "a container")) return;
  reach r{{.prefix = {"/usr/bin/unshare", "--pid", "--fork", "--kill-child", "/bin/sh", "-c",
                      R"("$@" & exec sleep 1000)", "sh"}}};
  const auto first = r.wait_main(0);
  r.upgrade();
  const auto second = r.wait_main(first);
  const auto inner = r.ctl({"status", r.server_control}).out;
  const auto at = inner.find("generation 2, pid ");
  REQUIRE_MESSAGE(at != inner.npos, inner);
  CHECK(r.outside(std::stoi(inner.substr(at + 18))) == second);
  CHECK_FALSE(contains(r.supervisor->output(), "is not believed"));
}

TEST_CASE(
    "a server that cannot report is known to be a new one before its predecessor has drained") {
  if (!user_can_run(as_server_user, "another user")) return;
  reach r{{.prefix = as_server_user, .owner = server_user}};
  const auto text = r.supervisor->stdout_text();
  const auto at = text.find("127.0.0.1:") + 10;
  const auto port = static_cast<std::uint16_t>(std::stoi(text.substr(at)));
  const auto first = r.wait_main(0);
  auto held = hold_on(port);
  r.upgrade();
  const auto second = r.wait_main(first);
  CHECK(::kill(static_cast<pid_t>(first), 0) == 0);
  REQUIRE(::kill(static_cast<pid_t>(second), SIGKILL) == 0);
  CHECK(r.wait_main(second) != first);  // and is started again meanwhile
  CHECK(held.exchange("Host: test\r\n\r\n").generation == 1);
  r.supervisor->signal(SIGTERM);
  CHECK(r.supervisor->wait_exit(patience));
}

TEST_CASE("an upgrade that the supervisor cannot hear of fails before it begins, and says why") {
  if (!user_can_run(as_server_user, "another user")) return;
  reach r{{.prefix = as_server_user, .owner = server_user, .control = "runtime/other.sock"}};
  const auto first = r.wait_main(0);
  const auto refused = r.ctl({"upgrade", r.server_control});
  CHECK(refused.status == "exited 1");
  CHECK(contains(refused.all, "would not hear of a successor"));
  CHECK(contains(refused.all,
                 "Permission denied; run graceful-ctl run as the user that the server "
                 "serves as"));
  CHECK_FALSE(contains(refused.all, "spawned"));
  CHECK(r.main() == first);
  CHECK(r.ctl({"status", r.server_control}).status == "exited 0");
}

TEST_CASE("a probation in which the supervisor gets out of reach ends with a rollback") {
  reach r{{.control = "other.sock", .probation = "10min"}};
  const auto first = r.wait_main(0);
  REQUIRE(eventually([&] { return r.status()->kept.size() == 1; }, patience));
  REQUIRE(r.ctl({"upgrade", r.server_control, "--until", "ready"}).status == "exited 0");
  fs::rename(r.directory, r.where.path("elsewhere"));
  std::ofstream{r.directory} << "in the way";
  // Unless the successor asks for the first time only now, and has already been answered.
  CHECK(r.ctl({"commit", r.server_control}).status == "exited 1");
  CHECK(r.supervisor->wait_for_output("rolled back: the supervisor", patience));
  CHECK(contains(r.ctl({"status", r.server_control}).out,
                 "generation 1, pid " + std::to_string(first)));
  CHECK(r.supervisor->running());
}
