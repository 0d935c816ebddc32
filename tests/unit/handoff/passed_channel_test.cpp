// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/passed_channel.hpp"

#include "os/channel.hpp"

#include "patience.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace graceful_test;
using graceful::unique_fd;
namespace os = graceful::os;

namespace {

/// The environment of a successor, and the end that it was passed.
struct passed_to_successor {
  explicit passed_to_successor(const std::string& path, const std::string& token = "t0ken") {
    pair = graceful::channel_pair::make();
    REQUIRE(pair.theirs);
    os::start_command command;
    graceful::announce_channel(command, token, pair.theirs.get(), pair.theirs, path);
    for (const auto& variable : command.environment) {
      const auto at = variable.find('=');
      ::setenv(variable.substr(0, at).c_str(), variable.substr(at + 1).c_str(), 1);
    }
  }
  ~passed_to_successor() {
    for (const char* name : {"GRACEFUL_UPGRADE", "GRACEFUL_CHANNEL", "GRACEFUL_CONTROL_PATH"}) {
      ::unsetenv(name);
    }
  }

  /// What the successor takes, and then owns.
  unique_fd take(const std::string& path, const std::string& token = "t0ken") {
    auto taken = graceful::take_channel(start, token, path);
    if (taken) (void)pair.theirs.release();
    return taken;
  }

  graceful::channel_pair pair;
  os::start_command start;
};

graceful::options named(const std::string& name) {
  graceful::options opts;
  opts.name = name;
  return opts;
}

graceful::options at(const std::string& path) {
  graceful::options opts;
  opts.control_path = path;
  return opts;
}

}  // namespace

TEST_CASE("a channel is taken once, close-on-exec, and its variables with it") {
  passed_to_successor p{"/run/x.sock"};
  const auto taken = p.take("/run/x.sock");
  REQUIRE(taken);
  CHECK((::fcntl(taken.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(std::getenv("GRACEFUL_CHANNEL") == nullptr);
  CHECK(std::getenv("GRACEFUL_CONTROL_PATH") == nullptr);
  CHECK_FALSE(p.take("/run/x.sock"));
}

TEST_CASE("the sender of each message on a channel is known") {
  passed_to_successor p{"/run/x.sock"};
  REQUIRE(os::send_now(p.pair.theirs.get(), "x").bytes == 1);
  os::inbox box;
  REQUIRE(os::receive_now(p.pair.ours.get(), box).bytes == 1);
  REQUIRE(box.sender);
  CHECK(box.sender->pid == ::getpid());
  CHECK(box.sender->uid == ::getuid());
}

TEST_CASE("a channel is not taken if anything about it is wrong") {
  passed_to_successor p{"/run/x.sock"};
  SUBCASE("another upgrade's token") { CHECK_FALSE(p.take("/run/x.sock", "other")); }
  SUBCASE("no token") { CHECK_FALSE(p.take("/run/x.sock", "")); }
  SUBCASE("another server's control path") { CHECK_FALSE(p.take("/run/y.sock")); }
  SUBCASE("another file has the number") {
    ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), p.pair.theirs.get());
    CHECK_FALSE(p.take("/run/x.sock"));
  }
  SUBCASE("another socket has the number") {
    const auto other = graceful::channel_pair::make();
    ::dup2(other.ours.get(), p.pair.theirs.get());
    CHECK_FALSE(p.take("/run/x.sock"));
  }
  SUBCASE("it is closed") {
    p.pair.theirs.reset();
    CHECK_FALSE(p.take("/run/x.sock"));
  }
  SUBCASE("the text has another form") {
    for (const char* text : {"t0ken", "t0ken:", "t0ken:x:1", "t0ken:3", "t0ken:3:", "t0ken:0:1",
                             "t0ken:-1:0", "t0ken:3:1:1", ":3:1"}) {
      ::setenv("GRACEFUL_CHANNEL", text, 1);
      ::setenv("GRACEFUL_CONTROL_PATH", "/run/x.sock", 1);
      CAPTURE(text);
      CHECK_FALSE(p.take("/run/x.sock"));
    }
  }
}

TEST_CASE("the passed path counts for the same server, wherever that would look by itself") {
  passed_to_successor p{"/run/graceful/web.sock"};
  CHECK(graceful::passed_control_path(named("web")) == "/run/graceful/web.sock");
  CHECK(graceful::passed_control_path(at("/run/graceful/web.sock")) == "/run/graceful/web.sock");
  CHECK(graceful::passed_control_path(at("/run/./graceful/web.sock")) == "/run/graceful/web.sock");
  CHECK_FALSE(graceful::passed_control_path(named("other")));
  CHECK_FALSE(graceful::passed_control_path(at("/tmp/web.sock")));
  ::setenv("GRACEFUL_UPGRADE", "another", 1);
  CHECK_FALSE(graceful::passed_control_path(named("web")));
  ::unsetenv("GRACEFUL_UPGRADE");
  CHECK_FALSE(graceful::passed_control_path(named("web")));
}
