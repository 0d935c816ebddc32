// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/faulty_process.hpp"

#include "testing/process_table.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <system_error>
#include <time.h>
#include <unistd.h>

namespace graceful::testing {
namespace {

/// A futex reports the fault, but not an end without one, so that is checked in between.
constexpr std::chrono::milliseconds end_look_interval{50};

/// How long a process may take from taking a fault until it reports it: a few instructions, unless
/// it is stopped.
constexpr std::chrono::seconds striking_time{10};

/// Null if there is none, or if it belongs to an earlier process with this pid.
shim::fault_file* map(const std::string& path, pid_t pid) {
  const graceful::unique_fd fd{::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)};
  if (!fd) return nullptr;
  struct stat status {};
  const bool whole = ::fstat(fd.get(), &status) == 0 &&
                     status.st_size == static_cast<off_t>(sizeof(shim::fault_file));
  void* at = whole ? ::mmap(nullptr, sizeof(shim::fault_file), PROT_READ | PROT_WRITE, MAP_SHARED,
                            fd.get(), 0)
                   : nullptr;
  if (at == MAP_FAILED) throw std::system_error{errno, std::system_category(), path};
  auto* const shared = static_cast<shim::fault_file*>(at);
  if (shared == nullptr || shared->magic != shim::file_magic) {
    if (shared != nullptr) ::munmap(shared, sizeof *shared);
    throw std::runtime_error{path + " is that of another version of the fault shim"};
  }
  const auto now = process_entry_of(pid);
  if (!now || now->start_time == shared->start_time) return shared;
  ::munmap(shared, sizeof *shared);
  return nullptr;
}

bool stands_still(pid_t pid) {
  const auto process = process_entry_of(pid);
  return process && (process->state == 'T' || process->state == 't');
}

}  // namespace

std::unique_ptr<faulty_process> faulty_process::wait_for(const std::string& directory, pid_t pid,
                                                         deadline until) {
  const graceful::unique_fd arrivals{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  if (!arrivals || ::inotify_add_watch(arrivals.get(), directory.c_str(), IN_MOVED_TO) < 0) {
    throw std::system_error{errno, std::system_category(), "inotify on " + directory};
  }
  const std::string path = directory + "/" + std::to_string(pid);
  for (;;) {
    if (auto* shared = map(path, pid)) {
      return std::unique_ptr<faulty_process>{new faulty_process{pid, shared}};
    }
    if (!wait_readable(arrivals.get(), until)) return nullptr;
    std::array<char, 4096> events;
    while (::read(arrivals.get(), events.data(), events.size()) > 0) {
    }
  }
}

faulty_process::faulty_process(pid_t pid, shim::fault_file* shared)
    : pid_{pid}, shared_{shared}, pidfd_{open_pidfd(pid)} {}

faulty_process::~faulty_process() { ::munmap(shared_, sizeof *shared_); }

void faulty_process::arm(shim::armed_word word) {
  // Prevents a forgotten fault from striking later: if it strikes, it does so before.
  if (!disarm() && !wait_for_stage(shim::striking, striking_time) && !ended()) {
    throw std::runtime_error{"process " + std::to_string(pid_) +
                             " has taken a fault, and does not strike: it cannot be replaced"};
  }
  shared_->struck.store(0);
  shared_->armed.store(word);
}

bool faulty_process::disarm() {
  shim::armed_word word = shared_->armed.load();
  do {
    if (shim::is_taken(word)) return false;
  } while (!shared_->armed.compare_exchange_weak(word, 0));
  return true;
}

bool faulty_process::wait_until_struck(deadline until) {
  return wait_for_stage(shim::striking, until);
}

bool faulty_process::wait_until_done(deadline until) {
  switch (shim::action_of(shared_->struck_fault.load())) {
    case shim::action::kill:
    case shim::action::crash:
      return !pidfd_ || wait_readable(pidfd_.get(), until);
    case shim::action::unreachable:
    case shim::action::fail:
      return wait_for_stage(shim::done, until);
    case shim::action::stop:
      break;
  }
  // Only a parent is told that a process has stopped.
  while (!stands_still(pid_)) {
    if (ended() || until.passed()) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

bool faulty_process::wait_for_stage(std::uint32_t wanted, deadline until) {
  for (;;) {
    const bool last_look = ended() || until.passed();
    const std::uint32_t now = shared_->struck.load();
    if (now >= wanted) return true;
    if (last_look) return false;
    const auto wait = std::min<std::chrono::nanoseconds>(
        std::max<std::chrono::nanoseconds>(until.when() - deadline::clock::now(), {}),
        end_look_interval);
    const timespec limit{.tv_sec = 0, .tv_nsec = wait.count()};
    ::syscall(SYS_futex, &shared_->struck, FUTEX_WAIT, now, &limit, nullptr, 0);
  }
}

bool faulty_process::superseded() const {
  if (!ended()) return false;
  const auto now = process_entry_of(pid_);
  return now && now->start_time != shared_->start_time;
}

bool faulty_process::ended() const {
  return !pidfd_ || wait_readable(pidfd_.get(), std::chrono::seconds{0});
}

}  // namespace graceful::testing
