// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SERVER_CONTROL_SERVER_HPP
#define GRACEFUL_SERVER_CONTROL_SERVER_HPP

#include <graceful/control_client.hpp>

#include "control/control_session.hpp"
#include "control/session_host.hpp"
#include "handoff/predecessor_driver.hpp"
#include "os/log.hpp"
#include "wire/handoff_messages.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <optional>

namespace graceful {

/// Answers the calls on the control socket. Lives on the control thread.
class control_server final {
 public:
  struct settings {
    std::function<server_status()> status;
    /// The refusal of all calls except Status; none if they are allowed.
    std::function<std::optional<wire::reply>()> refusal;
    /// Handles the report of a draining process, and the end of a reporter's connection.
    std::function<void(control_session&, const wire::report&)> report;
    std::function<void(const control_session&)> reporter_gone;
    /// Streams all events to the session.
    std::function<void(control_session&)> monitor;
    /// Makes the process drain, at once or not, and streams the drain to the session.
    std::function<void(control_session&, bool now)> drain;
    std::function<server_metrics()> metrics;
    /// A caller of Upgrade may not choose what is executed.
    bool fixed_command = false;
    /// A supervisor watches who serves here.
    std::function<void(const std::string& supervisor)> watched;
  };

  control_server(asio::io_context& control, log& log, predecessor_driver& driver, settings s);
  /// Serves on `listener`, which is borrowed.
  void start(int listener) { host_.start(listener); }

  /// Makes a connection for a successor, and serves on it. Returns the successor's end; empty if
  /// that fails.
  unique_fd open_channel();

  /// Takes no more connections; existing ones go on.
  void stop_accepting() { host_.stop_accepting(); }

  /// Closes all connections.
  void stop() { host_.stop(); }

 private:
  void on_call(control_session& from, const wire::call& call);
  [[nodiscard]] std::optional<std::string> denial(control_session& from,
                                                  const upgrade_request& request) const;
  void on_upgrade(control_session& from, const upgrade_request& request);
  void plan(control_session& from, const wire::call& call);

  log& log_;
  predecessor_driver& driver_;
  settings settings_;
  session_host host_;
};

}  // namespace graceful

#endif
