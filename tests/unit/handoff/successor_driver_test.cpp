// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/successor_driver.hpp"

#include "os/control_path.hpp"

#include "lingering_socket.hpp"
#include "patience.hpp"
#include "temporary_directory.hpp"
#include "varlink_peer.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace graceful_test;
using namespace std::chrono_literals;
using namespace std::string_literals;
using graceful::errc;
using graceful::successor_driver;
using graceful::unique_fd;

namespace {

/// A process that passes its lock and its control socket to one successor. The test decides what it
/// does next: it waits for a signal to do it, and then ends.
class predecessor {
 public:
  using deed = std::function<void(varlink_peer& successor)>;

  // The process that has called listen(2), which SO_PEERCRED names.
  enum class listener { itself, another };

  explicit predecessor(const deed& last, listener called = listener::itself) {
    unique_fd inherited;
    if (called == listener::another) {
      inherited = graceful::os::bind_control(directory_.path("s")).value();
    }
    int told[2];
    REQUIRE(::pipe2(told, O_CLOEXEC) == 0);
    int listening[2];
    REQUIRE(::pipe2(listening, O_CLOEXEC) == 0);
    told_ = unique_fd{told[1]};
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::close(told[1]);
      unique_fd control = inherited ? std::move(inherited)
                                    : graceful::os::bind_control(directory_.path("s")).value();
      ::close(listening[1]);
      pass(control.get(), told[0], last);
      ::_exit(0);
    }
    ::close(told[0]);
    ::close(listening[1]);
    CHECK(wait_readable(listening[0], patience));
    ::close(listening[0]);
  }
  ~predecessor() {
    told_.reset();
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  }

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Its successor, which has everything.
  std::unique_ptr<successor_driver> passed() {
    const auto until = std::chrono::steady_clock::now() + patience;
    auto driver = std::make_unique<successor_driver>(
        graceful::varlink_connection::connect(directory_.path("s"), until).value(), "", "",
        patience);
    REQUIRE(driver->take_over().value() == successor_driver::outcome::proceed);
    REQUIRE(driver->take_descriptors().size() == 2);
    return driver;
  }

  /// Makes it do its part, and waits for its end.
  void do_it() {
    told_.reset();
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
  }

 private:
  static void pass(int control, int told, const deed& last) {
    if (!wait_readable(control, patience)) return;
    varlink_peer successor{unique_fd{::accept4(control, nullptr, nullptr, SOCK_CLOEXEC)}};
    successor.receive(patience);
    successor.send(R"({"parameters":{"version":1,"generation":2,"name":"web","descriptors":2}})");
    successor.receive(patience);
    successor.send_with_descriptors(
        R"({"parameters":{"first":0,"names":["@lock","@control"]}})"s + '\0', {control, control});
    if (wait_readable(told, patience)) last(successor);
  }

  temporary_directory directory_;
  unique_fd told_;
  pid_t pid_ = 0;
};

void give_up(varlink_peer& successor) {
  successor.send(
      R"({"error":"io.graceful.Handoff.Aborted","parameters":{"message":"not ready in time"}})");
}

void say_nothing(varlink_peer& /*successor*/) {}

}  // namespace

TEST_CASE("a predecessor that gave the upgrade up and then died is taken at its word") {
  predecessor old{give_up};
  const auto own = old.passed();
  successor_driver& driver = *own;
  old.do_it();
  // Ready cannot be sent any more.
  const auto ready = driver.ready({});
  REQUIRE_FALSE(ready.has_value());
  CHECK(ready.error().code == errc::upgrade_failed);
  CHECK(ready.error().message == "the predecessor refused: not ready in time");
}

TEST_CASE("a successor that has everything serves if its predecessor died without a word") {
  predecessor old{say_nothing};
  const auto own = old.passed();
  successor_driver& driver = *own;
  old.do_it();
  CHECK(driver.ready({}).value() == successor_driver::outcome::proceed);
}

TEST_CASE("the predecessor is the process that answers, not the one that called listen(2)") {
  predecessor old{say_nothing, predecessor::listener::another};
  const auto own = old.passed();
  successor_driver& driver = *own;
  CHECK(driver.predecessor_pid() == old.pid());
  old.do_it();
  CHECK(driver.ready({}).value() == successor_driver::outcome::proceed);
}

TEST_CASE("a predecessor counts as dead even if a process that it forked holds the connection") {
  int held[2];
  REQUIRE(::pipe2(held, O_CLOEXEC) == 0);
  unique_fd until_then{held[1]};
  predecessor old{[&](varlink_peer& successor) {
    until_then.reset();
    // Lives until the test ends.
    if (::fork() == 0 && wait_readable(held[0], 1h)) ::_exit(successor.native_handle());
  }};
  ::close(held[0]);
  REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);  // so that it can be waited for
  const auto own = old.passed();
  successor_driver& driver = *own;
  old.do_it();
  CHECK(driver.ready({}).value() == successor_driver::outcome::proceed);
  until_then.reset();
  ::wait(nullptr);
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_CASE(
    "without a pidfd the end of the connection means death, unless this process has ended it") {
  predecessor old{say_nothing};
  const auto own = old.passed();
  successor_driver& driver = *own;
  (void)driver.release_pidfd();
  SUBCASE("the predecessor dies") {
    old.do_it();
    CHECK(driver.ready({}).value() == successor_driver::outcome::proceed);
  }
  SUBCASE("the successor is told to end while it becomes ready, and its predecessor lives") {
    driver.break_off();
    CHECK_FALSE(driver.ready({}).has_value());
  }
}

TEST_CASE("between two steps a successor sees the state of its predecessor") {
  using standing = successor_driver::standing;
  SUBCASE("it waits, and dies") {
    predecessor old{say_nothing};
    const auto own = old.passed();
    successor_driver& driver = *own;
    CHECK(driver.look().value() == standing::waits);
    old.do_it();
    CHECK(driver.look().value() == standing::died);
  }
  SUBCASE("it gives the upgrade up, and dies") {
    predecessor old{give_up};
    const auto own = old.passed();
    successor_driver& driver = *own;
    old.do_it();
    const auto looked = driver.look();
    REQUIRE_FALSE(looked.has_value());
    CHECK(looked.error().message == "the predecessor gave the upgrade up: not ready in time");
  }
}

TEST_CASE("unexpected descriptors that close slowly do not delay a successor") {
  lingering_socket late;
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
  const unique_fd peer{ends[1]};
  const auto begun =
      R"({"parameters":{"version":1,"generation":2,"name":"web","descriptors":2}})"s + '\0';
  REQUIRE(lingering_socket::send(peer.get(), begun, late.release()));
  const auto taken = duration_of([&] {
    successor_driver driver{graceful::varlink_connection::adopt(unique_fd{ends[0]}).value(), "", "",
                            patience};
    CHECK_FALSE(driver.take_over().has_value());
  });
  CHECK(taken < lingering_socket::no_wait);
}
