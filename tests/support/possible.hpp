// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include <system_error>
#include <unistd.h>

namespace graceful_test {

/// False, with a message, if a test cannot run on this machine; in CI that is a failure.
inline bool is_possible(bool possible, const std::string& otherwise) {
  if (possible) return true;
  const char* ci = std::getenv("CI");
  REQUIRE_MESSAGE((ci == nullptr || std::string_view{ci} != "true"), otherwise);
  MESSAGE("skipped: ", otherwise);
  return false;
}

/// Whether tests can run `program` as another user: not in a checkout below /root, for example.
inline bool others_can_run(const std::string& program) {
  if (!is_possible(::geteuid() == 0, "only root can be another user")) return false;
  namespace fs = std::filesystem;
  std::error_code failed;
  for (fs::path place = fs::canonical(program, failed); !failed && place.has_relative_path();) {
    const auto mode = fs::status(place, failed).permissions();
    if ((mode & fs::perms::others_exec) == fs::perms::none) {
      return is_possible(false, "other users cannot enter " + place.string());
    }
    place = place.parent_path();
  }
  return true;
}

}  // namespace graceful_test
