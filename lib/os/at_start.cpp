// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/at_start.hpp"

#include <cstdlib>

#include <signal.h>
#include <sys/auxv.h>

namespace graceful::os {

namespace {

// Constant-initialised: nothing sets them again after the constructor below has run.
constinit signal_setup first_signals{};
constinit const char* first_argument = nullptr;
constinit int argument_count = 0;

void note_signals() {
  ::pthread_sigmask(SIG_SETMASK, nullptr, &first_signals.blocked);
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction now {};
    if (::sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN) {
      ::sigaddset(&first_signals.ignored, number);
    }
  }
}

// 101 comes first of all that a program may use: before the application's constructors, even where
// this library is linked statically.
#ifdef __GLIBC__
[[gnu::constructor(101)]] void note_start(int argc, char** argv, char** /*environment*/) {
  first_argument = argc > 0 ? argv[0] : nullptr;
  argument_count = argc;
  note_signals();
}
#else
[[gnu::constructor(101)]] void note_start() { note_signals(); }
#endif

}  // namespace

const signal_setup& signals_at_start() { return first_signals; }

std::vector<std::string> arguments_at_start() {
  std::vector<std::string> arguments;
  if (first_argument == nullptr) return arguments;
  // The kernel puts the strings one behind the other: getopt(3) may have changed the order of argv.
  const char* next = first_argument;
  for (int i = 0; i < argument_count; ++i) {
    arguments.emplace_back(next);
    next += arguments.back().size() + 1;
  }
  return arguments;
}

bool is_set_id() {
  return ::getauxval(AT_UID) != ::getauxval(AT_EUID) || ::getauxval(AT_GID) != ::getauxval(AT_EGID);
}

const char* trusted_variable(const char* name) { return is_set_id() ? nullptr : std::getenv(name); }

}  // namespace graceful::os
