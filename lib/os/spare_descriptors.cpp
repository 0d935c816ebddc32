// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/spare_descriptors.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <mutex>
#include <vector>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

namespace graceful::os {

namespace {

constexpr rlim_t most = 12;  // an upgrade takes seven, and two operators still connect meanwhile
constexpr rlim_t share_of_limit = 8;

struct reserve {
  std::mutex mutex;
  int users = 0;
  std::size_t wanted = 0;
  unique_fd original;            // the others are duplicates of this one; never given up
  std::vector<unique_fd> spare;  // never grows beyond its capacity
};

reserve& of_process() {
  static reserve instance;
  return instance;
}

void fill(reserve& r) {
  while (r.original && r.spare.size() < r.wanted) {
    unique_fd next{::fcntl(r.original.get(), F_DUPFD_CLOEXEC, 3)};
    if (!next) return;
    r.spare.push_back(std::move(next));
  }
}

}  // namespace

spare_descriptors::spare_descriptors() {
  auto& r = of_process();
  const std::lock_guard lock{r.mutex};
  if (r.users++ > 0) return;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  r.wanted = static_cast<std::size_t>(std::min(most, limit.rlim_cur / share_of_limit));
  r.spare.reserve(r.wanted);
  r.original.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  fill(r);
}

spare_descriptors::~spare_descriptors() {
  auto& r = of_process();
  const std::lock_guard lock{r.mutex};
  if (--r.users > 0) return;
  r.spare.clear();
  r.original.reset();
}

void spare_descriptors::close(unique_fd fd) {
  auto& r = of_process();
  const std::lock_guard lock{r.mutex};
  if (!fd || !r.original || r.spare.size() >= r.wanted) return;
  if (::dup3(r.original.get(), fd.get(), O_CLOEXEC) >= 0) r.spare.push_back(std::move(fd));
}

void spare_descriptors::refill() {
  auto& r = of_process();
  const std::lock_guard lock{r.mutex};
  fill(r);
}

bool spare_descriptors::give_one_up() {
  const int why = errno;
  if (why != EMFILE) return false;
  auto& r = of_process();
  const std::lock_guard lock{r.mutex};
  const bool possible = !r.spare.empty();
  if (possible) r.spare.pop_back();
  errno = why;
  return possible;
}

}  // namespace graceful::os
