// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/session_host.hpp"

#include "control/await.hpp"
#include "os/channel.hpp"
#include "os/close_aside.hpp"
#include "os/peer.hpp"
#include "os/spare_descriptors.hpp"
#include "wire/control_messages.hpp"

#include <boost/asio/post.hpp>

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

/// How long to leave the queue alone when nothing can be accepted, for example for lack of
/// descriptors.
constexpr std::chrono::milliseconds retry_pause{100};

std::string described_user(uid_t user) {
  if (os::is_one_user(user)) return std::to_string(user);
  return std::to_string(user) +
         ", who has no number in this user namespace: give the order as the user that the server "
         "is outside of it (setpriv --reuid=UID --clear-groups graceful-ctl ...)";
}

/// Sends what fits into the empty buffer of a new socket: the rest is not worth waiting for.
void refuse(unique_fd socket, const wire::reply& why) {
  (void)os::send_now(socket.get(), wire::to_message(why));
  os::close_connection(std::move(socket));
}

}  // namespace

session_host::session_host(asio::io_context& context, log& log, std::string called, callbacks on)
    : context_{context},
      log_{log},
      called_{std::move(called)},
      callbacks_{std::move(on)},
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
  for (const auto& [id, session] : sessions_) session->close();
}

void session_host::hang_up() {
  for (const auto& [id, session] : sessions_) {
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
      log_.error(called_ + ": " + std::string{e.what()});
    }
  } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
    return call_after(retry_timer_, retry_pause, [this] {
      if (listener_.is_open()) accept();
    });
  }
  accept();
}

void session_host::admit(unique_fd socket) {
  const auto peer = os::peer::of(socket.get());
  if (!peer || !peer->trusted()) {
    log_.warning("refused a connection to the " + called_ + " by user " +
                 (peer ? described_user(peer->uid) : "unknown"));
    wire::reply refusal;
    refusal.error = wire::permission_denied;
    return refuse(std::move(socket), refusal);
  }
  if (sessions_.size() >= max_sessions && !make_room()) {
    return refuse(std::move(socket),
                  wire::to_error(wire::busy_error,
                                 "all " + std::to_string(max_sessions) +
                                     " connections to the server wait for an answer; try again"));
  }
  add(std::move(socket), peer->pid)->start();
}

void session_host::adopt(unique_fd socket) { add(std::move(socket), 0)->start_as_channel(); }

std::shared_ptr<control_session> session_host::add(unique_fd socket, pid_t peer_pid) {
  const auto id = next_id_++;
  auto session = std::make_shared<control_session>(
      context_, std::move(socket), peer_pid, id,
      control_session::callbacks{.waiting = [this](control_session& from) { on_waiting(from); },
                                 .call = callbacks_.call,
                                 .closed =
                                     [this](control_session& from) {
                                       sessions_.erase(from.id());
                                       callbacks_.closed(from);
                                     }});
  sessions_.emplace(id, session);
  return session;
}

/// An operator can connect however many idle connections others keep open. Connections with a call
/// under way are never closed for that.
bool session_host::make_room() {
  const auto oldest = std::ranges::min_element(sessions_, {}, [this](const auto& each) {
    return std::pair{!dispensable(*each.second), each.second->idle_since()};
  });
  if (oldest == sessions_.end() || !dispensable(*oldest->second)) return false;
  oldest->second->close();
  sessions_.erase(oldest);
  return true;
}

void session_host::sweep() {
  os::spare_descriptors::refill();
  const auto limit = std::chrono::steady_clock::now() - idle_limit;
  for (const auto& [id, session] : sessions_) {
    const bool stuck = session->congested() || dispensable(*session);
    if ((stuck && session->idle_since() < limit) || session->left()) session->close();
  }
  call_after(sweep_timer_, sweep_interval, [this] { sweep(); });
}

/// True if nobody waits for anything on it.
bool session_host::dispensable(const control_session& session) const {
  return !session.occupied() && !callbacks_.needed(session);
}

void session_host::on_waiting(control_session& from) {
  (callbacks_.needed(from) ? urgent_ : waiting_).push_back(from.weak_from_this());
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

}  // namespace graceful
