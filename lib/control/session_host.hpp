// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/unique_fd.hpp>

#include "control/control_session.hpp"
#include "os/log.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace graceful {

/// Takes connections on a Unix socket, admits only the same user and root, and closes idle ones.
/// Runs on the thread of its context.
class session_host {
 public:
  struct callbacks {
    std::function<void(control_session&, wire::call)> call;
    std::function<void(const control_session&)> closed;
    /// True if the session is needed although no call waits on it.
    std::function<bool(const control_session&)> needed;
  };

  /// `called`: the name of the socket for the log.
  session_host(asio::io_context& context, log& log, std::string called, callbacks on);
  ~session_host();

  /// Serves on `listener`, which is borrowed.
  void start(int listener);

  /// Serves on a connection whose other end is passed to a process. The first message identifies
  /// that process.
  void adopt(unique_fd socket);

  /// Takes no more connections; existing ones go on.
  void stop_accepting();

  /// Closes all connections.
  void stop();

  /// Closes the connections on which nobody waits for an answer, even those that are needed: their
  /// peers connect again.
  void hang_up();

 private:
  void accept();
  void on_connectable();
  void admit(unique_fd socket);
  [[nodiscard]] bool make_room();
  void sweep();
  std::shared_ptr<control_session> add(unique_fd socket, pid_t peer_pid);
  void on_waiting(control_session& from);
  void post_turn();
  void give_turn();
  [[nodiscard]] bool dispensable(const control_session& session) const;

  asio::io_context& context_;
  log& log_;
  const std::string called_;
  const callbacks callbacks_;
  asio::local::stream_protocol::acceptor listener_;
  asio::steady_timer sweep_timer_;
  asio::steady_timer retry_timer_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, std::shared_ptr<control_session>> sessions_;
  std::deque<std::weak_ptr<control_session>> waiting_;  // for their turns
  std::deque<std::weak_ptr<control_session>> urgent_;   // the same, for sessions that are needed
  bool urgent_was_last_ = false;
  bool turn_posted_ = false;
};

}  // namespace graceful
