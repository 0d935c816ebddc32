// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "control/session_host.hpp"
#include "handoff/passed_channel.hpp"

#include "log_book.hpp"
#include "patience.hpp"
#include "varlink_peer.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace graceful_test {

/// Serves connections on a context that the test runs.
struct served_sessions : log_book {
  ~served_sessions() { host.stop(); }

  varlink_peer connect() {
    auto ends = graceful::channel_pair::make();
    REQUIRE(ends.ours);
    host.adopt(std::move(ends.ours));
    return varlink_peer{std::move(ends.theirs)};
  }

  template <class Predicate>
  bool run_until(Predicate done) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!done()) {
      if (std::chrono::steady_clock::now() > until) return false;
      io.restart();
      io.run_one_for(std::chrono::milliseconds{10});
    }
    return true;
  }

  /// The next message that the peer gets.
  boost::json::object reply_to(varlink_peer& peer) {
    std::string text;
    REQUIRE(run_until([&] {
      if (auto got = peer.receive(std::chrono::milliseconds{0})) text = std::move(*got);
      return !text.empty();
    }));
    return boost::json::parse(text).as_object();
  }

  /// The reply to a call.
  boost::json::object call(varlink_peer& peer, const graceful::wire::call& c) {
    const auto message = graceful::wire::to_message(c);
    REQUIRE(peer.send_raw(message));
    return reply_to(peer);
  }

  boost::asio::io_context io;
  std::function<void(graceful::control_session&, const graceful::wire::call&)> on_call;
  std::function<void(const graceful::control_session&)> on_closed;
  graceful::session_host host{io,
                              log,
                              "control socket",
                              {.call = [this](graceful::control_session& from,
                                              const graceful::wire::call& c) { on_call(from, c); },
                               .closed =
                                   [this](const graceful::control_session& from) {
                                     if (on_closed) on_closed(from);
                                   },
                               .needed = [](const graceful::control_session&) { return true; }}};
};

inline std::string text_of(const boost::json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  return found != nullptr && found->is_string() ? std::string{found->get_string()} : std::string{};
}

inline boost::json::object parameters_of(const boost::json::object& reply) {
  const auto* found = reply.if_contains("parameters");
  return found == nullptr ? boost::json::object{} : found->as_object();
}

}  // namespace graceful_test
