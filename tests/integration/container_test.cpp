// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// graceful-ctl run as PID 1 of pid namespaces, which is what a container is to it.
#include <graceful/testing/load.hpp>

#include "supervised.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include <signal.h>

using namespace graceful_test;

namespace {

std::vector<process_entry> children_of(pid_t parent) {
  std::vector<process_entry> found;
  for (const auto& entry : process_table()) {
    if (entry.parent == parent) found.push_back(entry);
  }
  return found;
}

/// The number of the container's PID 1 outside of it.
pid_t init_of(supervised& s) {
  s.wait([](const auto&) { return true; });
  const auto children = children_of(s.supervisor().pid());
  REQUIRE(children.size() == 1);
  return children.front().pid;
}

/// The number outside of a process in the container.
pid_t outside(supervised& s, std::int64_t inner) {
  for (const auto& entry : children_of(init_of(s))) {
    std::ifstream status{"/proc/" + std::to_string(entry.pid) + "/status"};
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("NSpid:") && line.ends_with('\t' + std::to_string(inner))) {
        return entry.pid;
      }
    }
  }
  FAIL("no process ", inner, " in the container: ", s.supervisor().output());
  return -1;
}

}  // namespace

TEST_CASE("PID 1 reaps orphans, and no zombie is left") {
  if (!can_run(in_container, "a container")) return;
  supervised s{
      supervised::contained{},
      {"/bin/sh", "-c",
       "for i in 1 2 3 4 5 6 7 8 9 10; do (sleep 1000 &) ; done; echo made; exec sleep 1000"}};
  REQUIRE(s.supervisor().wait_for_output("made", patience));
  CHECK(s.status().pid == 1);
  const auto init = init_of(s);
  const auto main = outside(s, s.wait_main());
  CHECK(eventually([&] { return children_of(init).size() == 11; }, patience));
  // All of them end while PID 1 is stopped, and of several pending SIGCHLD only one is left.
  ::kill(init, SIGSTOP);
  for (const auto& orphan : children_of(init)) {
    if (orphan.pid != main) ::kill(orphan.pid, SIGKILL);
  }
  const auto zombies = [&] {
    return std::ranges::count(children_of(init), 'Z', &process_entry::state);
  };
  CHECK(eventually([&] { return zombies() == 10; }, patience));
  ::kill(init, SIGCONT);
  const auto only_main_is_left = [&] {
    const auto children = children_of(init);
    return children.size() == 1 && children.front().pid == main && children.front().state != 'Z';
  };
  CHECK(eventually(only_main_is_left, patience));
}

TEST_CASE("SIGTERM to PID 1 lets the server drain, and the container ends with 0") {
  if (!can_run(in_container, "a container")) return;
  supervised_under_load s{supervised::contained{}, supervised::http()};
  s.go_on();
  ::kill(init_of(s), SIGTERM);
  CHECK(s.supervisor().wait_exit(patience).exited(0));
  s.reset_nobody();
}

TEST_CASE("the container lives on when an upgrade ends its first process") {
  if (!can_run(in_container, "a container")) return;
  supervised_under_load s{supervised::contained{}, supervised::http()};
  const auto first = s.wait_main();
  const auto first_outside = outside(s, first);
  s.go_on();
  const auto upgraded = s.ctl({"upgrade", s.control()});
  INFO(upgraded.all, s.supervisor().output());
  REQUIRE(upgraded.status == "exited 0");
  CHECK(eventually([&] { return ::kill(first_outside, 0) != 0; }, patience));
  const auto second = s.wait_main(first);
  CHECK(children_of(init_of(s)).size() == 1);
  s.go_on();
  CHECK(s.at_work.stop().lost() == 0);

  ::kill(outside(s, second), SIGKILL);
  s.wait([second](const auto& status) {  // not only started: SIGTERM kills it until it serves
    return status.main_pid && *status.main_pid != second && status.said == "generation 1 serves";
  });
  ::kill(init_of(s), SIGTERM);
  CHECK(s.supervisor().wait_exit(patience).exited(0));
}

TEST_CASE("a server takes over from one in another container, which then ends with 0") {
  if (!can_run(in_container, "a container")) return;
  supervised_under_load first{supervised::contained{}, supervised::http()};
  first.go_on();
  supervised second{supervised::contained{&first},
                    at_port(supervised::http(), first.port()),
                    {},
                    {.environment = {{"GRACEFUL_TAKEOVER", "1"}}}};
  REQUIRE(second.supervisor().wait_for_output("ready: generation 2", patience));
  CHECK(first.supervisor().wait_exit(patience).exited(0));
  first.go_on();
  const auto seen = first.at_work.stop();
  INFO(seen.to_string(), first.supervisor().output(), second.supervisor().output());
  CHECK(seen.lost() == 0);
  CHECK(seen.served_by(2) > 0);
  CHECK(second.status().restarts == 0);
  ::kill(init_of(second), SIGTERM);
  CHECK(second.supervisor().wait_exit(patience).exited(0));
}
