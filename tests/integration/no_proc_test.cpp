// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// Servers in a place that has no /proc, as a chroot may have none.
#include "server_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <signal.h>

using namespace graceful_test;

namespace {

/// Executes its arguments with an empty /proc. The test itself keeps its own.
std::vector<std::string> without_proc(const std::vector<std::string>& command) {
  return joined({"/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c",
                 "mount -t tmpfs none /proc && exec \"$@\"", "sh"},
                command);
}

bool can_unmount_proc() { return can_run(without_proc({}), "a mount namespace"); }

/// A program finds the libraries beside it, $ORIGIN of ld.so(8), through /proc.
process_options with_libraries() {
  process_options options;
  options.environment["LD_LIBRARY_PATH"] = programs::libraries();
  return options;
}

}  // namespace

TEST_CASE("without a /proc a server starts, is upgraded with its arguments, and drains") {
  if (!can_unmount_proc()) return;
  scene where;
  const auto control = where.path("control.sock");
  process& first = where.start(without_proc(http_command(control)), with_libraries());
  REQUIRE_MESSAGE(first.wait_for_output("ready: generation 1 ", patience), first.output());
  for (const char* generation : {"2", "3"}) {
    const auto done = run(where, {programs::graceful_ctl(), "upgrade", control});
    CHECK_MESSAGE(done.status == "exited 0", done.all);
    REQUIRE(first.wait_for_output(std::string{"ready: generation "} + generation, patience));
  }
  CHECK(first.wait_exit(patience).exited(0));
  CHECK(run(where, {programs::graceful_ctl(), "drain", control}).status == "exited 0");
  CHECK(where.wait_all_gone(patience));
}

TEST_CASE("without a /proc a control path whose directory leaves no room says so") {
  if (!can_unmount_proc()) return;
  scene where;
  // Leaves room for "s", but not for a temporary name.
  const auto control =
      where.path(std::string(105 - where.directory().size() - 1, 'd')).append("/s");
  const auto done = run(where,
                        without_proc({"/bin/sh", "-c", "mkdir \"$0\" && exec \"$@\"",
                                      control.substr(0, control.size() - 2),
                                      programs::http_server(), "--control", control}),
                        with_libraries());
  CHECK(done.status == "exited 1");
  CHECK_MESSAGE(contains(done.all, "without a /proc its directory has at most 97 bytes"), done.all);
}

TEST_CASE("without a /proc a supervisor runs a server, and the next supervisor adopts it") {
  if (!can_unmount_proc()) return;
  scene where;
  const auto control = where.path("control.sock");
  const auto command =
      joined({programs::graceful_ctl(), "run", "--control", control, "--"}, http_command(control));
  process& first = where.start(without_proc(command), with_libraries());
  REQUIRE_MESSAGE(first.wait_for_output("ready: generation 1 ", patience), first.output());
  REQUIRE(first.wait_for_output("keeps http", patience));
  // The killed supervisor leaves a server, and a note that there is one.
  REQUIRE(first.signal(SIGKILL));
  REQUIRE(first.wait_exit(patience));
  process& second = where.start(without_proc(command), with_libraries());
  CHECK_MESSAGE(second.wait_for_output("the server already runs as pid", patience),
                second.output());
  CHECK(run(where, {programs::graceful_ctl(), "upgrade", control}).status == "exited 0");
  REQUIRE(second.signal(SIGTERM));
  CHECK(second.wait_exit(patience).exited(0));
  CHECK(where.wait_all_gone(patience));
}
