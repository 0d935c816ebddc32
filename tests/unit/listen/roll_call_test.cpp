// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "listen/roll_call.hpp"

#include "listen/inventory_fixture.hpp"

#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <utility>

using namespace graceful_test;
namespace os = graceful::os;

namespace {

/// Accepts on an executor of its own, or by threads that block.
struct accepts_on : counted {
  explicit accepts_on(asio::any_io_executor where, os::answer blocks = os::answer::no)
      : where{std::move(where)}, blocks{blocks} {}
  [[nodiscard]] asio::any_io_executor executor() const override { return where; }
  [[nodiscard]] os::answer somebody_blocks() const override { return blocks; }
  asio::any_io_executor where;
  os::answer blocks;
};

/// An application of two contexts: the upgrader's, and another that its acceptor uses.
struct called_application : stock {
  called_application() { roll.emplace(control, items, application.get_executor()); }

  void accept_by(std::shared_ptr<graceful::accepting> user) {
    socket = listen("web").value();
    items.attach("web", std::move(user));
    items.open();
  }
  void call() {
    roll->call([this] { ++answered; });
  }
  /// The control thread looks once for threads that accept by themselves.
  void look_once() { CHECK(control.run_one() == 1); }

  asio::io_context control, application, other;
  std::optional<graceful::roll_call> roll;
  graceful::shared_socket socket;
  int answered = 0;
};

}  // namespace

TEST_CASE("an application answers when its threads run what was posted to them") {
  called_application a;
  a.call();
  a.control.poll();
  CHECK(a.answered == 0);
  CHECK(a.roll->under_way());
  a.application.poll();
  a.control.poll();
  CHECK(a.answered == 1);
  CHECK_FALSE(a.roll->under_way());
  a.control.restart();
  a.control.poll();
  CHECK(a.control.stopped());  // nothing waits any more
}

TEST_CASE("every executor on which the application accepts has to answer") {
  called_application a;
  a.accept_by(std::make_shared<accepts_on>(a.other.get_executor(), os::answer::yes));
  a.call();
  a.application.poll();
  a.look_once();  // a thread that blocks proves nothing where a context runs
  CHECK(a.answered == 0);
  a.other.poll();
  a.control.poll();
  CHECK(a.answered == 1);
}

TEST_CASE("a thread that blocks in accept answers for an application that runs no context") {
  called_application a;
  SUBCASE("it blocks") {
    a.accept_by(std::make_shared<accepts_on>(a.other.get_executor(), os::answer::yes));
  }
  SUBCASE("nobody can tell") {
    a.accept_by(std::make_shared<accepts_on>(a.other.get_executor(), os::answer::unknown));
  }
  a.call();
  a.look_once();
  CHECK(a.answered == 1);
}

TEST_CASE("a connection that is accepted meanwhile answers for an application, an older one not") {
  called_application a;
  a.accept_by(std::make_shared<accepts_on>(a.other.get_executor()));
  const auto accept = [&a] {
    auto client = connect_to(a.socket->address);
    return std::pair{std::move(client), graceful::unique_fd{::accept4(a.socket->fd.get(), nullptr,
                                                                      nullptr, SOCK_CLOEXEC)}};
  };
  const auto before = accept();
  a.call();
  a.look_once();
  a.look_once();
  CHECK(a.answered == 0);
  const auto meanwhile = accept();
  a.look_once();
  CHECK(a.answered == 1);
}

TEST_CASE("only the last roll is answered") {
  called_application a;
  a.call();
  a.roll->call([] { FAIL("it was dismissed"); });
  a.call();
  a.application.poll();
  a.control.poll();
  CHECK(a.answered == 1);
}

TEST_CASE("what was posted may run after the roll was dismissed, and after its end") {
  called_application a;
  a.call();
  SUBCASE("dismissed") { a.roll->dismiss(); }
  SUBCASE("destroyed") { a.roll.reset(); }
  a.application.poll();
  a.control.poll();
  CHECK(a.answered == 0);
}
