// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// A service whose manager is a supervisor: it finds the next one, and asks for its sockets.
#include <graceful/testing/deadline.hpp>

#include "os/listening_socket.hpp"
#include "service/service.hpp"
#include "service/service_fixture.hpp"

#include "temporary_directory.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

namespace asio = boost::asio;
namespace os = graceful::os;
using namespace graceful_test;
using namespace graceful::testing;
using namespace std::chrono_literals;
using connection_type = asio::local::stream_protocol::socket;

namespace {

struct supervisor_place {
  temporary_directory d;
  std::string path = d.path("supervisor");
};

/// A service that serves and has a kept listener, and a supervisor that is about to accept its
/// connection.
struct supervised : supervisor_place, service_fixture {
  supervised() : service_fixture{{.store = 9, .supervisor = path}} {
    listen("a");
    sockets.open();
    supervisor.emplace(control, path);
    service.serves(1, false);
  }
  std::optional<asio::local::stream_protocol::acceptor> supervisor;
};

const std::string release_call =
    std::string{R"({"method":"io.graceful.Supervisor.Release"})"} + '\0';

std::string asked_on(connection_type& connection) {
  std::string question(200, '\0');
  question.resize(connection.read_some(asio::buffer(question)));
  return question;
}

void reply(connection_type& connection, const std::string& message) {
  asio::write(connection, asio::buffer(message.c_str(), message.size() + 1));
}

}  // namespace

TEST_CASE("the next supervisor is told of a service and gets its sockets") {
  temporary_directory supervisors;
  const auto path = supervisors.path("supervisor");
  service_fixture b{{.store = 9, .supervisor = path}};
  b.listen("a");
  b.sockets.open();
  std::optional<asio::local::stream_protocol::acceptor> supervisor;
  const auto begin = [&] { supervisor.emplace(b.control, path); };
  const auto accept = [&] {
    const deadline until{patience};
    supervisor->non_blocking(true);
    for (;;) {
      boost::system::error_code ec;
      auto connection = supervisor->accept(ec);
      if (!ec) return connection;
      if (until.passed()) throw std::runtime_error{"it does not connect"};
      b.control.restart();
      b.control.run_for(1ms);
    }
  };
  begin();
  b.service.serves(4, true);
  b.next();
  b.next();
  {
    const auto connection = accept();
    CHECK_FALSE(wait_readable(b.manager.socket(), 0s));  // it is the one that knows
    supervisor.reset();
  }
  ::unlink(path.c_str());
  begin();
  const auto again = accept();
  const auto said = b.next();
  CHECK(said.has("MAINPID=" + std::to_string(::getpid())));
  CHECK(said.has("READY=1"));
  CHECK(said.has("STATUS=generation 4 serves"));
  const auto stored = b.next();
  CHECK(stored.text == "FDSTORE=1\nFDNAME=a");
  REQUIRE(stored.descriptors.size() == 1);
  CHECK(os::cookie_of(stored.descriptors[0].get()) == os::cookie_of(b.sockets.find("a")->fd.get()));
  b.service.finish();
}

TEST_CASE("a supervisor that ends too confirms that it has released the sockets that it kept") {
  for (const std::string& answer : std::vector<std::string>{
           R"({"parameters":{"released":true}})", R"({"parameters":{"released":false}})",
           R"({"error":"org.varlink.service.MethodNotFound"})", "x", ""}) {
    supervised b;
    auto connection = b.supervisor->accept();
    int asked = 0;
    bool kept = true;
    b.service.ask_for_sockets([&] {
      ++asked;
      kept = !b.sockets.kept().empty();
    });
    CHECK(asked == 0);
    CHECK(asked_on(connection) == release_call);
    if (answer.empty()) {
      connection.close();
    } else {
      reply(connection, answer);
    }
    run_until(b.control, [&] { return asked > 0; });
    CHECK(asked == 1);
    CHECK(kept == (answer.find("true") == std::string::npos));
  }
}

TEST_CASE("with nothing kept, or no supervisor to ask, an end waits for no answer") {
  service_fixture b{{.store = 9}};
  bool asked = false;
  b.service.ask_for_sockets([&] { asked = true; });
  CHECK(asked);
  asked = false;
  b.listen("a");
  b.sockets.open();
  b.service.serves(1, false);
  b.service.ask_for_sockets([&] { asked = true; });
  CHECK(asked);
  CHECK(b.sockets.kept() == graceful::inventory::names{"a"});
}

TEST_CASE("a supervisor that has died keeps nothing") {
  for (const bool noticed : {false, true}) {
    supervised b;
    b.supervisor->accept().close();
    b.supervisor->close();
    if (noticed) b.control.poll();
    bool asked = false;
    b.service.ask_for_sockets([&] { asked = true; });
    CHECK(asked);
    CHECK(b.sockets.kept().empty());
  }
}

TEST_CASE(
    "a supervisor that has executed itself again is asked at once, on a connection of its own") {
  enum class ended { unnoticed, noticed, after_the_question };
  for (const auto when : {ended::unnoticed, ended::noticed, ended::after_the_question}) {
    for (const char* released : {"true", "false"}) {
      supervised b;
      auto before = b.supervisor->accept();
      if (when != ended::after_the_question) before.close();
      if (when == ended::noticed) b.control.poll();
      bool asked = false;
      b.service.ask_for_sockets([&] { asked = true; });
      CHECK_FALSE(asked);
      if (when == ended::after_the_question) {
        before.close();
        b.control.restart();
        b.control.poll();
        CHECK_FALSE(asked);
      }
      b.supervisor->non_blocking(true);
      auto connection = b.supervisor->accept();
      CHECK(asked_on(connection) == release_call);
      reply(connection, std::string{R"({"parameters":{"released":)"} + released + "}}");
      run_until(b.control, [&] { return asked; });
      CHECK(asked);
      CHECK(b.sockets.kept().empty() == (released == std::string{"true"}));
    }
  }
}

TEST_CASE("a server objects to an upgrade while its supervisor cannot hear of it") {
  supervised b;
  const auto connection = b.supervisor->accept();
  CHECK_FALSE(b.service.objection(false));
  ::unlink(b.service_fixture::d.path("notify").c_str());
  const auto why = b.service.objection(true);
  REQUIRE(why);
  CHECK(why->find("No such file or directory") != std::string::npos);
  CHECK(why->find("try again") != std::string::npos);
}

TEST_CASE("a server can be upgraded if its supervisor can see the successor on the control path") {
  supervised b;
  const auto connection = b.supervisor->accept();
  ::unlink(b.service_fixture::d.path("notify").c_str());
  b.service.watched_by("another");
  CHECK(b.service.objection(true));
  b.service.watched_by(b.path);
  CHECK_FALSE(b.service.objection(true));
  CHECK(b.service.objection(false));
}

TEST_CASE("a server without a supervisor, or whose supervisor has died, can be upgraded") {
  service_fixture alone{{.store = 9}};
  alone.service.serves(1, false);
  ::unlink(alone.d.path("notify").c_str());
  CHECK_FALSE(alone.service.objection(false));

  supervised b;
  b.supervisor->accept().close();
  b.supervisor->close();
  ::unlink(b.service_fixture::d.path("notify").c_str());
  CHECK(b.service.objection(false));
  b.control.poll();  // now it has been noticed
  CHECK_FALSE(b.service.objection(false));
}
