// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// A server and graceful-ctl of one user find the same control path, whatever they are executed
// with.
#include "kit_servers.hpp"
#include "possible.hpp"
#include "server_fixture.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

using namespace graceful_test;
namespace fs = std::filesystem;

namespace {

constexpr uid_t ordinary_user = 65534;
constexpr uid_t stranger = 65533;

/// Copies of the program with several kinds of rights, and directories of several users.
struct room {
  room() {
    REQUIRE(::chmod(where.directory().c_str(), 0711) == 0);
    for (const char* name : {"plain", "capable", "setuid"}) {
      fs::copy_file(from_build("DEFAULT_PATH"), where.path(name));
      REQUIRE(::chmod(where.path(name).c_str(), 0755) == 0);
    }
    for (const auto& [name, owner] :
         {std::pair{"own", ordinary_user}, std::pair{"foreign", stranger}}) {
      fs::create_directory(where.path(name));
      REQUIRE(::chown(where.path(name).c_str(), owner, owner) == 0);
    }
  }

  /// As setcap(8) does it: CAP_NET_BIND_SERVICE, permitted and effective.
  [[nodiscard]] bool grant() const {
    vfs_cap_data capabilities{};
    capabilities.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE;
    capabilities.data[0].permitted = 1U << CAP_NET_BIND_SERVICE;
    return ::setxattr(where.path("capable").c_str(), "security.capability", &capabilities,
                      XATTR_CAPS_SZ_2, 0) == 0;
  }

  std::string says(const char* program, const std::string& runtime, uid_t user = ordinary_user) {
    process_options options{.user = user};
    options.environment["XDG_RUNTIME_DIR"] = runtime;
    return run(where, {where.path(program)}, options).out;
  }

  scene where;
};

}  // namespace

TEST_CASE("XDG_RUNTIME_DIR counts if it is a directory of the user, with or without capabilities") {
  if (!others_can_run(from_build("DEFAULT_PATH"))) return;
  room r;
  const auto own = r.where.path("own/graceful/web.sock");
  const std::string last = "/tmp/graceful-65534/web.sock";
  const auto foreign = r.where.path("foreign");
  const auto absent = r.where.path("absent");
  CHECK(r.says("plain", r.where.path("own")) == own + " plain\n");
  CHECK(r.says("plain", foreign) == last + " plain\n");
  CHECK(r.says("plain", absent) == last + " plain\n");
  CHECK(r.says("plain", "own") == last + " plain\n");
  if (!is_possible(r.grant() && r.says("capable", foreign).ends_with(" secure\n"),
                   "a file cannot be given capabilities here")) {
    return;
  }
  CHECK(r.says("capable", r.where.path("own")) == own + " secure\n");
  CHECK(r.says("capable", foreign) == last + " secure\n");
}

TEST_CASE("a set-user-ID program ignores the variables of the user who started it") {
  if (!others_can_run(from_build("DEFAULT_PATH"))) return;
  room r;
  REQUIRE(::chown(r.where.path("setuid").c_str(), ordinary_user, ordinary_user) == 0);
  REQUIRE(::chmod(r.where.path("setuid").c_str(), 04755) == 0);
  const auto said = r.says("setuid", r.where.path("own"), stranger);
  if (!is_possible(said.ends_with(" secure\n"), "set-user-ID is without effect here")) return;
  CHECK(said == "/tmp/graceful-65534/web.sock secure\n");
}

TEST_CASE("the directory that logind has made for the user goes before the variable") {
  if (!others_can_run(from_build("DEFAULT_PATH"))) return;
  room r;
  const bool capable = r.grant();
  const char* with_directory =
      "mount -t tmpfs none /run/user && mkdir /run/user/65534 && chown 65534 /run/user/65534 && "
      "exec setpriv --reuid 65534 --regid 65534 --clear-groups \"$@\"";
  for (const char* program : {"plain", capable ? "capable" : "plain"}) {
    for (const char* runtime : {"own", "foreign", "absent"}) {
      process_options options;
      options.environment["XDG_RUNTIME_DIR"] = r.where.path(runtime);
      const auto done = run(r.where,
                            {"/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh",
                             "-c", with_directory, "sh", r.where.path(program)},
                            options);
      if (!is_possible(done.status == "exited 0", "mount namespaces cannot be made here")) return;
      CHECK(done.out.substr(0, done.out.find(' ')) == "/run/user/65534/graceful/web.sock");
    }
  }
}
