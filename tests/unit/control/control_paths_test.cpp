// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/control_paths.hpp"

#include <graceful/control_client.hpp>
#include <graceful/errc.hpp>
#include <graceful/options.hpp>

#include "ordinary_user.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

using namespace graceful_test;
namespace os = graceful::os;

TEST_CASE("a name that cannot be a file name is refused, and the message says what it may be") {
  const auto refused = [](const char* name) {
    const auto path = graceful::control_path_of({.name = name});
    return !path && path.error().code == graceful::errc::invalid_argument &&
           path.error().message.find("letters, digits, '.', '_' and '-'") != std::string::npos;
  };
  for (const char* name : {"", ".web", "-web", "web/../x", "web x",
                           "w\xc3\xa9"
                           "b"}) {
    CAPTURE(name);
    CHECK(refused(name));
  }
}

TEST_CASE("a given control path is made absolute, whatever the name is") {
  const auto path_of = [](std::string control_path) {
    return graceful::control_path_of({.name = "-", .control_path = std::move(control_path)})
        .value();
  };
  CHECK(path_of("/run/./web/../x.sock") == "/run/x.sock");
  CHECK(path_of("x.sock") == std::filesystem::current_path() / "x.sock");
}

TEST_CASE(
    "without a control path the name decides, in a private directory that is made if need be") {
  const ordinary_user here;
  const temporary_directory home;
  ::setenv("XDG_RUNTIME_DIR", home.path().c_str(), 1);
  CHECK(graceful::control_path_of({.name = "Web-1.a_b"}).value() ==
        home.path("graceful/Web-1.a_b.sock"));
  CHECK(std::filesystem::status(home.path("graceful")).permissions() ==
        std::filesystem::perms::owner_all);
  std::filesystem::permissions(home.path("graceful"), std::filesystem::perms::all);
  CHECK(graceful::control_path_of({.name = "web"}).error().code ==
        graceful::errc::permission_denied);
  ::unsetenv("XDG_RUNTIME_DIR");
}

TEST_CASE("the default control path belongs to the user, and its sockets are found, sorted") {
  if (::geteuid() == 0) {
    CHECK(graceful::default_control_path("web") == "/run/graceful/web.sock");
  }
  const ordinary_user here;
  temporary_directory d;
  ::setenv("XDG_RUNTIME_DIR", d.path().c_str(), 1);
  CHECK(graceful::default_control_path("web") == d.path("graceful/web.sock"));
  CHECK(graceful::find_control_paths().value().empty());
  std::filesystem::create_directory(d.path("graceful"));
  const auto b = os::bind_control(d.path("graceful/b.sock"));
  const auto a = os::bind_control(d.path("graceful/a.sock"));
  std::ofstream{d.path("graceful/c.sock")} << "x";
  const auto hidden = os::bind_control(d.path("graceful/.d.sock"));
  const auto other = os::bind_control(d.path("graceful/e"));
  CHECK(graceful::find_control_paths().value() ==
        std::vector<std::string>{d.path("graceful/a.sock"), d.path("graceful/b.sock")});
  REQUIRE(::chmod(d.path("graceful").c_str(), 0777) == 0);
  CHECK(graceful::find_control_paths().error().code == graceful::errc::permission_denied);
  ::setenv("XDG_RUNTIME_DIR", "relative", 1);
  CHECK(graceful::default_control_path("web").starts_with("/tmp/graceful-"));
  ::unsetenv("XDG_RUNTIME_DIR");
  CHECK(graceful::default_control_path("web") ==
        "/tmp/graceful-" + std::to_string(::geteuid()) + "/web.sock");
}
