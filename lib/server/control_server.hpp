// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/control_client.hpp>

#include "control/control_session.hpp"
#include "control/session_host.hpp"
#include "handoff/predecessor_driver.hpp"
#include "os/log.hpp"
#include "wire/handoff_messages.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace graceful {

/// Answers the calls on the control socket, and streams events to monitors. Lives on the control
/// thread.
class control_server final {
 public:
  struct settings {
    std::uint64_t generation;
    /// A caller of Upgrade may not choose what is executed.
    bool fixed_command = false;
  };
  struct callbacks {
    std::function<server_status()> status;
    std::function<server_metrics()> metrics;
    /// What this process does now, in words.
    std::function<std::string()> state;
    /// The refusal of all calls except Status; none if they are allowed.
    std::function<std::optional<wire::reply>()> refusal;
    /// Handles the report of a draining process, and the end of a reporter's connection.
    std::function<void(control_session&, const wire::report&)> report;
    std::function<void(const control_session&)> reporter_gone;
    /// Makes the process drain, at once or not, and streams the drain to the session.
    std::function<void(control_session&, bool now)> drain;
    /// A supervisor watches who serves here.
    std::function<void(const std::string& supervisor)> watched;
  };

  control_server(asio::io_context& control, log& log, predecessor_driver& driver, settings s,
                 callbacks on);
  /// Serves on `listener`, which is borrowed.
  void start(int listener) { host_.start(listener); }

  /// Makes a connection for a successor, and serves on it. Returns the successor's end; empty if
  /// that fails.
  unique_fd open_channel();

  /// Streams an event to all monitors.
  void tell(const std::string& event, const std::string& message);

  /// Streams the last event, and ends the Monitor calls, also those that come later.
  void conclude(const std::string& event, const std::string& message);

  /// Takes no more connections; existing ones go on.
  void stop_accepting() { host_.stop_accepting(); }

  void stop() { host_.stop(); }

 private:
  void on_call(control_session& from, const wire::call& call);
  [[nodiscard]] std::optional<std::string> denial(control_session& from,
                                                  const upgrade_request& request) const;
  void upgrade(control_session& from, const wire::call& call);
  void plan(control_session& from, const wire::call& call);
  void monitor(control_session& from);
  [[nodiscard]] wire::reply to_reply(const std::string& event, const std::string& message) const;

  log& log_;
  predecessor_driver& driver_;
  const settings settings_;
  const callbacks callbacks_;
  std::vector<std::weak_ptr<control_session>> monitors_;
  std::optional<wire::reply> conclusion_;
  session_host host_;
};

}  // namespace graceful
