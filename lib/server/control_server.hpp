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

/// Answers the calls that come on the control socket. Lives on the control thread.
class control_server final {
 public:
  struct settings {
    std::function<server_status()> status;
    /// Why nothing but Status can be asked for; none if it can.
    std::function<std::optional<wire::reply>()> refusal;
    /// A process that drains says so; a reporter has gone.
    std::function<void(control_session&, const wire::report&)> report;
    std::function<void(const control_session&)> reporter_gone;
    /// Tells the session all that happens.
    std::function<void(control_session&)> monitor;
    /// Has the process drain, at once or not, and the session watch it.
    std::function<void(control_session&, bool now)> drain;
    std::function<server_metrics()> metrics;
    /// Nobody who asks for an upgrade may choose what is executed.
    bool fixed_command = false;
    /// A supervisor looks who serves here.
    std::function<void(const std::string& supervisor)> watched;
  };

  control_server(asio::io_context& control, log& log, predecessor_driver& driver, settings s);
  /// Serves on `listener`, which it borrows.
  void start(int listener) { host_.start(listener); }

  /// Serves on a connection that is made for a successor; returns its end, empty if that fails.
  unique_fd open_channel();

  /// Takes no more connections; those that exist go on.
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
