// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/faulty_process.hpp"

#include "temporary_directory.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace graceful::testing;
using namespace std::chrono_literals;
using graceful_test::temporary_directory;

namespace {

constexpr shim::armed_word word = shim::parse_fault("kill before call mkdir 1");

/// This process, as if it had loaded the shim.
struct own_file {
  explicit own_file(off_t size = sizeof(shim::fault_file)) {
    const graceful::unique_fd fd{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    REQUIRE(::ftruncate(fd.get(), size) == 0);
    if (size < static_cast<off_t>(sizeof(shim::fault_file))) return;
    void* at = ::mmap(nullptr, sizeof *file, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    REQUIRE(at != MAP_FAILED);
    file = static_cast<shim::fault_file*>(at);
    file->magic = shim::file_magic;
    file->start_time = process_entry_of(::getpid()).value().start_time;
    file->pid = ::getpid();
  }
  own_file(const own_file&) = delete;
  own_file& operator=(const own_file&) = delete;
  ~own_file() {
    if (file != nullptr) ::munmap(file, sizeof *file);
  }
  [[nodiscard]] auto found() const {
    return faulty_process::wait_for(directory.path(), ::getpid(), 0s);
  }

  temporary_directory directory;
  std::string path = directory.path(std::to_string(::getpid()));
  shim::fault_file* file = nullptr;
};

}  // namespace

TEST_CASE("a fault whose time has come, but which has not been reported yet, cannot be disarmed") {
  const own_file own;
  const auto process = own.found();
  REQUIRE(process);
  process->arm(word);
  CHECK(process->disarm());
  CHECK(own.file->armed == 0);
  process->arm(word);
  own.file->armed = shim::taken(word);  // as the shim does before it strikes
  CHECK_FALSE(process->disarm());
  CHECK_FALSE(process->disarm());
  own.file->struck = shim::striking;
  CHECK_FALSE(process->disarm());
}

TEST_CASE("a fault is not armed before the taken one has struck, for which it would pass") {
  const own_file own;
  const auto process = own.found();
  REQUIRE(process);
  own.file->armed = shim::taken(word);
  std::uint32_t armed_too_early = 0;
  std::jthread striker{[&] {
    const deadline until{100ms};
    while (!until.passed()) armed_too_early |= own.file->armed == word ? 1U : 0U;
    own.file->struck = shim::striking;
  }};
  process->arm(word);
  striker.join();
  CHECK(armed_too_early == 0);
  CHECK(own.file->armed == word);
  CHECK(own.file->struck == 0);
}

TEST_CASE("a fault file belongs to the process that has the pid now, or to none") {
  const own_file own;
  ++own.file->start_time;
  CHECK(own.found() == nullptr);
}

TEST_CASE("a fault file of another version of the shim is refused") {
  const own_file shorter{4096};
  CHECK_THROWS_AS((void)shorter.found(), std::runtime_error);
  const own_file older;
  --older.file->magic;
  CHECK_THROWS_AS((void)older.found(), std::runtime_error);
}
