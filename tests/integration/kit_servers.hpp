// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/deployment_params.hpp>

#include "contains.hpp"
#include "patience.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>

/// The servers that deployments start in tests of the test kit.
namespace graceful_test {

inline std::string from_build(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr)
    throw std::runtime_error{std::string{"run me by meson test: no "} + variable};
  return value;
}

inline graceful::testing::deployment_params http_server(const char* probation = "0") {
  return {.command = {from_build("HTTP_SERVER"), "--listen", "127.0.0.1:0", "--control",
                      "{control}", "--probation", probation, "--idle-grace", "5s"},
          .patience = patience};
}

inline graceful::testing::deployment_params flawed(const char* flaw) {
  return {.command = {from_build("MISBEHAVING_SERVER"), "{control}", flaw}, .patience = patience};
}

}  // namespace graceful_test
