// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// Servers and operators in user namespaces of their own, where a user without a number there looks
// like any other without one.
#include "possible.hpp"
#include "server_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

using namespace graceful_test;

namespace {

constexpr uid_t its_user = 65'533;
constexpr uid_t other_user = 65'532;

const std::vector<std::string> in_no_map{"/usr/bin/unshare", "--user", "--"};
const std::vector<std::string> as_its_root{"/usr/bin/unshare", "--user", "--map-root-user", "--"};

/// A server of `its_user`, after `prefix`, and processes of other users.
struct two_namespaces {
  explicit two_namespaces(const std::vector<std::string>& prefix) {
    if (!others_can_run(programs::http_server()) ||
        !is_possible(
            run(where, joined(as_its_root, {"/bin/true"}), {.user = its_user}).status == "exited 0",
            "user namespaces cannot be made here")) {
      return;
    }
    const auto directory = where.path("own");
    REQUIRE(::mkdir(directory.c_str(), 0755) == 0);
    REQUIRE(::chown(directory.c_str(), its_user, its_user) == 0);
    server = &where.start(joined(prefix, http_command(control)), {.user = its_user});
    REQUIRE_MESSAGE(server->wait_for_output("ready: generation 1 ", patience), server->output());
    // So that the mode of the socket does not decide.
    REQUIRE(::chmod(control.c_str(), 0666) == 0);
  }

  finished ctl(const std::string& command, uid_t user,
               const std::vector<std::string>& prefix = {}) {
    return run(where, joined(prefix, {programs::graceful_ctl(), command, control}), {.user = user});
  }

  scene where;
  std::string control = where.path("own/control.sock");
  process* server = nullptr;
};

}  // namespace

TEST_CASE(
    "an operator in a user namespace does not trust a server of a user without a number there") {
  two_namespaces t{{}};
  if (t.server == nullptr) return;
  for (const auto& prefix : {in_no_map, as_its_root}) {
    const auto refused = t.ctl("status", other_user, prefix);
    CHECK_MESSAGE(refused.status == "exited 4", refused.all);
    CHECK_MESSAGE(contains(refused.all, "runs as another user"), refused.all);
  }
  CHECK(t.ctl("status", its_user, as_its_root).status == "exited 0");
}

TEST_CASE("a server in a user namespace obeys its own user, also from outside, and no other") {
  two_namespaces t{as_its_root};
  if (t.server == nullptr) return;
  CHECK(t.ctl("upgrade", other_user).status == "exited 4");
  // Root of the host is not one of its users, but can become the server's user.
  const auto root = t.ctl("upgrade", 0);
  CHECK_MESSAGE(root.status == "exited 4", root.all);
  CHECK(t.server->wait_for_output("has no number in this user namespace", patience));
  const auto done = t.ctl("upgrade", its_user);
  CHECK_MESSAGE(done.status == "exited 0", done.all);
  CHECK(t.server->wait_for_output("ready: generation 2 ", patience));
}
