// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/log.hpp"

#include <graceful/unique_fd.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <future>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

using graceful::log_level;
using graceful::unique_fd;

namespace {

/// Replaces standard error, and JOURNAL_STREAM, while it lives.
class captured_error {
 public:
  captured_error() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    read_end_.reset(ends[0]);
    const unique_fd write_end{ends[1]};
    before_.reset(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    ::dup2(write_end.get(), STDERR_FILENO);
  }
  captured_error(const captured_error&) = delete;
  captured_error& operator=(const captured_error&) = delete;
  ~captured_error() {
    ::dup2(before_.get(), STDERR_FILENO);
    ::unsetenv("JOURNAL_STREAM");
  }

  void is_the_journal() {
    struct stat status {};
    REQUIRE(::fstat(STDERR_FILENO, &status) == 0);
    const auto text = std::to_string(status.st_dev) + ':' + std::to_string(status.st_ino);
    ::setenv("JOURNAL_STREAM", text.c_str(), 1);
  }

  std::string text() {
    std::array<char, 4096> bytes{};
    const auto n = ::recv(read_end_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    return {bytes.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
  }

 private:
  unique_fd read_end_;
  unique_fd before_;
};

void say_all(graceful::log& log) {
  log.error("an error");
  log.warning("a warning");
  log.info("an info");
}

/// While it lives, standard error is a pipe of one page, for all processes that write to it.
class narrow_error {
 public:
  narrow_error() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
    read_end_.reset(ends[0]);
    const unique_fd write_end{ends[1]};
    REQUIRE(::fcntl(write_end.get(), F_SETFL, 0) == 0);  // like that of a shell
    ::fcntl(write_end.get(), F_SETPIPE_SZ, 4096);
    before_.reset(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    ::dup2(write_end.get(), STDERR_FILENO);
  }
  narrow_error(const narrow_error&) = delete;
  narrow_error& operator=(const narrow_error&) = delete;
  ~narrow_error() { ::dup2(before_.get(), STDERR_FILENO); }

  void empty() {
    std::array<char, 8192> bytes{};
    while (::read(read_end_.get(), bytes.data(), bytes.size()) > 0) {
    }
  }

 private:
  unique_fd read_end_;
  unique_fd before_;
};

/// Whether the kernel can write to a pipe without waiting: since Linux 6.4.
bool pipes_offer_it() {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const unique_fd read_end{ends[0]};
  const unique_fd write_end{ends[1]};
  char byte = 'x';
  const iovec one{.iov_base = &byte, .iov_len = 1};
  return ::pwritev2(write_end.get(), &one, 1, -1, RWF_NOWAIT) == 1;
}

/// What another process does after a poll(2) of this thread, and before its next call.
thread_local void (*meanwhile)() = nullptr;

}  // namespace

/// Replaces libc's.
extern "C" int poll(pollfd* entries, nfds_t count, int timeout) {
  const timespec time{.tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1'000'000L};
  const auto ready = static_cast<int>(
      ::syscall(SYS_ppoll, entries, count, timeout < 0 ? nullptr : &time, nullptr, 0));
  if (meanwhile != nullptr) meanwhile();
  return ready;
}

TEST_CASE("a line is dropped, without waiting, if another process took the room for it") {
  if (!pipes_offer_it()) return;
  narrow_error narrow;
  auto written = std::async(std::launch::async, [] {
    meanwhile = [] {
      const std::string page(4096, 'x');
      REQUIRE(::write(STDERR_FILENO, page.data(), page.size()) == 4096);
    };
    graceful::log log{{}};
    log.info("a line");
    meanwhile = nullptr;
  });
  CHECK(written.wait_for(std::chrono::seconds{10}) == std::future_status::ready);
  narrow.empty();
  written.wait();
}

TEST_CASE("on standard error each line names the process") {
  captured_error captured;
  graceful::log log{{}};
  say_all(log);
  const auto head = "graceful[" + std::to_string(::getpid()) + "]: ";
  CHECK(captured.text() == head + "an error\n" + head + "a warning\n" + head + "an info\n");
}

TEST_CASE("the journal gets a priority with each line, and knows by itself which process writes") {
  captured_error captured;
  captured.is_the_journal();
  graceful::log log{{}, log_level::info};
  say_all(log);
  CHECK(captured.text() == "<3>an error\n<4>a warning\n<6>an info\n");
}

TEST_CASE("a message cannot fake a line or a priority in the journal") {
  captured_error captured;
  captured.is_the_journal();
  graceful::log log{{}};
  log.info("it said: \n<0>panic");
  CHECK(captured.text() == "<6>it said: ?<0>panic\n");
}

TEST_CASE("the threshold applies to standard error and to a function") {
  captured_error captured;
  graceful::log quiet{{}, log_level::error};
  say_all(quiet);
  CHECK(captured.text() == "graceful[" + std::to_string(::getpid()) + "]: an error\n");
  std::string seen;
  const auto note = [&](log_level level, std::string_view text) {
    seen += std::to_string(static_cast<int>(level)) + ' ' + std::string{text} + "; ";
  };
  graceful::log hooked{note, log_level::warning};
  say_all(hooked);
  CHECK(seen == "0 an error; 1 a warning; ");
  seen.clear();
  graceful::log hooked_too{note, log_level::info};
  say_all(hooked_too);
  CHECK(seen == "0 an error; 1 a warning; 2 an info; ");
  CHECK(captured.text().empty());
}

TEST_CASE("a stream is the journal's if the variable names exactly that stream") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  const graceful::unique_fd one{ends[0]};
  const graceful::unique_fd other{ends[1]};
  struct stat status {};
  REQUIRE(::fstat(one.get(), &status) == 0);
  const auto device = std::to_string(status.st_dev);
  const auto inode = std::to_string(status.st_ino);
  CHECK(graceful::os::is_journal_stream(one.get(), device + ':' + inode));
  CHECK_FALSE(graceful::os::is_journal_stream(other.get(), device + ':' + inode));
  CHECK_FALSE(graceful::os::is_journal_stream(-1, device + ':' + inode));
  for (const std::string& wrong : {std::string{}, inode, device + ':', ':' + inode,
                                   inode + ':' + device, device + ':' + inode + '0'}) {
    CAPTURE(wrong);
    CHECK_FALSE(graceful::os::is_journal_stream(one.get(), wrong));
  }
}
