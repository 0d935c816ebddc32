// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_CONTROL_SERVER_HPP
#define GRACEFUL_LIB_CONTROL_SERVER_HPP

#include <graceful/control_client.hpp>
#include <graceful/unique_fd.hpp>

#include "wire/handoff_messages.hpp"

#include "control_session.hpp"
#include "log.hpp"
#include "predecessor_driver.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace graceful {

/// Takes connections on the control socket, lets only the same user and root in, and answers
/// their calls. Lives on the control thread.
class control_server final : private control_session::owner {
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
  };

  control_server(asio::io_context& control, log& log, predecessor_driver& driver, settings s);
  ~control_server();

  /// Serves on `listener`, which it borrows.
  void start(int listener);

  /// Takes no more connections; those that exist go on.
  void stop_accepting();

  /// Closes all connections.
  void stop();

 private:
  void accept();
  void on_connectable();
  void admit(unique_fd socket);
  [[nodiscard]] bool make_room();
  void sweep();
  void on_call(control_session& from, wire::call call) override;
  void on_closed(control_session& from) override;
  [[nodiscard]] bool dispensable(const control_session& session) const;

  asio::io_context& control_;
  log& log_;
  predecessor_driver& driver_;
  settings settings_;
  asio::local::stream_protocol::acceptor listener_;
  asio::steady_timer sweep_timer_;
  asio::steady_timer retry_timer_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, std::shared_ptr<control_session>> sessions_;
};

}  // namespace graceful

#endif
