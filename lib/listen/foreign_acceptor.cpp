// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "listen/foreign_acceptor.hpp"

#include <graceful/detail/asio_abi.hpp>

#include "os/listening_socket.hpp"
#include "os/open_files.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <utility>

namespace graceful {

namespace {

/// The pause before the next attempt to put an acceptor back.
constexpr std::chrono::milliseconds retry_pause{100};

/// How long the acceptor's executor may take before another thread does what it can. Most probably
/// no other thread uses the descriptor then: the one that would close it is not running.
constexpr std::chrono::milliseconds patience_with_executor{20};

/// How long until a loop that accepts again after its aborted wait is waiting again.
constexpr std::chrono::milliseconds waits_again_after{100};

/// Asio waits for acceptors in epoll. With io_uring or select, a pending wait already holds the
/// real socket, and would not notice that it is back.
constexpr bool acceptors_in_epoll = detail::asio_epoll && !detail::asio_io_uring_default;

}  // namespace

foreign_acceptor::foreign_acceptor(asio::any_io_executor executor, int fd, shared_socket socket,
                                   detail::plain_acceptor object)
    : executor_{std::move(executor)},
      strand_{asio::make_strand(executor_)},
      fd_{fd},
      object_{std::move(object)},
      entry_{acceptors_in_epoll ? os::find_in_epoll(fd) : std::nullopt},
      timer_{strand_},
      cookie_{os::cookie_of(fd)},
      socket_{std::move(socket)} {
  // Made now, because no descriptor may be free when it is needed.
  if (auto place = os::unreachable_listener()) {
    place_ = std::move(*place);
  } else {
    cannot_pause_ = place.error().message;
  }
  if (!acceptors_in_epoll) {
    cannot_pause_ = "Asio does not use epoll(7) to wait for its acceptors";
  } else if (!entry_ || !entry_->known) {
    cannot_pause_ = "without /proc the library cannot see how Asio waits for it";
  }
}

void foreign_acceptor::pause() {
  // An acceptor of another reactor keeps accepting, and so does a thread that blocks in accept(2):
  // what it waits on cannot be exchanged meanwhile and put back. For a while both processes accept.
  if (!cannot_pause_.empty() || somebody_blocks() == os::answer::yes) return;
  want(fate::paused);
}

void foreign_acceptor::abandon() {
  want(fate::aborted);
  {
    std::unique_lock lock{mutex_};
    if (settled_changed_.wait_until(lock, since_ + patience_with_executor,
                                    [this] { return settled_; })) {
      return;
    }
  }
  by_force();
  // A thread that calls accept() from now on would wait for ever, since nobody looks for it any
  // more.
  const std::lock_guard lock{mutex_};
  if (settled_ || !parked_ || !exists()) return;
  (void)os::end_blocking_accept(fd_, -1);
  cookie_ = os::cookie_of(fd_);
  refuses_ = true;
}

void foreign_acceptor::want(fate what) {
  bool is_there = false;
  {
    const std::lock_guard lock{mutex_};
    if (fate_ >= fate::stopped && what <= fate_) return;
    fate_ = what;
    since_ = std::chrono::steady_clock::now();
    is_there = exists();
    settled_ = !is_there;
    if (!is_there) socket_.reset();
  }
  if (!is_there) return;
  // A thread that blocks there runs no executor meanwhile, and closes nothing.
  if (what >= fate::stopped && somebody_blocks() == os::answer::yes) by_force();
  asio::post(strand_, [self = shared_from_this()] { self->apply(); });
}

/// Runs on the executor.
void foreign_acceptor::apply() {
  const std::unique_lock lock{mutex_};
  if (std::exchange(settled_, true)) return;
  settled_changed_.notify_all();
  // The executor was only busy: its loops are to wait quietly until they are ended.
  if (std::exchange(refuses_, false) && exists() && os::park(fd_, std::nullopt, place_)) {
    cookie_ = os::cookie_of(fd_);
  }
  if (fate_ == fate::open) return unpark();
  park();
  if (fate_ == fate::paused) return;
  socket_.reset();
  if (fate_ == fate::stopped || !exists() || !object_.is_where_it_was()) return;
  if (fate_ == fate::aborted) {
    object_.cancel();
    timer_.expires_after(waits_again_after);
    return timer_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
      if (!ec) self->retire();
    });
  }
  object_.end_loop();
  blocked_on_.reset();
  cookie_ = 0;
}

bool foreign_acceptor::tend() {
  {
    const std::lock_guard lock{mutex_};
    if (settled_ || fate_ < fate::stopped) return true;
    if (std::chrono::steady_clock::now() - since_ < patience_with_executor) return false;
  }
  by_force();
  return true;
}

/// Does what is possible without the executor. If the executor was only busy, it finds this done,
/// and ends its loop itself: the acceptor belongs to it.
void foreign_acceptor::by_force() {
  {
    const std::lock_guard lock{mutex_};
    park();
  }
  // Looks only now, because a thread may have called accept() until park().
  const auto blocks = somebody_blocks();
  const std::lock_guard lock{mutex_};
  // The thread may wait in poll(2) on the socket that was there: keep that to wake it.
  if (blocks != os::answer::no && socket_) blocked_on_ = socket_;
  socket_.reset();
  const bool may_block =
      blocks == os::answer::yes || (blocks == os::answer::unknown && blocked_on_);
  if (fate_ < fate::aborted || !may_block) return;
  const auto was = std::exchange(blocked_on_, {});
  if (!exists()) return;
  (void)os::end_blocking_accept(fd_, was ? was->fd.get() : -1);
  cookie_ = 0;
  settled_ = true;
}

bool foreign_acceptor::exists() const { return cookie_ != 0 && os::cookie_of(fd_) == cookie_; }

bool foreign_acceptor::gone() const {
  const std::lock_guard lock{mutex_};
  return !exists();
}

os::answer foreign_acceptor::somebody_blocks() const {
  return os::somebody_blocks_in_accept(fd_, acceptors_in_epoll);
}

void foreign_acceptor::park() {
  if (parked_ || !place_ || !exists()) return;
  if (!os::park(fd_, entry_, place_)) return;
  cookie_ = os::cookie_of(fd_);
  parked_ = true;
}

void foreign_acceptor::unpark() {
  if (!parked_ || !socket_ || !exists()) return;
  const auto back = os::unpark(fd_, entry_, socket_->fd.get());
  cookie_ = os::cookie_of(fd_);
  parked_ = !back;
  if (back) return;
  // There may be no memory, for example. The accept loop and its clients wait until an attempt
  // succeeds.
  timer_.expires_after(retry_pause);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    const std::lock_guard lock{self->mutex_};
    if (!ec && self->fate_ == fate::open) self->unpark();
  });
}

}  // namespace graceful
