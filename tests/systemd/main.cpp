// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#define DOCTEST_CONFIG_IMPLEMENT
#include "host.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <iostream>

int main(int argc, char** argv) {
  constexpr int skipped = 77;  // for Meson
  if (const auto obstacle = graceful_systemd::host::obstacle(); !obstacle.empty()) {
    const char* const ci = std::getenv("CI");
    const bool needed = ci != nullptr && std::string_view{ci} == "true";
    std::cerr << (needed ? "FAILED" : "SKIPPED") << ": systemd cannot be run here: " << obstacle
              << '\n';
    return needed ? 1 : skipped;
  }
  return doctest::Context{argc, argv}.run();
}
