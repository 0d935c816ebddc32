// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <charconv>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace graceful_bench {

/// Runs `run` with the words of the command line, the program's name first, and prints its
/// exceptions.
template <class Run>
int bench_main(int argc, char** argv, Run run) {
  try {
    return run(std::vector<std::string>{argv, argv + argc});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s: %s\n", argv[0], e.what());
    return 1;
  }
}

template <class Number>
Number to_number(std::string_view text) {
  Number n{};
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

}  // namespace graceful_bench
