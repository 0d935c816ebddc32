// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/errc.hpp>
#include <graceful/graceful.h>
#include <graceful/unique_fd.hpp>
#include <graceful/version.hpp>

#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include <poll.h>
#include <unistd.h>

using namespace graceful_test;

namespace {

struct freed {
  void operator()(graceful_upgrader* it) const { graceful_free(it); }
  void operator()(graceful_connection* it) const { graceful_connection_release(it); }
};
using upgrader_handle = std::unique_ptr<graceful_upgrader, freed>;
using connection_handle = std::unique_ptr<graceful_connection, freed>;

/// A server that dispatches, and notes what it is told.
struct c_fixture {
  explicit c_fixture(int dispatch = 1) {
    control = directory.path("s");
    options.control_path = control.c_str();
    options.data = this;
    options.dispatch = dispatch;
    options.log = [](void*, int, const char*) {};
    options.on_drain = [](void* self) { static_cast<c_fixture*>(self)->said += "drain "; };
    options.on_end = [](void* self) { static_cast<c_fixture*>(self)->said += "end "; };
    hooks.data = this;
    hooks.on_resume = [](void* self) {
      auto& f = *static_cast<c_fixture*>(self);
      f.said += "resume ";
      return f.cannot_accept;
    };
    hooks.on_pause = [](void* self) { static_cast<c_fixture*>(self)->said += "pause "; };
    hooks.on_stop = [](void* self) {
      auto& f = *static_cast<c_fixture*>(self);
      f.said += "stop ";
      ::close(f.descriptor);
    };
  }

  upgrader_handle start() {
    graceful_upgrader* made = nullptr;
    REQUIRE_MESSAGE(graceful_new(&options, &made, &error) == 0, error.message);
    return upgrader_handle{made};
  }

  void listen(const upgrader_handle& up) {
    REQUIRE_MESSAGE(
        graceful_listen(up.get(), "web", "127.0.0.1:0", &hooks, &descriptor, &error) == 0,
        error.message);
  }

  void dispatch_until(const upgrader_handle& up, const std::string& what) {
    while (said.find(what) == said.npos) {
      pollfd library{graceful_descriptor(up.get()), POLLIN, 0};
      REQUIRE(::poll(&library, 1, 120'000) == 1);
      graceful_dispatch(up.get());
    }
  }

  temporary_directory directory;
  std::string control;
  graceful_options options = GRACEFUL_OPTIONS_INIT;
  graceful_listener hooks = GRACEFUL_LISTENER_INIT;
  graceful_error error{};
  int descriptor = -1;
  std::string said;
  int cannot_accept = 0;
};

}  // namespace

TEST_CASE("a server in C lives as one in C++ does, on its own loop") {
  c_fixture f;
  const auto up = f.start();
  f.listen(up);
  REQUIRE(graceful_handle_signals(up.get(), &f.error) == 0);
  REQUIRE(graceful_ready(up.get(), &f.error) == 0);
  CHECK(f.said.empty());  // only within graceful_dispatch
  f.dispatch_until(up, "resume");
  CHECK(graceful_generation(up.get()) == 1);
  CHECK(graceful_draining(up.get()) == 0);
  graceful_drain(up.get());
  f.dispatch_until(up, "end");
  CHECK(f.said == "resume drain stop end ");
  CHECK(graceful_draining(up.get()) == 1);
}

TEST_CASE("a connection that C tracks is told the stages of the drain, and keeps the server") {
  c_fixture f;
  const auto up = f.start();
  REQUIRE(graceful_ready(up.get(), nullptr) == 0);
  graceful_connection* made = nullptr;
  const auto told = [](void* self, int stage) {
    static_cast<c_fixture*>(self)->said += "stage" + std::to_string(stage) + ' ';
  };
  REQUIRE(graceful_track(up.get(), told, &f, &made, nullptr) == 0);
  connection_handle token{made};
  graceful_connection_idle(token.get(), 1);
  graceful_drain_now(up.get());
  f.dispatch_until(up, "stage" + std::to_string(GRACEFUL_DEADLINE));
  CHECK(f.said.find("end") == f.said.npos);
  token.reset();
  f.dispatch_until(up, "end");
}

TEST_CASE(
    "errors reach C as codes of the library or negated numbers of the system, with a sentence") {
  c_fixture f;
  const auto up = f.start();
  CHECK(graceful_listen(up.get(), "web", "nowhere", nullptr, &f.descriptor, &f.error) ==
        GRACEFUL_INVALID_ARGUMENT);
  CHECK(f.error.code == GRACEFUL_INVALID_ARGUMENT);
  CHECK(std::string{f.error.message}.find("'nowhere': that is no address") != std::string::npos);
  CHECK(f.descriptor == -1);
  f.listen(up);
  std::array<char, 32> address{};
  const auto length = graceful_address(up.get(), "web", address.data(), address.size());
  CHECK(std::string{address.data()}.size() == length);
  CHECK(graceful_address(up.get(), "web", nullptr, 0) == length);
  CHECK(graceful_listen(up.get(), "other", address.data(), nullptr, &f.descriptor, &f.error) ==
        -EADDRINUSE);
  graceful_upgrader* second = nullptr;
  CHECK(graceful_new(&f.options, &second, &f.error) == GRACEFUL_ALREADY_RUNNING);
  CHECK(second == nullptr);
}

TEST_CASE("a message that is too long for C is cut between two characters") {
  c_fixture f;
  const auto up = f.start();
  std::string name;
  for (int i = 0; i < 1000; ++i) name += "\xc3\xa4";
  for (const auto* prefix : {"", "x"}) {
    CHECK(graceful_listen(up.get(), "web", (prefix + name).c_str(), nullptr, &f.descriptor,
                          &f.error) == GRACEFUL_INVALID_ARGUMENT);
    const std::string said = f.error.message;
    CHECK(said.size() > sizeof f.error.message - 3);
    CHECK(said.back() == '\xa4');
  }
}

TEST_CASE("what C leaves out is an error or does nothing, and never crashes") {
  CHECK(graceful_new(nullptr, nullptr, nullptr) == GRACEFUL_INVALID_ARGUMENT);
  CHECK(graceful_listen(nullptr, "web", "127.0.0.1:0", nullptr, nullptr, nullptr) ==
        GRACEFUL_INVALID_ARGUMENT);
  CHECK(graceful_ready(nullptr, nullptr) == GRACEFUL_INVALID_ARGUMENT);
  CHECK(graceful_handle_signals(nullptr, nullptr) == GRACEFUL_INVALID_ARGUMENT);
  CHECK(graceful_track(nullptr, nullptr, nullptr, nullptr, nullptr) == GRACEFUL_INVALID_ARGUMENT);
  CHECK(graceful_address(nullptr, nullptr, nullptr, 0) == 0);
  CHECK(graceful_withdraw(nullptr, nullptr) == 0);
  CHECK(graceful_descriptor(nullptr) == -1);
  CHECK(graceful_generation(nullptr) == 0);
  graceful_dispatch(nullptr);
  graceful_drain(nullptr);
  graceful_drain_now(nullptr);
  graceful_wait_end(nullptr);
  graceful_connection_idle(nullptr, 1);
  graceful_connection_release(nullptr);
  graceful_free(nullptr);
  CHECK(std::string{graceful_version()} == GRACEFUL_VERSION_STRING);
}

TEST_CASE("a server in C that cannot accept drains") {
  c_fixture f;
  f.cannot_accept = 1;
  const auto up = f.start();
  f.listen(up);
  REQUIRE(graceful_ready(up.get(), nullptr) == 0);
  f.dispatch_until(up, "end");
  CHECK(f.said == "resume drain stop end ");
}

TEST_CASE(
    "structures that were not begun with their macro, or contradict themselves, are refused") {
  c_fixture f;
  const auto refused = [&f] {
    graceful_upgrader* made = nullptr;
    return graceful_new(&f.options, &made, &f.error) == GRACEFUL_INVALID_ARGUMENT && !made;
  };
  const auto right = f.options.size;
  for (const std::size_t wrong : {std::size_t{0}, right + 1}) {
    f.options.size = wrong;
    CHECK(refused());
    CHECK(std::string{f.error.message}.find("begin with GRACEFUL_OPTIONS_INIT") !=
          std::string::npos);
  }
  f.options.size = right;
  f.options.post = [](void*, void (*run)(void*), void* task) { run(task); };
  CHECK(refused());
  f.options.post = nullptr;
  const auto up = f.start();
  f.hooks.size = 0;
  CHECK(graceful_listen(up.get(), "web", "127.0.0.1:0", &f.hooks, &f.descriptor, &f.error) ==
        GRACEFUL_INVALID_ARGUMENT);
  f.hooks.size = sizeof f.hooks;
  f.hooks.on_pause = nullptr;
  CHECK(graceful_listen(up.get(), "web", "127.0.0.1:0", &f.hooks, &f.descriptor, &f.error) ==
        GRACEFUL_INVALID_ARGUMENT);
}

TEST_CASE("an upgrader that C frees early keeps no descriptor") {
  const auto open = [] {
    std::size_t count = 0;
    for (const auto& each : std::filesystem::directory_iterator{"/proc/self/fd"}) {
      count += each.path().empty() ? 0 : 1;
    }
    return count;
  };
  const auto before = open();
  {
    c_fixture f;
    auto up = f.start();
    f.listen(up);
    const graceful::unique_fd own{f.descriptor};
    REQUIRE(graceful_ready(up.get(), nullptr) == 0);
    graceful_drain(up.get());
    up.reset();  // nothing was dispatched
  }
  CHECK(open() == before);
}

TEST_CASE("options of an older header, which are shorter, have defaults for the rest") {
  c_fixture f;
  f.options.size = offsetof(graceful_options, on_end);
  const auto up = f.start();
  REQUIRE(graceful_ready(up.get(), nullptr) == 0);
  graceful_drain(up.get());
  f.dispatch_until(up, "drain");
  graceful_wait_end(up.get());
  graceful_dispatch(up.get());
  CHECK(f.said == "drain ");
}
