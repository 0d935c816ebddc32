// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "terminal.hpp"

#include "gate.hpp"
#include "server_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <signal.h>
#include <unistd.h>

using namespace graceful_test;
namespace fs = std::filesystem;

namespace {

/// graceful-ctl at a terminal.
struct session {
  session(scene& where, std::vector<std::string> argv, unsigned short columns = 80,
          std::map<std::string, std::string> environment = {}) {
    environment.insert({{"TERM", "xterm"}, {"LC_ALL", "C.UTF-8"}, {"NO_COLOR", ""}});
    process_options options;
    options.environment = std::move(environment);
    options.terminal = tty.program_end();
    tty.resize(columns);
    ctl = &where.start(std::move(argv), options);
    tty.let_go();
  }

  /// Waits for the end of the program.
  std::string end() {
    tty.wait_end(patience);
    const auto status = ctl->wait_exit(patience);
    return status ? status.to_string() : "still running";
  }

  terminal tty{80};
  process* ctl = nullptr;
};

std::vector<std::string> upgrade_of(const server_fixture& s) {
  return {programs::graceful_ctl(), "upgrade", s.control()};
}

std::vector<std::string> drain_of(const server_fixture& s) {
  return {programs::graceful_ctl(), "drain", s.control()};
}

/// Checks that there are exactly these lines, each with its text.
void check_lines(const std::vector<std::string>& lines, const std::vector<const char*>& texts) {
  std::string all;
  for (const auto& line : lines) all += line + '\n';
  INFO(all);
  REQUIRE(lines.size() == texts.size());
  for (std::size_t i = 0; i < lines.size(); ++i) CHECK(contains(lines[i], texts[i]));
}

/// Checks all its threads: proc_pid_stat(5), after the name.
bool is_stopped(pid_t pid) {
  const auto tasks = fs::directory_iterator{"/proc/" + std::to_string(pid) + "/task"};
  return std::all_of(begin(tasks), end(tasks), [](const fs::directory_entry& task) {
    std::string text;
    std::getline(std::ifstream{task.path() / "stat"}, text);
    return contains(text, ") T ");
  });
}

const std::vector<const char*> phases{"spawned pid ", "connected as generation 2",
                                      "1 socket passed", "ready: generation 2 (pid ",
                                      "committed: generation 2 stays"};

}  // namespace

TEST_CASE("on a terminal a line below the phases says what is awaited, and disappears at the end") {
  server_fixture s{{"--probation", "1min"}};
  session operator_{s.scene(), upgrade_of(s)};
  const std::string live = "generation 2 is in probation";
  REQUIRE(operator_.tty.wait_for(live, patience));
  for (int i = 0; i < 3; ++i) REQUIRE(operator_.tty.wait_for_more(live, patience));  // again
  CHECK(s.ctl({"commit", s.control()}).status == "exited 0");
  CHECK(operator_.end() == "exited 0");
  const std::string& text = operator_.tty.text();
  for (auto at = text.find(live); at != text.npos; at = text.find(live, at + 1)) {
    CHECK(text.find_first_of("\r\n", at) == text.find('\r', at));  // in place
  }
  check_lines(screen(text, 80), phases);
  CHECK(contains(text, "\x1b[32mcommitted"));
}

TEST_CASE("with NO_COLOR the only escape is the one that erases to the end") {
  server_fixture s{{"--probation", "200ms"}};
  session operator_{s.scene(), upgrade_of(s), 80, {{"NO_COLOR", "1"}}};
  CHECK(operator_.end() == "exited 0");
  const std::string& text = operator_.tty.text();
  CHECK(contains(text, "is in probation"));
  for (auto at = text.find('\x1b'); at != text.npos; at = text.find('\x1b', at + 1)) {
    REQUIRE(text.compare(at, 3, "\x1b[J") == 0);
  }
  check_lines(screen(text, 80), phases);
}

TEST_CASE("a drain shows a progress bar, made of blocks if the locale has them") {
  for (const bool utf8 : {true, false}) {
    server_fixture s{{"--drain", "1min"}};
    std::list<http_connection> held;
    for (int i = 0; i < 4; ++i) held.push_back(s.hold());
    session operator_{
        s.scene(), drain_of(s), 80, {{"LC_ALL", utf8 ? "C.UTF-8" : "C"}, {"NO_COLOR", "1"}}};
    REQUIRE(operator_.tty.wait_for(
        utf8 ? "░ 4 of 4 connections left" : "-] 4 of 4 connections left", patience));
    held.pop_back();
    held.pop_back();
    REQUIRE(operator_.tty.wait_for("2 of 4 connections left", patience));
    CHECK(contains(operator_.tty.text(), utf8 ? "███████████████░░░░░░░░░░░░░░░ 2 of 4"
                                              : "[##############--------------] 2 of 4"));
    held.clear();
    CHECK(operator_.end() == "exited 0");
    check_lines(screen(operator_.tty.text(), 80), {"draining 4 connections", "drained"});
  }
}

TEST_CASE("upgrade --until drained draws the drain of the old process") {
  server_fixture s;
  auto held = std::make_unique<http_connection>(s.hold());
  auto argv = upgrade_of(s);
  argv.insert(argv.end(), {"--until", "drained"});
  session operator_{s.scene(), argv};
  REQUIRE(operator_.tty.wait_for("1 of 1 connection left", patience));
  held.reset();
  CHECK(operator_.end() == "exited 0");
  auto lines = phases;
  lines.push_back("the old process has ended");
  check_lines(screen(operator_.tty.text(), 80), lines);
}

TEST_CASE("Ctrl-C leaves the upgrade running and the terminal clean, and says so") {
  server_fixture s;
  gate opening{s.scene()};
  session operator_{s.scene(), opening.upgrade(s)};
  REQUIRE(operator_.tty.wait_for("waiting for generation 2 to be ready", patience));
  operator_.tty.type("\x03");
  CHECK(operator_.end() == "exited 130");
  const auto lines = screen(operator_.tty.text(), 200);
  check_lines(lines,
              {"spawned pid ", "connected as generation 2", "1 socket passed",
               "waiting for generation 2 to be ready",
               "graceful-ctl: interrupted; what was begun goes on. Watch it with: graceful-ctl "
               "status /"});
  CHECK(contains(lines.back(), s.control()));
  CHECK(operator_.tty.text().ends_with("\n"));
  opening.open();
  CHECK(s.server().wait_for_output("generation 2 serves", patience));
}

TEST_CASE("an upgrade that fails leaves its phases and the reason, in red, and nothing else") {
  server_fixture s;
  auto argv = upgrade_of(s);
  argv.insert(argv.end(), {"--", "/bin/sh", "-c", "exit 9"});
  session operator_{s.scene(), argv};
  CHECK(operator_.end() == "exited 1");
  CHECK(contains(operator_.tty.text(), " to connect\x1b[J"));
  const auto lines = screen(operator_.tty.text(), 80);
  check_lines(lines,
              {"spawned pid ", "graceful-ctl: upgrade failed: the successor exited with status 9"});
  CHECK(lines.back().starts_with("graceful-ctl:"));  // where the live line was
  CHECK(contains(operator_.tty.text(), "\x1b[31mgraceful-ctl: upgrade failed"));
}

TEST_CASE("SIGTERM has its own exit status, and leaves the upgrade running too") {
  server_fixture s;
  gate opening{s.scene()};
  session operator_{s.scene(), opening.upgrade(s)};
  REQUIRE(operator_.tty.wait_for("waiting for generation 2 to be ready", patience));
  operator_.ctl->signal(SIGTERM);
  CHECK(operator_.end() == "exited 143");
  CHECK(contains(operator_.tty.text(), "what was begun goes on"));
  opening.open();
  CHECK(s.server().wait_for_output("generation 2 serves", patience));
}

TEST_CASE("on twenty columns the live line is never wrapped") {
  server_fixture s{{"--probation", "300ms"}};
  session operator_{s.scene(), upgrade_of(s), 20};
  CHECK(operator_.end() == "exited 0");
  const std::string& text = operator_.tty.text();
  CHECK(contains(text, "generati\x1b[J"));  // cut, and shorter than the terminal is wide
  check_lines(screen(text, 20), phases);    // nothing of it is left above the others
}

TEST_CASE("the live line follows the width of the terminal") {
  server_fixture s;
  gate opening{s.scene()};
  session operator_{s.scene(), opening.upgrade(s), 20};
  REQUIRE(operator_.tty.wait_for("waiting \x1b[J", patience));
  REQUIRE(operator_.tty.wait_for("1 socket passed", patience));
  operator_.tty.resize(60);
  REQUIRE(operator_.tty.wait_for("waiting for generation 2 to be ready\x1b[J", patience));
  operator_.tty.resize(30);
  REQUIRE(operator_.tty.wait_for("waiting for genera\x1b[J", patience));
}

TEST_CASE("a terminal that gets narrower and wraps the live line shows no trace of it at the end") {
  server_fixture s;
  gate opening{s.scene()};
  session operator_{s.scene(), opening.upgrade(s), 60};
  REQUIRE(operator_.tty.wait_for("waiting for generation 2 to be ready\x1b[J", patience));
  // What is written then must fit the new width.
  REQUIRE(operator_.ctl->signal(SIGSTOP));
  REQUIRE(eventually([&] { return is_stopped(operator_.ctl->pid()); }, patience));
  const auto before = operator_.tty.read_so_far();
  operator_.tty.resize(20);
  REQUIRE(operator_.ctl->signal(SIGCONT));
  REQUIRE(operator_.tty.wait_for("waiting \x1b[J", patience));
  opening.open();
  CHECK(operator_.end() == "exited 0");
  screen_rows rows{60};
  rows.write(operator_.tty.text().substr(0, before));
  rows.resize(20);
  rows.write(operator_.tty.text().substr(before));
  check_lines(rows.lines(), phases);
  for (const auto& line : rows.lines()) CHECK_FALSE(contains(line, "waiting"));
}

TEST_CASE("Ctrl-Z removes the live line, and it comes back with the job") {
  server_fixture s;
  gate opening{s.scene()};
  // A shell with job control: it continues when the job has stopped, and then resumes it.
  std::string command;
  for (const std::string& word : opening.upgrade(s)) command += "'" + word + "' ";
  session operator_{
      s.scene(), {"/bin/bash", "-m", "-c", command + "; echo stopped: $?; read go; fg; exit $?"}};
  REQUIRE(operator_.tty.wait_for("waiting for generation 2 to be ready", patience));
  operator_.tty.type("\x1a");
  REQUIRE(operator_.tty.wait_for("stopped: 148", patience));  // 128 + SIGTSTP
  const auto stopped = operator_.tty.text();
  const auto lines = screen(stopped, 200);
  INFO(stopped);
  CHECK_FALSE(contains(stopped.substr(stopped.rfind("\x1b[J")), "waiting"));
  for (const auto& line : lines) CHECK_FALSE(contains(line, "waiting"));
  operator_.tty.type("\n");
  REQUIRE(operator_.tty.wait_for_more("waiting for generation 2 to be ready", patience));
  opening.open();
  CHECK(operator_.end() == "exited 0");
  CHECK(contains(operator_.tty.text(), "committed: generation 2"));
}

TEST_CASE("a job in the background prints its phases, and draws nothing") {
  server_fixture s{{"--probation", "300ms"}};
  session operator_{s.scene(),
                    {"/bin/bash", "-m", "-c",
                     "'" + programs::graceful_ctl() + "' upgrade '" + s.control() + "' & wait $!"}};
  CHECK(operator_.end() == "exited 0");
  CHECK(contains(operator_.tty.text(), "committed"));
  CHECK_FALSE(contains(operator_.tty.text(), "is in probation"));
}

TEST_CASE("a terminal that goes away does not change the exit status") {
  server_fixture s;
  gate opening{s.scene()};
  session operator_{s.scene(), opening.upgrade(s)};
  REQUIRE(operator_.tty.wait_for("waiting for generation 2 to be ready", patience));
  operator_.tty.hang_up();
  opening.open();
  const auto status = operator_.ctl->wait_exit(patience);
  REQUIRE(status);
  CHECK(status.to_string() == "exited 0");
}

TEST_CASE("a pipe or a dumb terminal gets the phases and no escape at all") {
  server_fixture s{{"--probation", "200ms"}};
  process_options options;
  options.environment = {{"TERM", "xterm"}};
  const auto piped = s.ctl({"upgrade", s.control()}, options);
  CHECK(piped.status == "exited 0");
  CHECK(contains(piped.out, "committed: generation 2"));
  CHECK(piped.all.find_first_of("\x1b\r") == std::string::npos);

  session dumb{s.scene(), upgrade_of(s), 80, {{"TERM", "dumb"}}};
  CHECK(dumb.end() == "exited 0");
  CHECK(contains(dumb.tty.text(), "committed: generation 3"));
  CHECK_FALSE(contains(dumb.tty.text(), "\x1b"));
  CHECK_FALSE(contains(dumb.tty.text(), "in probation"));

  auto json = upgrade_of(s);
  json.emplace_back("--json");
  session scripted{s.scene(), json};
  CHECK(scripted.end() == "exited 0");
  CHECK(contains(scripted.tty.text(), "\"phase\":\"committed\""));
  CHECK_FALSE(contains(scripted.tty.text(), "\x1b"));
}
