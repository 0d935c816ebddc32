// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/control_session.hpp"

#include "control/await.hpp"
#include "os/child.hpp"
#include "os/close_aside.hpp"
#include "os/peer.hpp"
#include "os/process_identity.hpp"
#include "os/spare_descriptors.hpp"

#include <boost/asio/post.hpp>

#include <exception>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

namespace graceful {

namespace {

using kind = os::transfer::kind;
using boost::system::error_code;

/// The size of the replies that may wait for a peer that does not read them.
constexpr std::size_t max_outgoing = std::size_t{1} << 20;

}  // namespace

control_session::control_session(asio::io_context& control, unique_fd socket, pid_t peer_pid,
                                 std::uint64_t id, callbacks on)
    : socket_{control},
      peer_pidfd_{control},
      peer_pid_{peer_pid},
      id_{id},
      callbacks_{std::move(on)} {
  socket_.assign(asio::local::stream_protocol{}, socket.get());
  // socket_ owns it from here on; if assign() had thrown, it would not.
  mark_.emplace(socket.release());
  os::refuse_descriptors(socket_.native_handle());
}

void control_session::start() {
  identity_ = os::process_identity::of(peer_pid_);
  read();
}

void control_session::start_as_channel() {
  awaits_peer_ = true;
  read();
}

/// Identifies the peer of a channel by its first message. False if this process does not trust it,
/// as with SO_PEERCRED of a process that connects.
bool control_session::meet(os::inbox& box) {
  if (!std::exchange(awaits_peer_, false)) return true;
  met_ = box.sender;
  if (!met_ || !met_->trusted()) return false;
  peer_pid_ = met_->pid;
  // Watch the process itself: a shell that passed the descriptor on keeps the connection open when
  // the successor ends.
  auto pidfd = box.sender_pidfd ? std::move(box.sender_pidfd) : os::open_pidfd(peer_pid_);
  error_code ignored;
  if (pidfd) peer_pidfd_.assign(pidfd.get(), ignored);
  if (pidfd && !ignored) {
    (void)pidfd.release();
    watch_peer();
  }
  return true;
}

void control_session::watch_peer() {
  await_readable(peer_pidfd_, [self = shared_from_this()] {
    if (!self->socket_.is_open()) return;
    if (!self->peer_gone()) return self->watch_peer();  // the wake-up was spurious
    if (self->take_in()) self->end_of_input(true);      // what it sent before still counts
  });
}

void control_session::read() {
  if (ended_ || next_ || !socket_.is_open() || std::exchange(reading_, true)) return;
  await_readable(socket_, [self = shared_from_this()] {
    self->reading_ = false;
    self->on_readable();
  });
}

void control_session::on_readable() {
  // Reading goes on when the waiting call has been handled. Until then, what the peer sends waits
  // in its socket.
  if (!socket_.is_open() || next_) return;
  if (!take_in()) return;
  wait_for_turn();
  read();
}

/// Takes in what the peer has sent. False if the connection, or the peer's side of it, has ended.
bool control_session::take_in() {
  os::inbox box;
  const auto got = os::receive_now(socket_.native_handle(), box);
  // They were sent before refuse_descriptors(), or the kernel cannot refuse them.
  os::close_aside(std::exchange(box.descriptors, {}));
  if (got.what == kind::closed) return end_of_input(false), false;
  if (got.what == kind::failed) return close(), false;
  if (got.what == kind::some) {
    if (!meet(box)) return close(), false;
    last_said_ = clock::now();
    incoming_.feed(box.bytes);
    // Calls pile up behind one that is not answered yet.
    if (incoming_.buffered() > 2 * wire::max_call_size) return close(), false;
  }
  return true;
}

/// What the peer has sent still counts. If it has only ended its own side, it still gets the
/// answers.
void control_session::end_of_input(bool gone) {
  ended_ = true;
  gone_ = gone_ || gone;
  if (!current_) return wait_for_turn();
  if (gone_ || hung_up()) close();
}

void control_session::wait_for_turn() {
  if (!socket_.is_open() || current_ || closing_ || next_) return;
  next_ = incoming_.next();
  if (next_) return callbacks_.waiting(*this);
  if (incoming_.overflowed() || (ended_ && outgoing_.empty())) return close();
  closing_ = ended_;  // when the answers are sent
}

void control_session::take_turn() {
  if (!socket_.is_open() || current_ || closing_ || !next_) return;
  auto call = wire::parse_call(*std::exchange(next_, {}));
  if (!call) return close();
  current_ = caller{call->more, call->oneway};
  try {
    callbacks_.call(*this, std::move(*call));
  } catch (const std::exception&) {
    close();  // no memory for this call, for example; the connection is of no more use
  }
  if (current_ && ended_ && (gone_ || hung_up())) return close();
  wait_for_turn();
  read();
}

void control_session::hear_out() {
  constexpr int most = 8;
  if (!socket_.is_open()) return;
  const auto self = shared_from_this();
  if (!next_ && !ended_ && take_in()) wait_for_turn();
  for (int i = 0; i < most && next_ && socket_.is_open() && !current_; ++i) take_turn();
}

void control_session::reply(const wire::reply& reply, std::vector<passed_descriptor> descriptors) {
  if (!current_ || !socket_.is_open()) return;
  const bool wanted = !current_->oneway && (current_->more || !reply.continues);
  if (!reply.continues) current_.reset();
  if (wanted) enqueue(reply, std::move(descriptors));
  wait_for_turn();
}

void control_session::close_with(const wire::reply& last) {
  if (!socket_.is_open() || closing_) return;
  closing_ = true;
  enqueue(last, {});
}

void control_session::enqueue(const wire::reply& reply,
                              std::vector<passed_descriptor> descriptors) {
  if (outgoing_size_ > max_outgoing) return close();
  if (outgoing_.empty()) last_taken_ = clock::now();
  outgoing_.push_back({wire::to_message(reply), 0, std::move(descriptors)});
  outgoing_size_ += outgoing_.back().bytes.size();
  if (!writing_) write();
}

void control_session::write() {
  while (!outgoing_.empty()) {
    message& m = outgoing_.front();
    std::vector<int> fds;
    if (m.sent == 0) {
      for (const auto& d : m.descriptors) fds.push_back(d.fd);
    }
    const auto done =
        os::send_now(socket_.native_handle(), std::string_view{m.bytes}.substr(m.sent), fds);
    if (done.what == kind::would_block) {
      writing_ = true;
      socket_.async_wait(socket_.wait_write, [self = shared_from_this()](error_code ec) {
        self->writing_ = false;
        if (ec && ec != asio::error::operation_aborted) return self->close();
        if (!ec && self->socket_.is_open()) self->write();
      });
      return;
    }
    if (done.what != kind::some) return close();
    last_taken_ = clock::now();
    m.sent += done.bytes;
    outgoing_size_ -= done.bytes;
    if (m.sent == m.bytes.size()) outgoing_.pop_front();
  }
  if (closing_) close();
}

/// The kernel names this process as the peer of a channel; the process that sends on it is another.
bool control_session::has_rights_of_this() {
  if (met_)
    return os::has_rights_of_this(*met_, peer_pidfd_.is_open() ? peer_pidfd_.native_handle() : -1);
  const auto peer = os::peer::of(socket_.native_handle());
  unique_fd held = os::peer_pidfd(socket_.native_handle());
  const bool has_them = peer && os::has_rights_of_this(*peer, held.get());
  os::spare_descriptors::close(std::move(held));
  // Where the kernel gives no pidfd of a peer (before Linux 6.5), its number may belong to another
  // process by now.
  const auto now = os::process_identity::of(peer_pid_);
  return has_them &&
         (os::needs_no_rights() || (identity_ && now && identity_->started == now->started));
}

bool control_session::peer_gone() {
  if (!socket_.is_open()) return true;
  if (peer_pidfd_.is_open() && os::wait_readable(peer_pidfd_.native_handle(), clock::now())) {
    return true;
  }
  pollfd p{.fd = socket_.native_handle(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&p, 1, 0) > 0;
}

/// A peer that has only ended its own side (shutdown(2), as `nc -N` does) still takes an answer.
bool control_session::caller_gone() { return !(current_ && current_->oneway) && hung_up(); }

bool control_session::hung_up() {
  if (!socket_.is_open()) return true;
  pollfd p{.fd = socket_.native_handle(), .events = 0, .revents = 0};  // POLLHUP: both directions
  return ::poll(&p, 1, 0) > 0;
}

void control_session::close() {
  if (!socket_.is_open()) return;
  error_code ignored;
  mark_.reset();
  os::close_connection(unique_fd{socket_.release(ignored)});
  peer_pidfd_.close(ignored);
  outgoing_.clear();
  asio::post(socket_.get_executor(),
             [self = shared_from_this()] { self->callbacks_.closed(*self); });
}

}  // namespace graceful
