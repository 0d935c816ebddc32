// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/shim/own_file.hpp"

#include "testing/shim/real.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace graceful::testing::shim {
namespace {

enum class stage : std::uint8_t { unattached, attaching, attached, off };

constinit std::atomic<stage> current{stage::unattached};
constinit std::atomic<fault_file*> file{nullptr};

using path = std::array<char, 4096>;

path path_in(const char* directory, const char* suffix) {
  path made{};
  const int length = std::snprintf(made.data(), made.size(), "%s/%d%s", directory,
                                   static_cast<int>(::getpid()), suffix);
  // The path is then empty, and nothing is found there.
  if (length < 0 || static_cast<std::size_t>(length) >= made.size()) made[0] = '\0';
  return made;
}

/// Removes a variable from the environment, without the lock and the memory that unsetenv(3) needs.
const char* take_variable(const char* name) {
  const std::size_t length = std::strlen(name);
  for (char** at = ::environ; at != nullptr && *at != nullptr; ++at) {
    if (std::strncmp(*at, name, length) != 0 || (*at)[length] != '=') continue;
    const char* value = *at + length + 1;
    for (char** next = at; *next != nullptr; ++next) *next = *(next + 1);
    return value;
  }
  return nullptr;
}

/// Replaces getenv(3), because the environment of a program that is being loaded may not be set up
/// yet.
const char* variable(const char* name) {
  const std::size_t length = std::strlen(name);
  for (char** at = ::environ; at != nullptr && *at != nullptr; ++at) {
    if (std::strncmp(*at, name, length) == 0 && (*at)[length] == '=') return *at + length + 1;
  }
  return nullptr;
}

/// The 22nd field; the second may contain anything, but ends with the last ')'.
std::uint64_t own_start_time() {
  std::array<char, 1024> text{};
  const int fd = real_open("/proc/self/stat", O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return 0;
  const ssize_t size = real_read(fd, text.data(), text.size() - 1);
  real_close(fd);
  if (size <= 0) return 0;
  const char* at = std::strrchr(text.data(), ')');
  for (int field = 2; at != nullptr && field < 22; ++field) at = std::strchr(at + 1, ' ');
  std::uint64_t value = 0;
  for (at = at == nullptr ? "" : at + 1; *at >= '0' && *at <= '9'; ++at) {
    value = value * 10 + static_cast<std::uint64_t>(*at - '0');
  }
  return value;
}

fault_file* map(int fd) {
  void* at = ::mmap(nullptr, sizeof(fault_file), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return at == MAP_FAILED ? nullptr : static_cast<fault_file*>(at);
}

/// Finds the file of an earlier program of this same process.
fault_file* find(const path& name, std::uint64_t start_time) {
  const int fd = real_open(name.data(), O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
  if (fd < 0) return nullptr;
  struct stat status {};
  const bool whole =
      real_fstat(fd, &status) == 0 && status.st_size == static_cast<off_t>(sizeof(fault_file));
  fault_file* found = whole ? map(fd) : nullptr;
  real_close(fd);
  if (found != nullptr && (found->magic != file_magic || found->start_time != start_time)) {
    ::munmap(found, sizeof *found);
    found = nullptr;
  }
  return found;
}

/// The file gets its name when it is complete: a process that sees it can use it.
fault_file* make(const char* directory, std::uint64_t start_time, armed_word armed) {
  const path name = path_in(directory, "");
  const path unfinished = path_in(directory, ".new");
  // An earlier process with this pid may have left one; a link with that name is not followed.
  real_unlink(unfinished.data());
  const int fd =
      real_open(unfinished.data(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return nullptr;
  fault_file* made = real_ftruncate(fd, sizeof(fault_file)) == 0 ? map(fd) : nullptr;
  real_close(fd);
  if (made == nullptr) return nullptr;
  made->magic = file_magic;
  made->start_time = start_time;
  made->pid = ::getpid();
  made->armed.store(armed);
  if (real_rename(unfinished.data(), name.data()) != 0) return nullptr;
  return made;
}

armed_word fault_from_environment() {
  const char* text = take_variable(fault_variable);
  if (text == nullptr) return 0;
  const armed_word armed = parse_fault(text);
  if (armed == 0) {
    // A test that relies on a fault which cannot strike would prove nothing.
    std::array<char, 512> message{};
    const int length = std::snprintf(
        message.data(), message.size(),
        "graceful-testing-shim: %s=%.200s is no fault; e.g. \"kill before call accept4 "
        "3\" or \"stop after step ready 1\"\n",
        fault_variable, text);
    (void)!real_write(2, message.data(), static_cast<std::size_t>(length));
    real<void(int)>(symbol::_exit)(127);
  }
  return armed;
}

void attach(bool forked) {
  const int error = errno;
  const armed_word armed = forked ? 0 : fault_from_environment();
  const char* directory = variable(directory_variable);
  fault_file* own = nullptr;
  if (directory != nullptr) {
    const auto start_time = own_start_time();
    own = forked ? nullptr : find(path_in(directory, ""), start_time);
    if (own != nullptr && armed != 0) {
      own->struck.store(0);
      own->armed.store(armed);
    }
    if (own == nullptr) own = make(directory, start_time, armed);
  }
  file.store(own, std::memory_order_release);
  current.store(own == nullptr ? stage::off : stage::attached, std::memory_order_release);
  errno = error;
}

/// Runs before the program's own constructors, unless a call came first.
__attribute__((constructor)) void on_load() {
  resolve_all();
  own_file();
}

}  // namespace

fault_file* own_file() {
  stage now = current.load(std::memory_order_acquire);
  // Calls that sanitizers make before libc is set up are not counted: nothing is known yet.
  if (now == stage::off || ::environ == nullptr) return nullptr;
  if (now == stage::unattached && current.compare_exchange_strong(now, stage::attaching)) {
    attach(false);
  }
  fault_file* own = file.load(std::memory_order_acquire);
  return own != nullptr && own->pid == ::getpid() ? own : nullptr;
}

void attach_again() {
  if (current.load() == stage::off) return;
  if (fault_file* inherited = file.exchange(nullptr)) ::munmap(inherited, sizeof *inherited);
  attach(true);
}

}  // namespace graceful::testing::shim
