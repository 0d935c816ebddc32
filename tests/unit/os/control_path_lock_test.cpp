// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/channel.hpp"
#include "os/control_path.hpp"
#include "os/peer.hpp"
#include "os/process_identity.hpp"

#include "patience.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace os = graceful::os;
namespace fs = std::filesystem;
using namespace graceful_test;
using graceful::unique_fd;

namespace {

/// A dead server, and a child that it has left behind, which holds everything that it held.
class dead_server {
 public:
  /// `open` is what the server does, before it forks and dies.
  explicit dead_server(const std::function<void()>& open) {
    std::array<int, 2> told{};
    REQUIRE(::pipe2(told.data(), O_CLOEXEC) == 0);
    const pid_t server = ::fork();
    if (server == 0) {
      open();
      const auto left = ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
      if (left == 0) {
        for (;;) ::pause();
      }
      (void)!::write(told[1], &left, sizeof left);
      ::_exit(0);
    }
    REQUIRE(server > 0);
    long left = -1;
    REQUIRE(::read(told[0], &left, sizeof left) == sizeof left);
    left_ = static_cast<pid_t>(left);
    ::close(told[0]);
    ::close(told[1]);
    ::waitpid(server, nullptr, 0);
  }
  dead_server(const dead_server&) = delete;
  dead_server& operator=(const dead_server&) = delete;
  ~dead_server() {
    ::kill(left_, SIGKILL);
    // Reaped by init, or by this process if it is a subreaper.
    ::waitpid(left_, nullptr, 0);
  }

 private:
  pid_t left_ = -1;
};

/// Its descriptors stay open.
void lock_and_bind(const std::string& path) {
  (void)os::try_lock(path).value().value().release();
  (void)os::bind_control(path).value().release();
}

bool is_held(const std::string& path) { return !os::try_lock(path).value().has_value(); }

}  // namespace

TEST_CASE("a lock that a dead server's child holds is replaced, and its socket is removed") {
  temporary_directory d;
  const dead_server dead{[&] { lock_and_bind(d.path("s")); }};
  REQUIRE(is_held(d.path("s")));
  CHECK(os::owners_have_ended(d.path("s")));
  const auto lock = os::replace_lock(d.path("s")).value();
  REQUIRE(lock.has_value());
  CHECK(os::holds_lock(lock->get(), d.path("s")));
  CHECK(is_held(d.path("s")));
  CHECK_FALSE(os::owners_have_ended(d.path("s")));
  CHECK(d.listing() == std::vector<std::string>{"s.lock"});
  CHECK_FALSE(os::replace_lock(d.path("s")).value().has_value());
}

TEST_CASE("a process that can only read the directory cannot prevent the replacement of a lock") {
  temporary_directory d;
  const dead_server dead{[&] { lock_and_bind(d.path("s")); }};
  const unique_fd directory{::open(d.path("").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  for (const int how : {LOCK_SH, LOCK_EX}) {
    REQUIRE(::flock(directory.get(), how | LOCK_NB) == 0);
    CHECK(is_held(d.path("s")));
  }
  CHECK(os::replace_lock(d.path("s")).value().has_value());
}

TEST_CASE("a lock is not taken while it is being replaced, nor replaced while it is being taken") {
  temporary_directory d;
  const auto path = d.path("s");
  using purpose = os::lock_guard::purpose;
  const auto opened = [&] { return unique_fd{::open(os::lock_path(path).c_str(), O_RDWR)}; };
  os::try_lock(path).value().reset();
  {
    const auto file = opened();
    const os::lock_guard guard{file.get(), purpose::replacing};
    CHECK(guard.what() == os::lock_guard::outcome::held);
    CHECK(is_held(path));
  }
  CHECK_FALSE(is_held(path));
  const dead_server dead{[&] { lock_and_bind(path); }};
  const auto file = opened();
  {
    const os::lock_guard guard{file.get(), purpose::taking};
    CHECK_FALSE(os::replace_lock(path).value().has_value());
  }
  CHECK(os::replace_lock(path).value().has_value());
}

TEST_CASE("a listener's end is noticed, and a live listener is not taken for dead") {
  temporary_directory d;
  const dead_server dead{[&] { lock_and_bind(d.path("dead")); }};
  const auto live = os::bind_control(d.path("live"));
  CHECK(os::peer_has_ended(os::connect_unix(d.path("dead"), os::after(patience))->get()));
  CHECK_FALSE(os::peer_has_ended(os::connect_unix(d.path("live"), os::after(patience))->get()));
}

TEST_CASE(
    "a control socket that a dead server's child holds is replaced by the holder of the lock") {
  temporary_directory d;
  const dead_server dead{[&] { lock_and_bind(d.path("s")); }};
  const auto file = os::identify(d.path("s"));
  const auto lock = os::try_lock(d.path("other"));
  const auto socket = os::bind_control(d.path("s"));
  REQUIRE(socket.has_value());
  CHECK(os::identify(d.path("s")) != file);
}

TEST_CASE("a lock is left alone as long as its owners may be alive") {
  temporary_directory d;
  const auto path = d.path("s");
  SUBCASE("an owner has signed and is alive") {
    const auto lock = os::try_lock(path).value();
    CHECK_FALSE(os::owners_have_ended(path));
    CHECK_FALSE(os::replace_lock(path).value().has_value());
  }
  SUBCASE("the dead owner has passed it to a live one") {
    const dead_server dead{[&] { lock_and_bind(path); }};
    const unique_fd file{::open(os::lock_path(path).c_str(), O_RDWR | O_CLOEXEC)};
    os::sign_lock(file.get(), os::signing::beside);
    CHECK_FALSE(os::owners_have_ended(path));
    CHECK_FALSE(os::replace_lock(path).value().has_value());
  }
  SUBCASE("an older build, which does not sign") {
    const dead_server dead{[&] {
      lock_and_bind(path);
      REQUIRE(::truncate(os::lock_path(path).c_str(), 0) == 0);
    }};
    CHECK_FALSE(os::owners_have_ended(path));
    CHECK_FALSE(os::replace_lock(path).value().has_value());
  }
  SUBCASE("an older build has taken over without signing, and listens") {
    const dead_server dead{[&] { lock_and_bind(path); }};
    fs::remove(path);
    const auto live = os::bind_control(path);
    CHECK(os::owners_have_ended(path));
    CHECK_FALSE(os::replace_lock(path).value().has_value());
    CHECK(fs::is_socket(path));
  }
  SUBCASE("the signature cannot be read") {
    for (const char* text : {"x", "1", "999999999 1 pid:[1]", "999999999 1 pid:[1]\n", "\n"}) {
      std::ofstream{os::lock_path(path)} << text;
      CAPTURE(text);
      CHECK_FALSE(os::owners_have_ended(path));
    }
  }
}

TEST_CASE("a signature is written once, and only the last owner's remains") {
  temporary_directory d;
  const auto lock = os::try_lock(d.path("s")).value();
  const auto size = fs::file_size(d.path("s.lock"));
  std::ifstream file{d.path("s.lock")};
  std::string line;
  std::getline(file, line);
  const auto self = os::process_identity::of(::getpid());
  REQUIRE(self);
  CHECK(line ==
        std::to_string(self->pid) + ' ' + std::to_string(self->started) + ' ' + self->space);
  os::sign_lock(lock->get(), os::signing::beside);
  CHECK(fs::file_size(d.path("s.lock")) == size);
  REQUIRE(::pwrite(lock->get(), "1 1 pid:[1]\n", 12, static_cast<off_t>(size)) == 12);
  os::sign_lock(lock->get(), os::signing::beside);
  CHECK(fs::file_size(d.path("s.lock")) == size + 12);
  os::sign_lock(lock->get(), os::signing::alone);
  CHECK(fs::file_size(d.path("s.lock")) == size);
}

TEST_CASE("an owner that signs again is visible at every moment") {
  temporary_directory d;
  const auto lock = os::try_lock(d.path("s")).value();
  REQUIRE(os::living_owners(d.path("s")).size() == 1);
  std::atomic<bool> enough{false};
  std::jthread signs{[&] {
    while (!enough) os::sign_lock(lock->get(), os::signing::alone);
  }};
  std::size_t unseen = 0;
  for (int i = 0; i < 5'000; ++i) unseen += os::living_owners(d.path("s")).empty() ? 1 : 0;
  enough = true;
  CHECK(unseen == 0);
}

TEST_CASE("of several processes that replace a lock at once one gets it") {
  temporary_directory d;
  for (int round = 0; round < 20; ++round) {
    const dead_server dead{[&] { lock_and_bind(d.path("s")); }};
    std::atomic<int> got{0};
    std::vector<unique_fd> held(4);
    std::vector<std::jthread> starters;
    for (auto& lock : held) {
      starters.emplace_back([&] {
        auto replaced = os::replace_lock(d.path("s")).value();
        auto taken = replaced ? std::move(replaced) : os::try_lock(d.path("s")).value();
        if (!taken) return;
        ++got;
        lock = std::move(*taken);
      });
    }
    starters.clear();
    CHECK(got == 1);
  }
}
