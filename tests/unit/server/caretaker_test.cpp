// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "server/caretaker.hpp"

#include "listen/inventory_fixture.hpp"

#include "patience.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/prefer.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <fcntl.h>

using namespace graceful_test;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// An acceptor of the application, and the caretaker that looks after it.
struct cared_for {
  explicit cared_for(bool context_is_known = true) {
    const auto socket = sockets.listen("web").value();
    acceptor.assign(tcp::v4(), ::fcntl(socket->fd.get(), F_DUPFD_CLOEXEC, 0));
    asio::any_io_executor executor = application.get_executor();
    if (!context_is_known) {  // one of another type
      executor =
          asio::prefer(application.get_executor(), asio::execution::outstanding_work.tracked);
    }
    auto object = std::make_shared<graceful::foreign_acceptor>(
        executor, acceptor.native_handle(), socket,
        graceful::detail::plain_acceptor{acceptor, tcp::v4()});
    care.add(object);
    sockets.items.attach("web", object);
    sockets.items.open();
  }

  void see_off() {
    sockets.items.stop();
    care.see_off();
  }

  bool control_runs_until(const std::function<bool()>& done) {
    for (const deadline until{patience}; !until.passed();) {
      application.restart();
      application.poll();
      control.run_one_for(patience);
      if (done()) return true;
    }
    return false;
  }

  asio::io_context control;
  asio::io_context application;
  asio::executor_work_guard<asio::io_context::executor_type> runs{application.get_executor()};
  stock sockets;
  tcp::acceptor acceptor{application};
  graceful::connections tracked{{1h, 0ms, 0ms}};
  graceful::caretaker care{control, sockets.log, sockets.items, tracked, 1ms, {}};
};

}  // namespace

TEST_CASE("the application's context is stopped when the last client has gone, and not before") {
  cared_for c;
  tcp::socket client{c.application};
  client.connect(c.acceptor.local_endpoint());
  auto served = c.acceptor.accept();
  c.see_off();
  int looks = 0;
  CHECK(c.control_runs_until([&] { return ++looks == 8; }));
  CHECK_FALSE(c.sockets.mentions(graceful::log_level::info, "the last client has gone"));
  served.close();
  client.close();
  CHECK(c.control_runs_until([&] { return c.application.stopped(); }));
  CHECK(c.sockets.mentions(graceful::log_level::info, "the last client has gone"));
}

TEST_CASE("a context that is not known goes on, and the log says so") {
  cared_for c{false};
  c.see_off();
  CHECK(c.control_runs_until([&] {
    return c.sockets.mentions(graceful::log_level::warning, "the last client has gone");
  }));
  CHECK(c.sockets.mentions(graceful::log_level::warning,
                           "on an executor whose context is not known here"));
}

TEST_CASE("an acceptor that the application has closed is withdrawn: no client waits there") {
  cared_for c;
  c.care.look_after();
  c.acceptor.close();
  CHECK(c.control_runs_until([&] { return c.sockets.items.sockets().empty(); }));
}
