// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/upgrader.hpp>

#include "open_metrics.hpp"
#include "temporary_directory.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>

using namespace graceful_test;
using boost::asio::ip::tcp;

namespace {

/// A server within the test, which records its log.
struct server {
  explicit server(graceful::log_level threshold = graceful::log_level::info)
      : up{io,
           {.control_path = directory.path("s"),
            .log = [this](graceful::log_level, std::string_view) { ++logged; },
            .log_threshold = threshold}} {}

  open_metrics metrics() { return parse_open_metrics(up.metrics()); }

  temporary_directory directory;
  boost::asio::io_context io;
  int logged = 0;
  graceful::upgrader up;
};

}  // namespace

TEST_CASE("an application can ask for its metrics from the beginning on") {
  server s;
  CHECK(s.metrics().at("graceful_state{graceful_state=starting}") == 1);
  const auto acceptor = s.up.listen<tcp>("a \"b\"", {tcp::v4(), 0}, {.backlog = 77});
  CHECK(s.metrics().at("graceful_listener_accept_queue{listener=a \"b\"}") == 0);
  s.up.ready();
  const auto got = s.metrics();
  CHECK(got.at("graceful_state{graceful_state=serving}") == 1);
  CHECK(got.at("graceful_listener_accept_queue_limit{listener=a \"b\"}") == 77);
}

TEST_CASE("a connection that is cut is counted before it is told") {
  server s;
  s.up.ready();
  std::optional<open_metrics> seen;
  const auto token = s.up.track(s.io.get_executor(), [&](graceful::drain_stage stage) {
    if (stage == graceful::drain_stage::deadline) seen = s.metrics();
  });
  CHECK(s.metrics().at("graceful_connections") == 1);
  CHECK(s.metrics().at("graceful_connections_draining") == 0);
  s.up.drain_now();
  s.io.run();
  REQUIRE(seen);
  CHECK(seen->at("graceful_connections_cut_total") == 1);
  CHECK(seen->at("graceful_connections_draining") == 1);
  CHECK(seen->at("graceful_state{graceful_state=draining}") == 1);
}

TEST_CASE("the log has the threshold of the options") {
  server talkative;
  talkative.up.ready();
  CHECK(talkative.logged == 1);
  server quiet{graceful::log_level::error};
  quiet.up.ready();
  CHECK(quiet.logged == 0);
}
