// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/at_start.hpp"

#include "os/text.hpp"

#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <limits.h>
#include <signal.h>
#include <sys/auxv.h>
#include <unistd.h>

namespace graceful::os {

namespace {

// Constant-initialised: nothing sets them again after the constructor below has run.
constinit signal_setup first_signals{};
constinit std::array<char, PATH_MAX> first_directory{};
constinit std::string_view first_arguments{};  // one after the other, a NUL between them

void note_signals() {
  ::pthread_sigmask(SIG_SETMASK, nullptr, &first_signals.blocked);
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction now {};
    if (::sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN) {
      ::sigaddset(&first_signals.ignored, number);
    }
  }
}

void note_directory() {
  if (::getcwd(first_directory.data(), first_directory.size()) == nullptr) {
    first_directory = {'/', '\0'};
  }
}

// 101 is the first priority that a program may use. So this runs before the application's
// constructors, even where this library is linked statically.
#ifdef __GLIBC__
[[gnu::constructor(101)]] void note_start(int argc, char** argv, char** /*environment*/) {
  note_signals();
  note_directory();
  if (argc <= 0) return;
  std::size_t size = 0;
  for (int i = 0; i < argc; ++i) size += std::strlen(argv[i]) + 1;
  auto* const copy = static_cast<char*>(std::malloc(size));
  if (copy == nullptr) return;
  first_arguments = {copy, size - 1};
  for (char* next = copy; argc > 0; --argc, ++argv) next = ::stpcpy(next, *argv) + 1;
}
#else
[[gnu::constructor(101)]] void note_start() {
  note_signals();
  note_directory();
}
#endif

}  // namespace

const signal_setup& signals_at_start() { return first_signals; }

std::string directory_at_start() { return first_directory.data(); }

std::vector<std::string> arguments_at_start() {
  if (first_arguments.data() == nullptr) return {};
  return split(first_arguments, '\0');
}

bool is_set_id() { return ::getauxval(AT_UID) != ::getauxval(AT_EUID) || is_set_group_id(); }

bool is_set_group_id() { return ::getauxval(AT_GID) != ::getauxval(AT_EGID); }

std::string trusted_variable(const char* name, const char* otherwise) {
  const char* value = is_set_id() ? nullptr : std::getenv(name);
  return value == nullptr ? otherwise : value;
}

}  // namespace graceful::os
