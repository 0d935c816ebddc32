// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/reexec.hpp"

#include "os/control_path.hpp"
#include "os/shell.hpp"

#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace graceful_test;
using graceful::errc;
using graceful::take_legacy;
using graceful::unique_fd;
namespace os = graceful::os;
namespace supervision = graceful::supervision;

namespace {

unique_fd descriptor() { return unique_fd{::eventfd(0, EFD_CLOEXEC)}; }

bool is_inherited(const unique_fd& fd) { return ::fcntl(fd.get(), F_GETFD) == 0; }

/// What a supervisor has, and leaves to its next program.
struct estate {
  [[nodiscard]] graceful::bequest all() const {
    return {.memory = memory,
            .started = started,
            .signals = signals,
            .open = {.lock = lock.get(), .control = control.get(), .notify = notify.get()},
            .sockets = {{.name = "web", .fd = socket.get()}},
            .caller = caller.get()};
  }

  supervision::memory memory{.main = 4711, .status = "generation 2 serves", .restarts = 3};
  supervision::time started{std::chrono::seconds{12}};
  os::signal_setup signals;
  unique_fd lock = descriptor();
  unique_fd control = descriptor();
  unique_fd notify = descriptor();
  unique_fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  unique_fd caller = descriptor();
};

/// How the next program is started: its environment names the note.
os::start_command started_with(const std::string& note) {
  ::setenv("GRACEFUL_REEXEC", note.c_str(), 1);
  return {.file = "/bin/true",
          .arguments = {"true"},
          .environment = {"GRACEFUL_REEXEC=" + note},
          .directory = "/"};
}

os::start_command with_note(std::string_view text) {
  const int note = ::memfd_create("note", MFD_CLOEXEC);
  REQUIRE(::write(note, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  REQUIRE(::lseek(note, 0, SEEK_SET) == 0);
  return started_with(std::to_string(note));
}

}  // namespace

TEST_CASE("a program that does not start is not executed, and this one goes on with all it has") {
  const estate left;
  const auto why = graceful::execute_again(shell("exit 3"), left.all());
  CHECK(why.code == errc::upgrade_failed);
  CHECK(why.message.find("in a trial it exited with status 3") != why.message.npos);
  for (const auto* fd : {&left.lock, &left.control, &left.notify, &left.socket, &left.caller}) {
    CHECK_FALSE(is_inherited(*fd));
  }
}

TEST_CASE("a program that cannot be executed is named in the error") {
  const estate left;
  const auto why = graceful::execute_again(
      {.file = "/no/such", .arguments = {"x"}, .environment = {}, .directory = "/"}, left.all());
  CHECK(why.message.find("/no/such") != why.message.npos);
}

TEST_CASE("what one program leaves, the next one gets") {
  const temporary_directory directory;
  const auto copy = directory.path("note");
  estate left;
  ::sigaddset(&left.signals.blocked, SIGUSR1);
  ::sigaddset(&left.signals.ignored, SIGPIPE);
  const auto file_of_socket = os::identify(left.socket.get());
  const pid_t process = ::fork();  // the other program goes on in it
  REQUIRE(process >= 0);
  if (process == 0) {
    // In the trial it empties the note, as a program does that can read it.
    (void)graceful::execute_again(shell("note=/proc/$$/fd/$GRACEFUL_REEXEC\n"
                                        "case $(cat $note) in\n"
                                        "*'\"trial\":true'*) : >$note ;;\n"
                                        "*) cat $note >" +
                                        copy +
                                        " ;;\n"
                                        "esac"),
                                  left.all());
    ::_exit(1);
  }
  int status = 0;
  REQUIRE(::waitpid(process, &status, 0) == process);
  REQUIRE(status == 0);

  auto command = with_note(content(copy));
  const auto got = take_legacy(command).value();
  for (auto* taken : {&left.lock, &left.control, &left.notify, &left.socket, &left.caller}) {
    (void)taken->release();
  }
  REQUIRE(got);
  CHECK(command.environment.empty());
  CHECK(got->memory.main == 4711);
  CHECK(got->memory.status == "generation 2 serves");
  CHECK(got->memory.restarts == 3);
  CHECK(got->started == left.started);
  CHECK(::sigismember(&got->signals.blocked, SIGUSR1) == 1);
  CHECK(::sigismember(&got->signals.ignored, SIGPIPE) == 1);
  CHECK(::sigismember(&got->signals.blocked, SIGPIPE) == 0);
  CHECK((got->open.lock && got->open.control && got->open.notify && got->caller));
  CHECK_FALSE(is_inherited(got->open.lock));
  REQUIRE(got->sockets.size() == 1);
  CHECK(got->sockets.front().name == "web");
  CHECK(os::identify(got->sockets.front().fd.get()) == file_of_socket);
}

TEST_CASE("a program that was started as usual has no legacy") {
  auto command = shell("");
  CHECK_FALSE(take_legacy(command).value());
}

TEST_CASE("a note that cannot be read, and one whose sockets are not open, are told apart") {
  for (const char* text : {"", "{}", "[1]", R"({"memory":7})"}) {
    auto command = with_note(text);
    CHECK(take_legacy(command).error().code == errc::protocol_violation);
  }
  auto no_file = started_with("99999");
  CHECK(take_legacy(no_file).error().code == errc::protocol_violation);
  auto lost = with_note(R"({"memory":{},"lock":99997,"control":99998,"notify":99999})");
  CHECK(take_legacy(lost).error().code == errc::descriptors_lost);
}
