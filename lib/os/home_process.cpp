// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/home_process.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

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

constexpr std::size_t word_bits = 64;

/// The default of fs.nr_open. A descriptor beyond it is not marked.
constexpr std::size_t most_marks = 1'048'576;

using word = std::atomic<std::uint64_t>;

/// One bit for each number. No lock: if another thread held it during fork(2), it would stay locked
/// in the child for ever. Pages that nobody has written to take no memory.
std::array<word, most_marks / word_bits> marks;
std::atomic<std::size_t> words_used;

void put_in_place(int stand_in, int fd) {
  if (stand_in < 0 || ::dup3(stand_in, fd, O_CLOEXEC) < 0) ::close(fd);
}

/// Makes only system calls: the child of a threaded process may do no more.
void forget_in_child() {
  const int saved = errno;
  const auto used = words_used.load();
  const int stand_in = used > 0 ? ::eventfd(0, EFD_CLOEXEC) : -1;
  for (std::size_t i = 0; i < used; ++i) {
    const auto bits = marks[i].exchange(0);
    for (std::size_t bit = 0; bit < word_bits; ++bit) {
      if ((bits >> bit & 1) != 0) put_in_place(stand_in, static_cast<int>(i * word_bits + bit));
    }
  }
  if (stand_in >= 0) ::close(stand_in);
  errno = saved;
}

}  // namespace

pid_t this_process() {
  static std::atomic<pid_t>* const known = wiped_in_children();
  if (known == nullptr) return ::getpid();
  auto pid = known->load(std::memory_order_relaxed);
  if (pid == 0) known->store(pid = ::getpid(), std::memory_order_relaxed);
  return pid;
}

kept_from_children::kept_from_children(int fd) {
  static const int registered = ::pthread_atfork(nullptr, nullptr, forget_in_child);
  if (registered != 0 || fd < 0 || static_cast<std::size_t>(fd) >= most_marks) return;
  fd_ = fd;
  const auto at = static_cast<std::size_t>(fd);
  auto used = words_used.load();
  while (used <= at / word_bits && !words_used.compare_exchange_weak(used, at / word_bits + 1)) {
  }
  marks[at / word_bits].fetch_or(std::uint64_t{1} << at % word_bits);
}

kept_from_children::~kept_from_children() {
  if (fd_ < 0) return;
  const auto at = static_cast<std::size_t>(fd_);
  marks[at / word_bits].fetch_and(~(std::uint64_t{1} << at % word_bits));
}

std::shared_ptr<const unique_fd> share_but_keep(unique_fd fd) {
  struct kept {
    explicit kept(unique_fd f) : fd{std::move(f)} {}
    unique_fd fd;
    kept_from_children mark{fd.get()};  // destroyed first
  };
  auto both = std::make_shared<const kept>(std::move(fd));
  return {both, &both->fd};
}

}  // namespace graceful::os
