// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control_server.hpp"

#include "os/channel.hpp"
#include "os/peer.hpp"
#include "wire/control_messages.hpp"
#include "wire/interfaces.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <string>
#include <utility>

#include <sys/socket.h>

namespace graceful {

namespace {

constexpr std::size_t max_sessions = 64;
constexpr std::chrono::seconds idle_limit{30};
constexpr std::chrono::seconds sweep_interval{5};

/// How long to leave the queue alone when nothing can be accepted: no descriptors, for instance.
constexpr std::chrono::milliseconds retry_pause{100};

}  // namespace

control_server::control_server(asio::io_context& control, log& log, predecessor_driver& driver,
                               settings s)
    : control_{control},
      log_{log},
      driver_{driver},
      settings_{std::move(s)},
      listener_{control},
      sweep_timer_{control},
      retry_timer_{control} {}

control_server::~control_server() { stop_accepting(); }

void control_server::start(int listener) {
  listener_.assign(asio::local::stream_protocol{}, listener);
  accept();
  sweep();
}

void control_server::stop_accepting() {
  // Assigned, so its entry leaves epoll although the successor holds the same socket.
  if (listener_.is_open()) (void)listener_.release();
  retry_timer_.cancel();
}

void control_server::stop() {
  stop_accepting();
  sweep_timer_.cancel();
  const auto sessions = sessions_;
  for (const auto& [id, session] : sessions) session->close();
}

void control_server::accept() {
  listener_.async_wait(listener_.wait_read, [this](boost::system::error_code ec) {
    if (!ec && listener_.is_open()) on_connectable();
  });
}

void control_server::on_connectable() {
  const int fd =
      ::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd >= 0) {
    unique_fd socket{fd};
    try {
      admit(std::move(socket));
    } catch (const std::exception& e) {
      // No memory or no room in epoll for this connection: the next one may be luckier.
      log_.error("control socket: " + std::string{e.what()});
    }
  } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
    retry_timer_.expires_after(retry_pause);
    retry_timer_.async_wait([this](boost::system::error_code ec) {
      if (!ec && listener_.is_open()) accept();
    });
    return;
  }
  accept();
}

void control_server::admit(unique_fd socket) {
  const auto peer = os::peer::of(socket.get());
  if (!peer || !peer->trusted()) {
    log_.warning("refused a connection to the control socket by user " +
                 (peer ? std::to_string(peer->uid) : "unknown"));
    wire::reply refusal;
    refusal.error = wire::permission_denied;
    // Fits into the empty buffer of a new socket, or is not worth waiting for.
    (void)os::send_now(socket.get(), wire::to_message(refusal));
    return;
  }
  if (sessions_.size() >= max_sessions && !make_room()) {
    const auto refusal = wire::to_error(
        wire::busy_error, "every one of " + std::to_string(max_sessions) +
                              " connections to the server waits for an answer; try again");
    (void)os::send_now(socket.get(), wire::to_message(refusal));  // as above
    return;
  }
  const auto id = next_id_++;
  control_session::owner& self = *this;
  auto session =
      std::make_shared<control_session>(control_, std::move(socket), peer->pid, id, self);
  sessions_.emplace(id, session);
  session->start();
}

/// An operator gets in however many connections somebody has left lying about. Those on which a
/// call is under way are not for others to end.
bool control_server::make_room() {
  control_session* oldest = nullptr;
  for (const auto& [id, session] : sessions_) {
    if (!dispensable(*session)) continue;
    if (oldest == nullptr || session->idle_since() < oldest->idle_since()) oldest = session.get();
  }
  if (oldest == nullptr) return false;
  const auto id = oldest->id();
  oldest->close();
  sessions_.erase(id);
  return true;
}

void control_server::sweep() {
  const auto limit = std::chrono::steady_clock::now() - idle_limit;
  const auto sessions = sessions_;
  for (const auto& [id, session] : sessions) {
    const bool stuck = session->congested() || dispensable(*session);
    if (stuck && session->idle_since() < limit) session->close();
  }
  sweep_timer_.expires_after(sweep_interval);
  sweep_timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec) sweep();
  });
}

/// Nobody waits for anything on it.
bool control_server::dispensable(const control_session& session) const {
  return !session.occupied() && !driver_.is_successor(session);
}

void control_server::on_call(control_session& from, wire::call call) {
  if (auto answer = wire::answer_service_call(call)) return from.reply(*answer);
  if (call.method == wire::status_method) return from.reply(wire::to_reply(settings_.status()));
  if (call.method == wire::metrics_method) return from.reply(wire::to_reply(settings_.metrics()));
  if (call.method == wire::drain_method) {
    const auto now = wire::parse_drain(call.parameters);
    if (now) return settings_.drain(from, *now);
    return from.reply(wire::invalid("now"));
  }
  if (call.method == wire::monitor_method) {
    if (call.more) return settings_.monitor(from);
    wire::reply refusal;
    refusal.error = wire::expected_more;
    return from.reply(refusal);
  }
  if (call.method == wire::report_method) {
    const auto report = wire::parse_report(call.parameters);
    if (report) return settings_.report(from, *report);
    return from.reply(wire::invalid("generation, pid or connections"));
  }
  if (call.method == wire::abort_method) {
    if (driver_.abort()) return from.reply(wire::reply{});
    return from.reply(wire::to_error(
        wire::no_upgrade_error,
        driver_.in_probation()
            ? "the successor is ready already: graceful-ctl rollback has this process serve again"
            : "no upgrade is under way that could be aborted"));
  }
  if (call.method == wire::commit_method || call.method == wire::rollback_method) {
    const auto reason = wire::parse_rollback(call.parameters);
    if (!reason) return from.reply(wire::invalid("reason"));
    return call.method == wire::commit_method ? driver_.commit(from)
                                              : driver_.rollback(from, *reason);
  }
  const bool known =
      call.method == wire::upgrade_method || call.method.starts_with("io.graceful.Handoff.");
  if (known) {
    if (const auto refusal = settings_.refusal()) return from.reply(*refusal);
  }
  if (call.method == wire::upgrade_method) {
    const auto request = wire::parse_upgrade(call.parameters);
    if (request) return driver_.upgrade(from, *request);
    return from.reply(wire::invalid("command, environment or timeout_ms"));
  }
  if (!driver_.handoff(from, call)) from.reply(wire::unknown_method(call));
}

void control_server::on_closed(control_session& from) {
  sessions_.erase(from.id());
  driver_.closed(from);
  settings_.reporter_gone(from);
}

}  // namespace graceful
