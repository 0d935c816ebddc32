// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/service_manager.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

using graceful::os::manager_process;

namespace {

/// Whether the condition holds in a child of this process.
bool holds_in_child(const std::function<bool()>& condition) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(condition() ? 0 : 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

manager_process supervisor_is(std::string text) {
  return {.supervisor = std::move(text), .user_manager = {}, .executed = {}};
}

}  // namespace

TEST_CASE("a supervisor is the parent if it names the process that the kernel says is the parent") {
  const auto self = graceful::os::own_process_text();
  CHECK(holds_in_child([&] { return supervisor_is(self).is_parent(); }));
  CHECK_FALSE(supervisor_is(self).is_parent());
  const auto number = std::to_string(::getpid());
  CHECK(self.starts_with(number + " pid:["));
  CHECK(holds_in_child([&] { return !supervisor_is(number + " pid:[1]").is_parent(); }));
  // Behind a shell the parent is another process.
  CHECK(holds_in_child(
      [&] { return holds_in_child([&] { return !supervisor_is(self).is_parent(); }); }));
}

TEST_CASE("systemd is the parent if that is the user's manager, or PID 1 and systemd") {
  const auto number = std::to_string(::getpid());
  CHECK(holds_in_child([&] {
    return manager_process{.supervisor = {}, .user_manager = number, .executed = {}}.is_parent() &&
           !manager_process{.supervisor = {}, .user_manager = "1", .executed = number}.is_parent();
  }));
  // The environment names no process.
  CHECK(holds_in_child([] { return !manager_process{}.is_parent(); }));
}
