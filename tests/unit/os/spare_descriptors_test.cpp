// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/spare_descriptors.hpp"

#include "os/proc.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using graceful::unique_fd;
using graceful::os::spare_descriptors;

namespace {

/// An eighth of the limit is the reserve.
constexpr rlim_t limit = 64;
constexpr int reserve = 8;

int open_file() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

int open_with_reserve() { return spare_descriptors::with(open_file); }

/// Opens files until no descriptor is left; returns the last.
int take_all() {
  int last = -1;
  for (int fd = 0; fd >= 0; fd = open_file()) last = fd;
  return last;
}

/// Whether the condition holds in a process that has a reserve, and whose clients have taken all
/// other descriptors.
template <class Condition>
bool holds_without_descriptors(Condition condition) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit low{limit, limit};
    bool holds = ::setrlimit(RLIMIT_NOFILE, &low) == 0;
    std::optional<spare_descriptors> kept{std::in_place};
    const int last = take_all();
    holds = holds && errno == EMFILE && condition(last, kept);
    ::_exit(holds ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

using keeper = std::optional<spare_descriptors>;

}  // namespace

TEST_CASE("a process that has no descriptor left opens as many files as it has in reserve") {
  CHECK(holds_without_descriptors([](int, keeper&) {
    int opened = 0;
    while (open_with_reserve() >= 0) ++opened;
    return opened == reserve && errno == EMFILE;
  }));
}

TEST_CASE("files of /proc can be read even if no descriptor is left, again and again") {
  CHECK(holds_without_descriptors([](int, keeper&) {
    for (int i = 0; i < 2 * reserve; ++i) {
      if (graceful::os::whole_file("/proc/self/stat").empty()) return false;
    }
    return true;
  }));
}

TEST_CASE("a call that fails for another reason takes nothing from the reserve") {
  CHECK(holds_without_descriptors([](int, keeper&) {
    int failed = 0;
    for (int i = 0; i < 2 * reserve; ++i) {
      failed += spare_descriptors::with([] {
        errno = ENOTDIR;
        return -1;
      });
    }
    return failed == -2 * reserve && errno == ENOTDIR && open_file() < 0 &&
           open_with_reserve() >= 0;
  }));
}

TEST_CASE("the number of a descriptor that is closed goes to the reserve before anybody has it") {
  CHECK(holds_without_descriptors([](int, keeper&) {
    unique_fd one{open_with_reserve()};
    const int number = one.get();
    spare_descriptors::close(std::move(one));
    return ::fcntl(number, F_GETFD) >= 0 && open_file() < 0 && open_with_reserve() >= 0;
  }));
}

TEST_CASE("the reserve is filled again when descriptors are free") {
  CHECK(holds_without_descriptors([](int last, keeper&) {
    while (open_with_reserve() >= 0) continue;
    ::close(last);
    spare_descriptors::refill();
    return open_file() < 0 && open_with_reserve() >= 0;
  }));
}

TEST_CASE("a process that keeps no reserve any more has its descriptors for itself") {
  CHECK(holds_without_descriptors([](int, keeper& kept) {
    kept.reset();
    return open_file() >= 0;
  }));
}
