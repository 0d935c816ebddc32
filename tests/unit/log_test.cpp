// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "log.hpp"

#include <graceful/unique_fd.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using graceful::log_level;
using graceful::unique_fd;

namespace {

/// Stands in for standard error, and for JOURNAL_STREAM, while it lives.
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

}  // namespace

TEST_CASE("standard error says who writes") {
  captured_error captured;
  graceful::log log{{}};
  say_all(log);
  const auto head = "graceful[" + std::to_string(::getpid()) + "]: ";
  CHECK(captured.text() == head + "an error\n" + head + "a warning\n" + head + "an info\n");
}

TEST_CASE("the journal gets a priority with each line, and knows itself who writes") {
  captured_error captured;
  captured.is_the_journal();
  graceful::log log{{}, log_level::info};
  say_all(log);
  CHECK(captured.text() == "<3>an error\n<4>a warning\n<6>an info\n");
}

TEST_CASE("nobody fakes a line or a priority in the journal") {
  captured_error captured;
  captured.is_the_journal();
  graceful::log log{{}};
  log.info("it said: \n<0>panic");
  CHECK(captured.text() == "<6>it said: ?<0>panic\n");
}

TEST_CASE("the threshold holds for standard error and for a function") {
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
