// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "listen/native_listener.hpp"

#include "os/listening_socket.hpp"

#include <boost/asio/post.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <utility>

#include <fcntl.h>

namespace graceful {

namespace {

/// How long the application may take to stop. Its loop may be busy, or close a descriptor only in
/// its next round.
constexpr std::chrono::seconds patience_with_application{2};

constexpr std::chrono::milliseconds close_interval{20};

/// Empty if there is none: then what should be parked goes on accepting.
unique_fd place_to_park() {
  auto place = os::unreachable_listener();
  return place ? std::move(*place) : unique_fd{};
}

}  // namespace

native_listener::native_listener(asio::any_io_executor library, asio::any_io_executor application,
                                 int fd, std::shared_ptr<const listening_socket> socket,
                                 native::listener_hooks hooks, callbacks on, log& log)
    : library_{std::move(library)},
      application_{std::move(application)},
      fd_{fd},
      name_{socket->name},
      log_{log},
      look_again_{library_},
      hooks_{std::move(hooks)},
      callbacks_{std::move(on)},
      cookie_{os::cookie_of(fd)},
      socket_{std::move(socket)},
      blocking_{os::is_blocking(fd)},
      // Made now, because no descriptor may be free when it is needed.
      place_{place_to_park()} {}

os::answer native_listener::somebody_blocks() const {
  return os::somebody_blocks_in_accept(fd_, true);
}

bool native_listener::gone() const {
  const std::lock_guard lock{mutex_};
  return !exists();
}

void native_listener::abandon() {
  native::listener_hooks forgotten;
  callbacks forgotten_too;
  const std::lock_guard lock{mutex_};
  std::swap(forgotten, hooks_);
  std::swap(forgotten_too, callbacks_);
  wanted_ = told_ = state::stopped;
  socket_.reset();
  look_again_.cancel();
  cookie_ = 0;  // what becomes of the descriptor is the application's affair
}

void native_listener::want(state what) {
  const std::lock_guard lock{mutex_};
  if (wanted_ == state::stopped) return;
  wanted_ = what;
  if (parks()) {
    if (what == state::open) unpark();
    // A thread that blocks in accept(2) or poll(2) holds the real socket, or would come to hold the
    // place: only what waits in epoll(7) can be put back.
    if (what == state::paused && !blocking_) park();
  }
  // The caller may hold locks, and the application's function may do anything.
  asio::post(library_, [self = shared_from_this()] { self->post_apply(); });
}

/// Runs on a thread of the library.
void native_listener::post_apply() {
  asio::post(application_, [self = shared_from_this()] { self->apply(); });
  const std::lock_guard lock{mutex_};
  if (wanted_ != state::stopped) return;
  const auto patience = hooks_.on_stop ? patience_with_application : std::chrono::seconds{0};
  await_close(std::chrono::steady_clock::now() + patience);
}

void native_listener::await_close(std::chrono::steady_clock::time_point until) {
  if (!exists()) return;
  const auto now = std::chrono::steady_clock::now();
  if (now >= until) {
    if (forced_) return;
    force();
    until = now + patience_with_application;
  }
  if (forced_ && !blocking_) return;
  // A thread may have begun a call of accept(2) that was not to be seen yet.
  if (forced_) os::restart_accept(fd_);
  look_again_.expires_after(close_interval);
  look_again_.async_wait([self = shared_from_this(), until](boost::system::error_code ec) {
    const std::lock_guard lock{self->mutex_};
    if (!ec) self->await_close(until);
  });
}

/// Runs on the application's loop. Several changes since the last time are one.
void native_listener::apply() {
  std::unique_lock lock{mutex_};
  const auto to = wanted_;
  if (std::exchange(told_, to) == to) return;
  const auto hooks = hooks_;
  const auto on = callbacks_;
  if (to == state::stopped) socket_.reset();
  lock.unlock();
  if (to == state::open && !call("on_resume", hooks.on_resume) && on.cannot_accept) {
    on.cannot_accept();
  }
  if (to == state::paused) call("on_pause", hooks.on_pause);
  if (to == state::stopped) call("on_stop", hooks.on_stop);
}

/// False if it fails.
bool native_listener::call(const char* name, const std::function<void()>& hook) {
  if (!hook) return true;
  std::string what = "an exception of unknown type";
  try {
    hook();
    return true;
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
  }
  log_.error("listener '" + name_ + "': the application's " + name + " has failed: " + what);
  return false;
}

/// Ends the use of the descriptor without the application's help, if it is still open.
void native_listener::force() {
  const auto real = std::exchange(socket_, {});
  if (hooks_.on_stop) {
    log_.warning("listener '" + name_ +
                 "': the application has not closed its descriptor when it was told to stop: it is "
                 "made to accept nothing any more");
  }
  const bool blocks = blocking_ || somebody_blocks() != os::answer::no;
  const unique_fd was{blocks && !parked_ ? ::fcntl(fd_, F_DUPFD_CLOEXEC, 3) : -1};
  forced_ = true;
  park();
  if (!exists()) return;  // it was closed meanwhile, and its number may mean another file
  if (blocks) (void)os::end_blocking_accept(fd_, real ? real->fd.get() : was.get());
  cookie_ = os::cookie_of(fd_);
}

void native_listener::park() {
  if (parked_ || !place_ || !exists()) return;
  entry_ = os::find_in_epoll(fd_);
  // It could not be put back if nothing tells how it was registered (there is no /proc).
  if (wanted_ != state::stopped && !(entry_ && entry_->known)) return;
  if (!os::park(fd_, entry_, place_)) return;
  cookie_ = os::cookie_of(fd_);
  parked_ = true;
}

void native_listener::unpark() {
  if (!parked_ || !socket_ || !exists()) return;
  const auto back = os::unpark(fd_, entry_, socket_->fd.get());
  cookie_ = os::cookie_of(fd_);
  parked_ = !back;
  if (back) return;
  // There may be no memory, for example.
  look_again_.expires_after(close_interval);
  look_again_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    const std::lock_guard lock{self->mutex_};
    if (!ec && self->wanted_ == state::open) self->unpark();
  });
}

bool native_listener::exists() const { return cookie_ != 0 && os::cookie_of(fd_) == cookie_; }

}  // namespace graceful
