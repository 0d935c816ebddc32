// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "listen/listener.hpp"

#include "os/listening_socket.hpp"
#include "os/system_failure.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/require.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <iterator>

#include <netinet/in.h>
#include <sys/socket.h>

namespace graceful::detail {

namespace {

/// True for errors of accept(2) that concern the connection that it would have returned, not the
/// listener: a reset in the queue, or a network error that Linux passes on. The next call may
/// succeed.
bool concerns_one_connection(int error) {
  constexpr std::array those{ECONNABORTED, EPROTO,       ENETDOWN,   ENOPROTOOPT, EHOSTDOWN,
                             ENONET,       EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH, EINTR};
  return std::ranges::find(those, error) != those.end();
}

}  // namespace

listener::listener(asio::any_io_executor executor, std::string name, std::weak_ptr<inventory> home)
    : executor_{std::move(executor)},
      poster_{asio::require(executor_, asio::execution::blocking.never)},
      default_executor_{executor_},
      name_{std::move(name)},
      home_{std::move(home)} {}

listener::listener(asio::any_io_executor executor, shared_socket socket,
                   std::weak_ptr<inventory> home)
    : listener{std::move(executor), socket->name, std::move(home)} {
  error_code error;
  if (!add(std::move(socket), error)) throw boost::system::system_error{error, "assign"};
}

listener::~listener() {
  if (!process_.is_this()) {
    // The entries in epoll belong to the parent too, which keeps accepting.
    os::leave_alone(std::make_unique<std::list<source>>(std::move(sources_)));
    os::leave_alone(std::make_unique<operations>(std::move(operations_)));
    os::leave_alone(std::make_unique<operations>(std::move(waits_)));
    return;
  }
  // Deregisters the descriptor; the shared socket closes it.
  for (source& from : sources_) {
    if (from.readiness.is_open()) (void)from.readiness.release();
  }
}

bool listener::add(shared_socket socket, error_code& error) {
  source& added = sources_.emplace_back(executor_, std::move(socket));
  added.readiness.assign({added.socket->address.family(), IPPROTO_TCP}, added.socket->fd.get(),
                         error);
  if (error) {
    sources_.pop_back();
    return false;
  }
  if (turn_ == sources_.end()) turn_ = sources_.begin();
  return true;
}

bool listener::adopt(const shared_socket& socket) {
  bool adopted = false;
  apply([&](operations& done) {
    error_code error;
    adopted = state_ != state::stopped && add(socket, error);
    if (adopted && state_ == state::open) serve(done);
    if (adopted) wake_blocked(false);
  });
  return adopted;
}

void listener::open() {
  apply([this](operations& done) {
    if (state_ != state::closed) return;
    state_ = state::open;
    serve(done);
    wake_blocked(false);
  });
}

void listener::pause() {
  const std::lock_guard lock{mutex_};
  if (state_ != state::open) return;
  state_ = state::closed;
  for (source& from : sources_) {
    from.expected = 0;
    error_code ignored;
    if (from.waiting) from.readiness.cancel(ignored);
  }
  wake_blocked(false);  // it polls the sockets
}

void listener::stop() {
  if (!process_.is_this()) return;
  apply([this](operations& done) {
    if (state_ == state::stopped) return;
    state_ = state::stopped;
    for (source& from : sources_) let_go(from);
    abort_all(done);
    wake_blocked(true);
  });
}

void listener::let_go(const shared_socket& socket) {
  const std::lock_guard lock{mutex_};
  for (source& from : sources_) {
    if (from.socket == socket) let_go(from);
  }
  wake_blocked(false);
}

void listener::let_go(source& from) {
  // The descriptor was assign()ed, so release() removes its entry from epoll; close(2) would not,
  // because the successor holds the same open file description.
  if (from.readiness.is_open()) (void)from.readiness.release();
  from.socket.reset();
}

void listener::cancel() {
  if (!process_.is_this()) return;
  apply([this](operations& done) {
    abort_all(done);
    wake_blocked(true);
  });
}

void listener::close() {
  if (!process_.is_this()) return;
  stop();
  if (const auto home = home_.lock()) home->remove(name_, this);
}

bool listener::waits() const {
  const std::lock_guard lock{mutex_};
  return state_ == state::open && (!operations_.empty() || !blocked_.empty());
}

os::answer listener::somebody_blocks() const {
  const std::lock_guard lock{mutex_};
  return blocked_.empty() ? os::answer::no : os::answer::yes;
}

shared_socket listener::socket() const {
  const std::lock_guard lock{mutex_};
  const auto first = std::ranges::find_if(sources_, [](const source& s) { return !!s.socket; });
  return first == sources_.end() ? nullptr : first->socket;
}

std::vector<shared_socket> listener::sockets() const {
  const std::lock_guard lock{mutex_};
  std::vector<shared_socket> all;
  for (const source& from : sources_) {
    if (from.socket) all.push_back(from.socket);
  }
  return all;
}

/// Whether there is an operation that a connection would complete.
bool listener::wants() const {
  return !operations_.empty() ||
         std::ranges::any_of(waits_, [](const operation& op) { return op.until_readable; });
}

/// Accepts for the waiting operations, as long as the queues last.
void listener::serve(operations& done) {
  std::size_t empty = 0;
  while (wants() && empty < sources_.size()) {
    source& from = *turn_;
    if (++turn_ == sources_.end()) turn_ = sources_.begin();
    empty = serve_one(from, done) ? 0 : empty + 1;
  }
  if (sources_.size() > 1) stop_waiting();  // on the other sockets
}

/// False if nothing was there; it then waits for that socket.
bool listener::serve_one(source& from, operations& done) {
  if (!from.socket) return false;
  // An accept4(2) that finds nothing has made a file and a socket in vain, which costs several
  // times as much as a look at the queue. A wrong look does no harm: wait() notices what it missed.
  if (from.expected == 0) from.expected = os::accept_queue_of(from.socket->fd.get()).length;
  if (from.expected == 0) {
    wait(from, done);
    return false;
  }
  finish_readable({}, done);
  if (operations_.empty()) return true;
  accepted got;
  error_code error;
  switch (accept_now(from, operations_.front().peer, SOCK_NONBLOCK, got, error)) {
    case looked::nothing:
      wait(from, done);
      return false;
    case looked::got:
    case looked::failed:
      finish(operations_, operations_.begin(), error, std::move(got), done);
  }
  return true;
}

/// Takes a connection, if there is one. Skips errors that concern a single connection.
listener::looked listener::accept_now(source& from, peer_address peer, int flags, accepted& got,
                                      error_code& error) {
  for (;;) {
    got.address_length = peer.capacity;
    got.fd.reset(::accept4(from.socket->fd.get(), peer.data,
                           peer.data == nullptr ? nullptr : &got.address_length,
                           SOCK_CLOEXEC | flags));
    if (got.fd) {
      if (from.expected > 0) --from.expected;
      return looked::got;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      from.expected = 0;
      return looked::nothing;
    }
    if (!concerns_one_connection(errno)) {
      error = os::system_code();
      return looked::failed;
    }
  }
}

/// If there is no memory for the wait, the operations fail, since nothing would wake them.
void listener::wait(source& from, operations& done) {
  if (from.waiting) return;
  try {
    from.readiness.async_wait(waiter::wait_read, [self = shared_from_this(), &from](error_code ec) {
      self->on_readable(from, ec);
    });
    from.waiting = true;
  } catch (const std::exception&) {
    fail_all(asio::error::no_memory, done);
  }
}

void listener::on_readable(source& from, error_code error) {
  operations done;
  {
    const std::lock_guard lock{mutex_};
    from.waiting = false;
    if (state_ != state::open) return;
    if (error && error != asio::error::operation_aborted) {
      fail_all(error, done);
    } else {
      // Readiness may be spurious, or another process was faster: the socket is then waited for
      // again.
      if (!error) from.expected = std::max<std::uint64_t>(from.expected, 1);
      serve(done);
    }
  }
  if (done.empty()) return;
  // The last handler may run in here. If it throws, nothing after it is lost.
  operation last = std::move(done.back());
  operations used;
  used.splice(used.end(), done, std::prev(done.end()));
  post(std::move(done));
  recycle(std::move(used));
  run(std::move(last));
}

}  // namespace graceful::detail
