// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/peer.hpp"

#include "os/channel.hpp"
#include "os/child.hpp"
#include "os/shell.hpp"

#include "ordinary_user.hpp"
#include "patience.hpp"
#include "possible.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace os = graceful::os;
using graceful_test::shell;

namespace {

/// A process that has already become `sleep`.
struct waiting_process {
  explicit waiting_process(const std::string& before)
      : child{os::child::spawn(shell("exec " + before + " sleep 1000")).value()} {
    for (const auto until = os::after(graceful_test::patience);
         std::chrono::steady_clock::now() < until; ::poll(nullptr, 0, 2)) {
      std::string name;
      std::ifstream{"/proc/" + std::to_string(child.pid()) + "/comm"} >> name;
      if (name == "sleep") return;
    }
    FAIL("it does not come to wait");
  }
  ~waiting_process() {
    child.kill();
    (void)child.wait(std::chrono::seconds{10});
  }
  [[nodiscard]] bool has_rights(uid_t user = ::geteuid()) const {
    return os::has_rights_of_this({child.pid(), user, user}, child.pidfd());
  }
  os::child child;
};

}  // namespace

TEST_CASE(
    "a process has the rights of this one if it has all its capabilities, and the same user") {
  if (::geteuid() != 0) {
    CHECK(os::has_rights_of_this({0, ::geteuid(), ::getegid()}, -1));  // this process has no
                                                                       // capabilities
    return;
  }
  CHECK(waiting_process{""}.has_rights());
  CHECK_FALSE(waiting_process{"setpriv --bounding-set=-kill"}.has_rights());
  CHECK_FALSE(waiting_process{"setpriv --reuid=65533 --clear-groups"}.has_rights(65'533));
  // It belonged to another user when it connected.
  CHECK_FALSE(waiting_process{""}.has_rights(65'533));
  // All capabilities in a namespace count for nothing outside of it. In a chroot none can be made.
  if (!graceful_test::is_possible(
          std::system("unshare --user --map-root-user true 2>/dev/null") == 0,
          "user namespaces cannot be made here")) {
    return;
  }
  CHECK_FALSE(
      waiting_process{"setpriv --bounding-set=-kill unshare --user --map-root-user"}.has_rights());
}

TEST_CASE("a process that cannot be seen, or has ended, does not have the rights of this process") {
  if (::geteuid() != 0) return;
  CHECK_FALSE(os::has_rights_of_this({0, 0, 0}, -1));
  waiting_process one{""};
  CHECK_FALSE(os::has_rights_of_this({one.child.pid(), 0, 0}, -1));
  auto gone = os::child::spawn(shell("exit 0")).value();
  (void)gone.wait(std::chrono::seconds{10});
  CHECK_FALSE(os::has_rights_of_this({one.child.pid(), 0, 0}, gone.pidfd()));
}

TEST_CASE("the pidfd of a socket's peer can be had, and tells whether it has ended") {
  int ends[2]{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const graceful::unique_fd one{ends[0]};
  const graceful::unique_fd other{ends[1]};
  const auto self = os::peer_pidfd(one.get());
  CHECK(self);
  CHECK_FALSE(os::wait_readable(self.get(), os::after({})));
}

TEST_CASE("the peer of a Unix socket is the process that made it, and other files have none") {
  int ends[2]{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const graceful::unique_fd one{ends[0]};
  const graceful::unique_fd other{ends[1]};
  const auto self = os::peer::of(one.get());
  REQUIRE(self);
  CHECK(self->pid == ::getpid());
  CHECK(self->uid == ::geteuid());
  CHECK(self->gid == ::getegid());
  CHECK_FALSE(os::peer_has_ended(one.get()));
  CHECK_FALSE(os::peer::of(-1));
}

TEST_CASE("the same user and root are trusted; root takes orders from others, and only orders") {
  const auto other = ::geteuid() + 1;
  CHECK(os::peer{1, ::geteuid(), ::getegid()}.trusted());
  CHECK(os::peer{1, 0, 0}.trusted());
  CHECK_FALSE(os::peer{1, other, ::getegid()}.trusted());
  CHECK(os::peer{1, other, ::getegid()}.trusted(os::trust::operators) == (::geteuid() == 0));
}
