// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing/load.hpp>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <signal.h>
#include <time.h>
#include <unistd.h>

namespace {

constexpr const char* usage =
    "usage: load_client --target HOST:PORT [--connections N] [--close] [--path PATH]\n"
    "                   [--seconds S | --requests N]\n"
    "Sends requests until S seconds (default: 10) or N successes, SIGINT or SIGTERM.\n"
    "Exit status: 0 nothing lost, 1 something lost, 2 usage.\n";

struct arguments {
  graceful::testing::http_load options;
  unsigned seconds = 10;
  std::uint64_t requests = 0;
};

template <class Number>
bool parse(std::string_view text, Number& number) {
  const char* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && last == end && number > 0;
}

bool parse_target(std::string_view text, graceful::testing::http_load& options) {
  const auto colon = text.rfind(':');
  if (colon == text.npos || !parse(text.substr(colon + 1), options.port)) return false;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  options.host = host;
  return !host.empty();
}

std::optional<arguments> parse_arguments(int argc, char** argv) {
  arguments result;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--close") {
      result.options.keep_alive = false;
      continue;
    }
    if (++i == argc) return {};
    const std::string_view value = argv[i];
    const bool good = name == "--target"        ? parse_target(value, result.options)
                      : name == "--connections" ? parse(value, result.options.connections)
                      : name == "--seconds"     ? parse(value, result.seconds)
                      : name == "--requests"    ? parse(value, result.requests)
                      : name == "--path"        ? (result.options.path = value).starts_with('/')
                                                : false;
    if (!good) return {};
  }
  if (result.options.port == 0) return {};
  return result;
}

}  // namespace

int main(int argc, char** argv) try {
  const auto given = parse_arguments(argc, argv);
  if (!given) {
    std::fputs(usage, stderr);
    return 2;
  }

  // Blocked in every thread from here on, so that sigtimedwait(2) gets them.
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGINT);
  ::sigaddset(&ends, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  graceful::testing::load load{given->options};
  std::jthread enough;
  if (given->requests > 0) {
    enough = std::jthread{[&] {
      load.wait_for(given->requests, std::chrono::seconds{given->seconds});
      ::kill(::getpid(), SIGTERM);
    }};
  }
  const timespec limit{given->seconds, 0};
  ::sigtimedwait(&ends, nullptr, &limit);

  const graceful::testing::load_report report = load.stop();
  std::fputs(report.to_string().c_str(), stdout);
  return report.lost() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
} catch (const std::exception& error) {
  std::fprintf(stderr, "load_client: %s\n", error.what());
  return 2;
}
