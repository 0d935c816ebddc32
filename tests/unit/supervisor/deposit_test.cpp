// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/deposit.hpp"

#include <graceful/testing/deadline.hpp>

#include "os/channel.hpp"
#include "os/child.hpp"
#include "os/service_manager.hpp"

#include "lingering_socket.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace graceful;
using namespace std::string_literals;

namespace {

struct deposit_fixture {
  graceful_test::temporary_directory directory;
  std::string path = directory.path("notify");
  unique_fd bound = os::bind_notify(path).value();
  unique_fd socket;
  os::service_manager manager = os::service_manager::at(path).value();
  std::string logged;
  graceful::log log{[this](log_level, std::string_view text) { logged.append(text) += '\n'; },
                    log_level::info};
  boost::asio::io_context context;
  std::vector<std::string> heard;
  deposit kept{context, log, {.heard = [this](const speaker&, const supervision::notification& n) {
                 heard.push_back(n.status.value_or(""));
               }}};

  explicit deposit_fixture(unique_fd other = {})
      : socket{other ? std::move(other) : std::move(bound)} {
    kept.start(socket.get());
  }

  void say(const std::string& text, const std::vector<int>& descriptors = {}) {
    REQUIRE(manager.notify(text, descriptors).has_value());
    kept.read();
  }

  [[nodiscard]] bool noted(std::string_view text) const { return logged.find(text) != logged.npos; }
};

unique_fd some_file() { return unique_fd{::eventfd(0, EFD_CLOEXEC)}; }

}  // namespace

TEST_CASE("a stored descriptor is kept until it is removed, and passed by its name") {
  deposit_fixture b;
  const auto file = some_file();
  b.say("FDSTORE=1\nFDNAME=http\nSTATUS=x", {file.get()});
  CHECK(b.heard == std::vector<std::string>{"x"});
  CHECK(b.noted("keeps http"));
  REQUIRE(b.kept.for_start().size() == 1);
  CHECK(b.kept.for_start().front().name == "http");
  b.say("FDSTOREREMOVE=1\nFDNAME=other");
  CHECK(b.kept.items().size() == 1);
  b.say("FDSTOREREMOVE=1\nFDNAME=http");
  CHECK(b.kept.items().empty());
}

TEST_CASE("a file is kept once under a name, and several files may have the same name") {
  deposit_fixture b;
  const auto one = some_file();
  const auto other = some_file();  // of the same inode
  b.say("FDSTORE=1\nFDNAME=a", {one.get()});
  b.say("FDSTORE=1\nFDNAME=a", {one.get()});
  CHECK(b.kept.items().size() == 1);
  b.say("FDSTORE=1\nFDNAME=a", {other.get()});
  CHECK(b.kept.items().size() == 2);
  b.say("FDSTORE=1\nFDNAME=b", {one.get()});
  CHECK(b.kept.items().size() == 3);
  b.say("FDSTOREREMOVE=1\nFDNAME=a");
  REQUIRE(b.kept.items().size() == 1);
  CHECK(b.kept.items().front().name == "b");
}

TEST_CASE("after a release nothing is kept until another process starts") {
  deposit_fixture b;
  const auto file = some_file();
  b.say("FDSTORE=1\nFDNAME=a", {file.get()});
  b.kept.release();
  CHECK(b.kept.items().empty());
  b.say("FDSTORE=1\nFDNAME=a", {file.get()});
  CHECK(b.kept.items().empty());
  CHECK(b.kept.for_start().empty());
  b.say("FDSTORE=1\nFDNAME=a", {file.get()});
  CHECK(b.kept.items().size() == 1);
}

TEST_CASE("after a release descriptors can be kept again, if there is a server after all") {
  deposit_fixture b;
  const auto file = some_file();
  b.kept.release();
  b.say("FDSTORE=1\nFDNAME=a", {file.get()});
  CHECK(b.kept.items().empty());
  b.kept.keep_again();
  b.say("FDSTORE=1\nFDNAME=a", {file.get()});
  CHECK(b.kept.items().size() == 1);
}

TEST_CASE("a message that is not text is ignored, and its descriptors are closed") {
  deposit_fixture b;
  const auto file = some_file();
  b.say("FDSTORE=1\nSTATUS=\xff", {file.get()});
  b.say(std::string(supervision::max_notification + 1, 'x'));
  CHECK(b.heard.empty());
  CHECK(b.kept.items().empty());
  CHECK(b.noted("it is too long, or not text"));
}

TEST_CASE("beyond the limit nothing is kept, and that is logged once") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit low{.rlim_cur = 128 + 2, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  {
    deposit_fixture b;
    CHECK(b.kept.limit() == 2);
    std::vector<unique_fd> files;
    for (const char* name : {"a", "b", "c", "d"}) {
      files.push_back(some_file());
      b.say("FDSTORE=1\nFDNAME="s + name, {files.back().get()});
    }
    CHECK(b.kept.items().size() == 2);
    CHECK(b.heard.size() == 4);
    CHECK(b.noted("cannot keep c or anything after it: the limit of 2 is reached"));
    CHECK_FALSE(b.noted("cannot keep d"));
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_CASE("stored descriptors can be passed, however long their names; the rest is refused, once") {
  deposit_fixture b;
  const auto file = some_file();
  for (int i = 100; i < 800; ++i) {
    b.say("FDSTORE=1\nFDNAME=" + std::to_string(i) + std::string(250, 'x'), {file.get()});
  }
  const auto all = b.kept.for_start();
  CHECK(all.size() == os::longest_socket_names / 254);
  CHECK(b.noted("cannot keep 615xx"));
  CHECK(b.noted("give the listeners shorter names"));
  CHECK_FALSE(b.noted("cannot keep 616"));
  os::start_command command{
      .file = "/bin/true", .arguments = {"true"}, .environment = {}, .directory = "/"};
  auto started = os::child::spawn(command, os::placement::child, all);
  REQUIRE(started.has_value());
  REQUIRE(graceful::testing::wait_readable(started->pidfd(), std::chrono::seconds{20}));
  CHECK(started->reap().has_value());
}

TEST_CASE("a descriptor that closes slowly delays nobody, whether it was kept or not") {
  graceful_test::lingering_socket barrier;
  graceful_test::lingering_socket nested;
  graceful_test::lingering_socket unwanted;
  graceful_test::lingering_socket kept;
  graceful_test::lingering_socket left;
  const auto taken = graceful_test::duration_of([&] {
    deposit_fixture b;
    // The test's own close(2) must not be the last: each is closed only after the message has been
    // read.
    const auto only = [&](const std::string& text, unique_fd fd) {
      REQUIRE(b.manager.notify(text, {fd.get()}).has_value());
      fd.reset();
      b.kept.read();
    };
    only("BARRIER=1", barrier.release());
    only("BARRIER=1", nested.release_nested());
    only("STATUS=\xff", unwanted.release());
    only("FDSTORE=1\nFDNAME=a", kept.release());
    only("FDSTORE=1\nFDNAME=b", left.release());
    CHECK(b.kept.items().size() == 2);
    b.say("FDSTOREREMOVE=1\nFDNAME=a");
    CHECK(b.kept.items().size() == 1);
  });
  CHECK(taken < graceful_test::lingering_socket::no_wait);
}

TEST_CASE("a deposit that moves to another socket has read the messages on the old one") {
  deposit_fixture b;
  REQUIRE(b.manager.notify("STATUS=before").has_value());
  const auto next = os::bind_notify(b.path).value();
  b.kept.move_to(next.get());
  b.socket.reset();
  CHECK(b.heard == std::vector<std::string>{"before"});
  REQUIRE(b.manager.notify("STATUS=after").has_value());
  b.context.poll();
  CHECK(b.heard == std::vector<std::string>{"before", "after"});
}

TEST_CASE("messages of another user are ignored") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: an ordinary user cannot become another");
    return;
  }
  // A pair that the other user inherits: the path of a real socket is closed to it.
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  deposit_fixture b{unique_fd{ends[0]}};
  constexpr int on = 1;
  REQUIRE(::setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
  const unique_fd theirs{ends[1]};
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::_exit(::setuid(65'534) == 0 && ::send(theirs.get(), "STATUS=mine", 11, 0) == 11 ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  b.kept.read();
  CHECK(b.heard.empty());
  CHECK(b.noted("ignored a notification from user 65534"));
}
