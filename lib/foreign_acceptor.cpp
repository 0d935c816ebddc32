// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "foreign_acceptor.hpp"

#include <graceful/detail/asio_abi.hpp>

#include "os/listening_socket.hpp"
#include "os/open_files.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <utility>

namespace graceful {

namespace {

/// Before another try to put an acceptor back.
constexpr std::chrono::milliseconds retry_pause{100};

/// How long the acceptor's executor may take before the control thread does it. Nobody else uses
/// the descriptor then: who would close it is not running.
constexpr std::chrono::milliseconds patience_with_executor{20};

/// Asio waits for acceptors in epoll. Elsewhere (io_uring, select) what waits already holds the
/// real socket, and would not notice that it is back.
constexpr bool acceptors_in_epoll = detail::asio_epoll && !detail::asio_io_uring_default;

}  // namespace

foreign_acceptor::foreign_acceptor(asio::any_io_executor executor, int fd,
                                   const std::shared_ptr<const listening_socket>& socket,
                                   detail::plain_acceptor object)
    : executor_{std::move(executor)},
      strand_{asio::make_strand(executor_)},
      fd_{fd},
      port_{socket ? socket->address.port() : std::uint16_t{0}},
      object_{std::move(object)},
      entry_{acceptors_in_epoll ? os::find_in_epoll(fd) : std::nullopt},
      timer_{strand_},
      cookie_{os::cookie_of(fd)},
      socket_{socket} {
  // Made now, because there may be no descriptor left when it is needed.
  if (auto place = os::unreachable_listener()) {
    place_ = std::move(*place);
  } else {
    cannot_pause_ = place.error().message;
  }
  if (!acceptors_in_epoll) {
    cannot_pause_ = "Asio waits for its acceptors in something else than epoll(7)";
  } else if (!entry_ || !entry_->known) {
    cannot_pause_ = "there is no /proc that would tell how Asio waits for it";
  }
}

void foreign_acceptor::open() {
  post([this] { unpark(); });
}

void foreign_acceptor::pause() {
  // Another reactor's goes on accepting, and so does a thread that blocks in accept(2): what it
  // waits on cannot be changed under its feet and back again. For a while both processes accept.
  if (!cannot_pause_.empty() || somebody_blocks()) return;
  post([this] { park(); });
}

void foreign_acceptor::stop() {
  stopped_ = true;
  post([this] {
    park();
    const std::lock_guard lock{mutex_};
    socket_.reset();
  });
  // Who blocks there runs no executor, and closes nothing.
  if (somebody_blocks()) park_for_blocked();
}

void foreign_acceptor::retire() {
  if (retired_.exchange(true)) return;
  post([this] { end_loop(); });
}

void foreign_acceptor::post(std::function<void()> what) {
  auto next = std::make_shared<errand>();
  next->what = std::move(what);
  std::shared_ptr<errand> before;
  {
    const std::lock_guard lock{mutex_};
    before = std::exchange(errand_, next);
  }
  asio::post(strand_, [self = shared_from_this(), before, next] {
    if (before && !before->taken.exchange(true)) before->what();
    if (!next->taken.exchange(true)) next->what();
  });
}

bool foreign_acceptor::tend() {
  std::shared_ptr<errand> late;
  {
    const std::lock_guard lock{mutex_};
    late = errand_;
  }
  if (!late || late->taken) return true;
  if (std::chrono::steady_clock::now() - late->since < patience_with_executor) return false;
  if (late->taken.exchange(true)) return true;
  retired_ ? late->what() : park_for_blocked();
  return true;
}

/// A thread that accepts may wait in poll(2) on the socket that was there: that is kept, to wake
/// it.
void foreign_acceptor::park_for_blocked() {
  park();
  const std::lock_guard lock{mutex_};
  if (socket_) blocked_on_ = std::exchange(socket_, {});
}

bool foreign_acceptor::exists() const {
  const auto cookie = cookie_.load();
  return cookie != 0 && os::cookie_of(fd_) == cookie;
}

bool foreign_acceptor::somebody_blocks() const { return os::somebody_blocks_in_accept(fd_); }

void foreign_acceptor::park() {
  const std::lock_guard lock{mutex_};
  if (parked_ || !place_ || !exists()) return;
  if (!os::park(fd_, entry_, place_)) return;
  cookie_ = os::cookie_of(fd_);
  parked_ = true;
}

void foreign_acceptor::unpark() {
  const std::lock_guard lock{mutex_};
  if (!parked_ || !socket_ || !exists()) return;
  const auto back = os::unpark(fd_, entry_, socket_->fd.get());
  cookie_ = os::cookie_of(fd_);
  parked_ = !back;
  if (back) return;
  // No memory, say. Who accepts waits, and clients with it: until it works.
  timer_.expires_after(retry_pause);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (!ec) self->unpark();
  });
}

void foreign_acceptor::end_loop() {
  park();  // where that was not done before
  const std::lock_guard lock{mutex_};
  if (!exists()) return;
  if (const auto was = std::exchange(blocked_on_, {})) {
    (void)os::end_blocking_accept(fd_, was->fd.get());
    cookie_ = 0;
  } else if (object_.is_where_it_was()) {
    object_.end_loop();
    cookie_ = 0;
  }
}

}  // namespace graceful
