// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/home_process.hpp"

#include <sys/mman.h>

namespace graceful::os {

namespace {

/// A page that the kernel wipes in every child that gets a copy of it, by whatever call:
/// madvise(2), MADV_WIPEONFORK. Reading it is enough, where getpid(2) would enter the kernel.
std::atomic<pid_t>* wiped_in_children() {
  void* page = ::mmap(nullptr, sizeof(std::atomic<pid_t>), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return nullptr;
  if (::madvise(page, sizeof(std::atomic<pid_t>), MADV_WIPEONFORK) != 0) {
    ::munmap(page, sizeof(std::atomic<pid_t>));  // Linux before 4.14
    return nullptr;
  }
  return new (page) std::atomic<pid_t>{0};
}

}  // namespace

pid_t this_process() {
  static std::atomic<pid_t>* const known = wiped_in_children();
  if (known == nullptr) return ::getpid();
  auto pid = known->load(std::memory_order_relaxed);
  if (pid == 0) known->store(pid = ::getpid(), std::memory_order_relaxed);
  return pid;
}

}  // namespace graceful::os
