// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/deadline.hpp>

#include "os/listening_socket.hpp"
#include "service/service.hpp"

#include "listening_peer.hpp"
#include "notify_socket.hpp"
#include "patience.hpp"
#include "tcp_sockets.hpp"
#include "temporary_directory.hpp"

#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graceful_test {

/// A service on a control context that runs while the test waits.
struct service_fixture {
  explicit service_fixture(graceful::service::settings settings)
      : service{control, messages, sockets, application.get_executor(),
                with_socket(std::move(settings))} {}

  graceful::service::settings with_socket(graceful::service::settings s) const {
    s.notify_socket = manager.address();
    return s;
  }

  notification next() {
    run_until(control, [this] {
      return graceful::testing::wait_readable(manager.socket(), std::chrono::seconds{0});
    });
    return manager.next(patience);
  }

  /// Opens a listener under this name.
  void listen(const std::string& name) {
    REQUIRE(sockets.obtain(name, v4("127.0.0.1"), {}, {}).has_value());
  }

  /// A listener that the predecessor passes, and its manager keeps.
  void take_over(const std::string& name) {
    auto fd = graceful::os::listen_tcp(v4("127.0.0.1"), {}).value();
    service.keeps(name, fd.get());
    sockets.inherit(name, std::move(fd), graceful::origin::predecessor, true);
  }

  temporary_directory d;
  notify_socket manager{d.path("notify")};
  boost::asio::io_context control;
  boost::asio::io_context application;
  std::vector<std::string> logged;
  graceful::log messages{
      [this](graceful::log_level, std::string_view text) { logged.emplace_back(text); }};
  graceful::inventory sockets{messages};
  graceful::service service;
};

}  // namespace graceful_test
