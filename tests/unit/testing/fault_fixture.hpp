// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/fault.hpp>
#include <graceful/testing/process.hpp>

#include "patience.hpp"
#include "testing/fault_variable.hpp"
#include "testing/scene.hpp"
#include "unit/temporary_directory.hpp"

#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace graceful_test {

using namespace graceful::testing;

inline std::string fault_subject() {
  const char* path = std::getenv("FAULT_SUBJECT");
  if (path == nullptr) throw std::runtime_error{"run me by meson test: no FAULT_SUBJECT"};
  return path;
}

/// Starts the subjects of faults.
struct fault_fixture {
  process& start(std::vector<std::string> arguments) {
    return start_with({}, std::move(arguments));
  }
  process& start(std::vector<std::string> arguments, const fault& what) {
    return start_with({variable_for(what)}, std::move(arguments));
  }
  process& start_with(std::map<std::string, std::string> environment,
                      std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), fault_subject());
    return where.start(arguments, {.environment = faults.environment(std::move(environment)),
                                   .attribute_output = sockets_for_outputs});
  }

  [[nodiscard]] bool made(const std::string& name) const {
    return ::access(here.path(name).c_str(), F_OK) == 0;
  }

  bool sockets_for_outputs = false;  // like those of deployments
  fault_injector faults;
  temporary_directory here;
  graceful::testing::scene where;
};

}  // namespace graceful_test
