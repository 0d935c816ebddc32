// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "listen/inventory.hpp"

#include "listen/inventory_fixture.hpp"

#include "ordinary_user.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace graceful_test;
using graceful::errc;
using graceful::inventory;
using graceful::listen_params;
using graceful::log_level;
using graceful::unique_fd;
namespace os = graceful::os;

namespace {

/// A listen() that has reserved its name and waits for its address, which is in use.
struct delayed_listen {
  delayed_listen() {
    items.inherit("web", os::listen_tcp(v4("127.0.0.2"), {}).value());
    obtained_ = std::async(std::launch::async, [this] {
      return items.obtain("web", at,
                          {.bind_attempts = 20, .bind_backoff = std::chrono::milliseconds{1}}, {});
    });
    REQUIRE(waits_.get_future().wait_for(std::chrono::seconds{10}) == std::future_status::ready);
  }

  /// Frees the address.
  auto result() {
    holder_.reset();
    return obtained_.get();
  }

 private:
  std::promise<void> waits_;
  graceful::log log_{[this](log_level, std::string_view text) {
    if (text.find("bound again") != text.npos) waits_.set_value();
  }};
  unique_fd holder_ = listen_anywhere();

 public:
  const os::socket_address at = address_of(holder_);
  inventory items{log_};

 private:
  std::future<graceful::result<std::shared_ptr<const graceful::listening_socket>>> obtained_;
};

}  // namespace

TEST_CASE("each acceptor is opened once, when all are opened or later") {
  stock s;
  const auto early = std::make_shared<counted>();
  const auto late = std::make_shared<counted>();
  REQUIRE(s.listen("early").has_value());
  s.items.attach("early", early);
  CHECK(early->opened == 0);
  s.items.open();
  s.items.open();
  CHECK(early->opened == 1);
  REQUIRE(s.listen("late").has_value());
  s.items.attach("late", late);
  CHECK(late->opened == 1);
}

TEST_CASE("stopping stops every acceptor, and lets go of all sockets") {
  stock s;
  const auto user = std::make_shared<counted>();
  auto socket = s.listen("web").value();
  const int number = socket->fd.get();
  s.items.attach("web", user);
  auto inherited = listen_anywhere();
  const int unclaimed = inherited.get();
  s.items.inherit("old", std::move(inherited));
  s.items.stop();
  CHECK(user->stopped == 1);
  CHECK(s.items.sockets().empty());
  CHECK(is_open_descriptor(number));
  socket.reset();
  CHECK_FALSE(is_open_descriptor(number));
  CHECK_FALSE(is_open_descriptor(unclaimed));
}

TEST_CASE("at the end of a process only the kept sockets are stopped before the last call") {
  stock s;
  const auto kept = std::make_shared<counted>();
  const auto own = std::make_shared<counted>();
  const auto mixed = std::make_shared<counted>();
  auto socket = s.listen("kept").value();
  const int number = socket->fd.get();
  s.items.attach("kept", kept);
  REQUIRE(s.listen("own").has_value());
  s.items.attach("own", own);
  for (const char* name : {"a", "b", "c"}) {
    REQUIRE(s.listen(name).has_value());
    s.items.attach(name, mixed);
  }
  s.items.open();
  s.items.keep({"kept", "b"});
  s.items.let_go_kept();
  CHECK(kept->stopped == 1);
  CHECK(kept->left.empty());
  CHECK(own->stopped == 0);
  CHECK(own->left.empty());
  CHECK(mixed->stopped == 0);
  CHECK(mixed->left == inventory::names{"b"});
  CHECK(s.items.sockets().size() == 3);
  socket.reset();
  CHECK_FALSE(is_open_descriptor(number));
  // It would be neither sealed nor served.
  CHECK(s.listen("late").error().code == errc::busy);
  s.items.stop();
  CHECK(mixed->stopped >= 1);
}

TEST_CASE("an acceptor whose sockets are all kept is stopped, however many there are") {
  stock s;
  const auto user = std::make_shared<counted>();
  for (const char* name : {"a", "b"}) {
    REQUIRE(s.listen(name).has_value());
    s.items.attach(name, user);
  }
  s.items.open();
  s.items.keep({"a", "b"});
  s.items.let_go_kept();
  CHECK(user->stopped >= 1);
  CHECK(user->left.empty());
}

TEST_CASE("clients in the queue of a kept socket are counted") {
  stock s;
  const auto socket = s.listen("web").value();
  s.items.open();
  s.items.keep({"web"});
  CHECK(s.items.queued() == 0);
  const auto client = connect_to(socket->address);
  CHECK(eventually([&] { return s.items.queued() == 1; }));
}

TEST_CASE("after a stop no socket listens and no acceptor is opened") {
  stock s;
  s.items.stop();
  const auto refused = s.listen("web");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::busy);
  const auto user = std::make_shared<counted>();
  s.items.attach("web", user);
  CHECK(user->opened == 0);
  CHECK(user->stopped == 1);
  s.items.open();
  CHECK(user->opened == 0);
}

TEST_CASE(
    "no socket can be added while the sockets are handed over, but afterwards they can again") {
  stock s;
  REQUIRE(s.listen("web").has_value());
  const auto frozen = s.items.freeze();
  REQUIRE(frozen.size() == 1);
  CHECK(frozen.front()->name == "web");
  const auto refused = s.listen("late");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::busy);
  CHECK(s.items.sockets().size() == 1);
  s.items.thaw();
  CHECK(s.listen("late").has_value());
  CHECK(s.items.freeze().size() == 2);
}

TEST_CASE(
    "a listen that waits for its address while the sockets are handed over leaves nothing behind") {
  delayed_listen d;
  CHECK(d.items.freeze().empty());
  CHECK(d.result().error().code == errc::busy);
  d.items.thaw();
  CHECK(d.items.obtain("web", d.at, {}, {}).has_value());
}

TEST_CASE("the log is written without the lock: a log function may ask for the listeners") {
  inventory* asked = nullptr;
  int lines = 0;
  graceful::log log{[&](log_level, std::string_view) {
    (void)asked->sockets();
    ++lines;
  }};
  inventory items{log};
  asked = &items;
  items.inherit("moved", os::listen_tcp(v4("127.0.0.2"), {}).value());
  auto first = listen_anywhere();
  const auto at = address_of(first);
  items.inherit("old", std::move(first));
  CHECK(items.obtain("new", at, {}, {}).has_value());
  CHECK(items.obtain("moved", v4("127.0.0.1"), {}, {}).has_value());
  items.open();
  CHECK(lines == 3);
}

TEST_CASE("a paused acceptor can be resumed or stopped, and attaching does not open it") {
  stock s;
  const auto user = std::make_shared<counted>();
  REQUIRE(s.listen("web").has_value());
  s.items.attach("web", user);
  s.items.pause({});  // nothing is open yet
  s.items.resume();
  CHECK(user->paused == 0);
  s.items.open();
  s.items.pause({});
  s.items.pause({});
  CHECK(user->paused == 1);
  CHECK(s.items.sockets().size() == 1);
  s.items.resume();
  s.items.resume();
  CHECK(user->opened == 2);
  s.items.pause({});
  s.items.stop();
  s.items.resume();
  CHECK(user->stopped == 1);
  CHECK(user->opened == 2);
}

TEST_CASE(
    "a listener that the successor does not take goes on, and stays when the rest is let go") {
  stock s;
  const auto taken = std::make_shared<counted>();
  const auto unwanted = std::make_shared<counted>();
  REQUIRE(s.listen("taken").has_value());
  REQUIRE(s.listen("unwanted").has_value());
  s.items.attach("taken", taken);
  s.items.attach("unwanted", unwanted);
  s.items.open();
  s.items.pause({"unwanted", "no such name"});
  CHECK(taken->paused == 1);
  CHECK(unwanted->paused == 0);
  CHECK(s.items.let_go({"unwanted"}));
  CHECK(taken->stopped == 1);
  CHECK(unwanted->stopped == 0);
  REQUIRE(s.items.sockets().size() == 1);
  CHECK(s.items.sockets().front()->name == "unwanted");
  CHECK_FALSE(s.items.let_go({}));
  CHECK(unwanted->stopped == 1);
}

TEST_CASE("an acceptor that is attached to a paused socket is paused too") {
  stock s;
  REQUIRE(s.listen("web").has_value());
  s.items.open();
  s.items.pause({});
  const auto user = std::make_shared<counted>();
  s.items.attach("web", user);
  CHECK(user->paused == 1);
  CHECK(user->opened == 0);
}

TEST_CASE("a resumed socket has its own backlog again, whatever the successor has set") {
  stock s;
  const auto socket = s.listen("web", v4("127.0.0.1"), {.backlog = 7}).value();
  s.items.open();
  s.items.pause({});
  REQUIRE(::listen(socket->fd.get(), 99) == 0);
  s.items.resume();
  CHECK(os::accept_queue_of(socket->fd.get()).limit == 7);
}

TEST_CASE("an acceptor that is attached to a removed name is stopped") {
  stock s;
  REQUIRE(s.listen("web").has_value());
  s.items.remove("web", nullptr);
  s.items.remove("web", nullptr);
  const auto user = std::make_shared<counted>();
  s.items.attach("web", user);
  CHECK(user->stopped == 1);
}

TEST_CASE("a listen that waits for its address while all are stopped leaves nothing behind") {
  delayed_listen d;
  d.items.stop();
  CHECK_FALSE(d.result().has_value());
  CHECK(d.items.sockets().empty());
}

TEST_CASE("an acceptor that closes lets go of all its sockets") {
  inherited_group s;
  const auto user = std::make_shared<counted>();
  REQUIRE(s.listen("http", s.at).has_value());
  s.items.attach("http", user);
  s.items.open();
  REQUIRE(s.items.sockets().size() == 4);
  s.items.remove("http", user.get());
  CHECK(s.items.sockets().empty());
}

TEST_CASE("a socket that other processes hold too is left to them, and takes connections") {
  stock s;
  const auto given = listen_anywhere();  // a child gets it too
  const auto at = address_of(given);
  unique_fd own{::fcntl(given.get(), F_DUPFD_CLOEXEC, 3)};
  REQUIRE(s.items.obtain("shared", at, {}, std::move(own)).has_value());
  s.listen("own");
  const auto user = std::make_shared<counted>();
  s.items.attach("shared", user);
  s.items.open();
  const pid_t worker = ::fork();
  if (worker == 0) {
    for (;;) ::pause();
  }
  s.items.leave_to_others({});
  CHECK(user->stopped == 1);
  CHECK_FALSE(s.items.find("shared"));
  CHECK(s.items.find("own"));
  s.items.seal();
  CHECK_NOTHROW(connect_to(at));
  ::kill(worker, SIGKILL);
  ::waitpid(worker, nullptr, 0);
}

TEST_CASE("a socket that the kernel cannot seal, for lack of privilege, is named") {
  const ordinary_user who;
  stock s;
  auto bound = listen_anywhere();
  constexpr int locked = 1;  // no filter can be attached, as on kernels that require privilege for
                             // it
  REQUIRE(::setsockopt(bound.get(), SOL_SOCKET, SO_LOCK_FILTER, &locked, sizeof locked) == 0);
  constexpr std::string_view device = "lo";
  REQUIRE(::setsockopt(bound.get(), SOL_SOCKET, SO_BINDTODEVICE, device.data(), device.size()) ==
          0);
  const auto at = address_of(bound);
  REQUIRE(s.items.obtain("bound", at, {}, std::move(bound)).has_value());
  s.listen("other");
  s.items.open();
  const auto refused = s.items.seal();
  REQUIRE(refused.size() == 1);
  CHECK(refused.front().starts_with(at.to_string() + ": cannot keep new connections"));
}

TEST_CASE("a listener can be withdrawn by its name, but not while it is handed over") {
  stock s;
  const auto at = s.listen("web").value()->address;
  const auto user = std::make_shared<counted>();
  s.items.attach("web", user);
  s.items.open();
  CHECK_FALSE(s.items.withdraw("other"));
  s.items.freeze();
  CHECK_FALSE(s.items.withdraw("web"));
  s.items.thaw();
  CHECK(s.items.withdraw("web"));
  CHECK(user->stopped == 1);
  CHECK_THROWS(connect_to(at));
  CHECK_FALSE(s.items.withdraw("web"));
}
