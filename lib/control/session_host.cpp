// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/session_host.hpp"

#include "control/await_readable.hpp"
#include "os/channel.hpp"
#include "os/close_aside.hpp"
#include "os/peer.hpp"
#include "os/spare_descriptors.hpp"
#include "wire/control_messages.hpp"

#include <boost/asio/post.hpp>

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

/// How long to leave the queue alone when nothing can be accepted, for example for lack of
/// descriptors.
constexpr std::chrono::milliseconds retry_pause{100};

std::string described_user(uid_t user) {
  if (os::is_one_user(user)) return std::to_string(user);
  return std::to_string(user) +
         ", who has no number in this user namespace: give the order as the user that the server "
         "is outside of it (setpriv --reuid=UID --clear-groups graceful-ctl ...)";
}

}  // namespace

session_host::session_host(asio::io_context& context, log& log, settings s)
    : context_{context},
      log_{log},
      settings_{std::move(s)},
      listener_{context},
      sweep_timer_{context},
      retry_timer_{context} {}

session_host::~session_host() { stop_accepting(); }

void session_host::start(int listener) {
  listener_.assign(asio::local::stream_protocol{}, listener);
  os::refuse_descriptors(listener);
  accept();
  sweep();
}

void session_host::stop_accepting() {
  // It was assigned, so its entry leaves epoll although the successor holds the same socket.
  if (listener_.is_open()) (void)listener_.release();
  retry_timer_.cancel();
}

void session_host::stop() {
  stop_accepting();
  sweep_timer_.cancel();
  const auto sessions = sessions_;
  for (const auto& [id, session] : sessions) session->close();
}

void session_host::hang_up() {
  const auto sessions = sessions_;
  for (const auto& [id, session] : sessions) {
    if (!session->occupied() && !session->congested()) session->close();
  }
}

void session_host::accept() {
  await_readable(listener_, [this] {
    if (listener_.is_open()) on_connectable();
  });
}

void session_host::on_connectable() {
  const int fd = os::spare_descriptors::with([this] {
    return ::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  });
  if (fd >= 0) {
    unique_fd socket{fd};
    try {
      admit(std::move(socket));
    } catch (const std::exception& e) {
      // No memory, or no room in epoll, for this connection: the next may be luckier.
      log_.error(settings_.called + ": " + std::string{e.what()});
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

void session_host::admit(unique_fd socket) {
  const auto peer = os::peer::of(socket.get());
  if (!peer || !peer->trusted()) {
    log_.warning("refused a connection to the " + settings_.called + " by user " +
                 (peer ? described_user(peer->uid) : "unknown"));
    wire::reply refusal;
    refusal.error = wire::permission_denied;
    // Fits into the empty buffer of a new socket, or is not worth waiting for.
    (void)os::send_now(socket.get(), wire::to_message(refusal));
    return os::close_connection(std::move(socket));
  }
  if (sessions_.size() >= max_sessions && !make_room()) {
    const auto refusal = wire::to_error(
        wire::busy_error, "every one of " + std::to_string(max_sessions) +
                              " connections to the server waits for an answer; try again");
    (void)os::send_now(socket.get(), wire::to_message(refusal));  // as above
    return os::close_connection(std::move(socket));
  }
  const auto id = next_id_++;
  control_session::owner& self = *this;
  auto session =
      std::make_shared<control_session>(context_, std::move(socket), peer->pid, id, self);
  sessions_.emplace(id, session);
  session->start();
}

void session_host::adopt(unique_fd socket) {
  const auto id = next_id_++;
  control_session::owner& self = *this;
  auto session = std::make_shared<control_session>(context_, std::move(socket), 0, id, self);
  sessions_.emplace(id, session);
  session->start_as_channel();
}

/// An operator can connect however many idle connections others keep open. Connections with a call
/// under way are never closed for that.
bool session_host::make_room() {
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

void session_host::sweep() {
  os::spare_descriptors::refill();
  const auto limit = std::chrono::steady_clock::now() - idle_limit;
  const auto sessions = sessions_;
  for (const auto& [id, session] : sessions) {
    const bool stuck = session->congested() || dispensable(*session);
    if ((stuck && session->idle_since() < limit) || session->left()) session->close();
  }
  sweep_timer_.expires_after(sweep_interval);
  sweep_timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec) sweep();
  });
}

/// True if nobody waits for anything on it.
bool session_host::dispensable(const control_session& session) const {
  return !session.occupied() && !settings_.needed(session);
}

void session_host::on_waiting(control_session& from) {
  (settings_.needed(from) ? urgent_ : waiting_).push_back(from.weak_from_this());
  post_turn();
}

/// The event loop runs once between two calls, so that signals, timers and the upgrade under way
/// wait for one call at most, however many calls there are.
void session_host::post_turn() {
  if (urgent_.empty() && waiting_.empty()) return;
  if (!std::exchange(turn_posted_, true)) asio::post(context_, [this] { give_turn(); });
}

void session_host::give_turn() {
  turn_posted_ = false;
  urgent_was_last_ = !urgent_.empty() && (waiting_.empty() || !urgent_was_last_);
  auto& turns = urgent_was_last_ ? urgent_ : waiting_;
  const auto next = turns.front().lock();
  turns.pop_front();
  post_turn();
  if (next) next->take_turn();
}

void session_host::on_call(control_session& from, wire::call call) {
  settings_.call(from, std::move(call));
}

void session_host::on_closed(control_session& from) {
  sessions_.erase(from.id());
  settings_.closed(from);
}

}  // namespace graceful
