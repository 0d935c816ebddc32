// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_UPGRADER_HPP
#define GRACEFUL_UPGRADER_HPP

#include <graceful/acceptor.hpp>
#include <graceful/connection.hpp>
#include <graceful/detail/asio_abi.hpp>
#include <graceful/detail/initiation.hpp>
#include <graceful/detail/plain_acceptor.hpp>
#include <graceful/error.hpp>
#include <graceful/listen_params.hpp>
#include <graceful/options.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <sys/socket.h>

namespace graceful {

namespace detail {
class server_body;
}  // namespace detail

/// Makes a server upgradable: takes the listening sockets over from a predecessor, and hands them
/// to a successor when one comes.
///
/// A server makes one, listens through it, and calls `ready()`. From then on `graceful-ctl
/// upgrade` can replace the process. When a successor is ready this process pauses, and goes on if
/// that dies in its probation (`options::probation`); when it is committed, this process drains:
/// its accept loops end, and `io_context::run()` returns once the connections it accepted are done.
///
/// Until `ready()` nothing is decided: a process that fails or ends before costs the predecessor
/// nothing. The upgrader keeps the executor's context busy (outstanding work) until a successor
/// has taken over.
///
/// It runs one thread of its own, with all signals blocked, which serves the control socket; so an
/// upgrade works, and can be watched, however busy the server's threads are. Contexts made with
/// `BOOST_ASIO_CONCURRENCY_HINT_UNSAFE` or `..._UNSAFE_IO` cannot be used.
///
/// **Children.** A child that this process forks, and that executes nothing, does not hold what
/// this library listens on, nor the control socket and its lock (fork(3) of libc only, not
/// clone(2)). There its objects do nothing: acceptors accept nothing, and what is destroyed is left
/// as it is for the parent. To use sockets of its own on the same context the child calls
/// `io_context::notify_fork(fork_child)` first. `run()` does not return there by itself: the child
/// calls `stop()`, throws, or exits. A plain acceptor is the application's, also in a child.
///
/// **Object lifetimes.** The execution context must outlive the upgrader, and so must those of
/// every other executor that it is given, by `listen`, `listen_group` or `track`. Destroying the
/// upgrader closes what it still owns, removes the control path if it is still its own, and ends
/// its thread.
///
/// **Thread-safety.** Distinct objects: safe. Shared objects: safe for all member functions.
class GRACEFUL_API upgrader {
 public:
  using executor_type = boost::asio::any_io_executor;

  /// Starts cold, or takes over from a predecessor; returns when that is settled and the sockets
  /// on offer have arrived. Blocks for `options::handoff_timeout` a step at most.
  ///
  /// It takes over if `graceful-ctl upgrade` started this process, `options::takeover` is set, or
  /// GRACEFUL_TAKEOVER=1 is in the environment. Variables of this library (GRACEFUL_TAKEOVER,
  /// GRACEFUL_UPGRADE, GRACEFUL_CHANNEL, GRACEFUL_CONTROL_PATH) are taken out of the environment
  /// here, so that no child inherits them; construct the upgrader before other threads read the
  /// environment. A process that `graceful-ctl upgrade` has started has a connection to its
  /// predecessor as descriptor 3, and needs no path; where that got lost it goes by the path.
  ///
  /// **Service managers.** With NOTIFY_SOCKET in the environment (systemd, `graceful-ctl run`) the
  /// manager hears of this process what sd_notify(3) has words for, pings for its watchdog
  /// (WATCHDOG_USEC) included, which are sent on `executor`; a successor is spawned as a child of
  /// the manager. What LISTEN_FDS passes is taken over here, all of it: what `listen` does not ask
  /// for is closed at the commit, or `options::probation`, but at least a second, after `ready()`.
  /// With FDSTORE above 0 the manager keeps so many listeners.
  /// GRACEFUL_SUPERVISOR names the control socket of a supervisor; with it LISTEN_FDS counts behind
  /// a shell too. LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES and WATCHDOG_PID are taken out of the
  /// environment, the others stay.
  ///
  /// **Errors.** Throws `error`: `already_running` if another process serves under this control
  /// path and takeover was not asked for; `busy`, `not_ready`, `incompatible_version`,
  /// `not_expected`, `permission_denied`, `timed_out`, `peer_gone`, `protocol_violation`,
  /// `descriptors_lost`, `wrong_socket` where the handoff fails; `path_in_use`, `path_too_long`,
  /// `invalid_argument` or an error of the system where the control socket cannot be made.
  ///
  /// With an executor there is nothing that could be stopped at the deadline of a drain: what does
  /// not end by itself then keeps the context running, and the log says so. See below.
  upgrader(executor_type executor, options opts)
      : upgrader{detail::this_asio_abi{}, std::move(executor), std::move(opts), {}} {}

  /// The same, on the executor of `context`, which is stopped when what runs on it has not ended
  /// two seconds after the deadline of a drain. An `io_context`, a `thread_pool`, or an
  /// `io_context_pool`, of which every context is stopped. Destroy the
  /// upgrader before `context` is run for something else.
  template <class Context>
  requires requires(Context& c) {
    executor_type{c.get_executor()};
    c.stop();
  }
  upgrader(Context& context, options opts)
      : upgrader{detail::this_asio_abi{}, executor_type{context.get_executor()}, std::move(opts),
                 [&context] { context.stop(); }} {}

  upgrader(const upgrader&) = delete;
  upgrader& operator=(const upgrader&) = delete;
  ~upgrader();

  /// Returns the listening socket `name`, adopted from the predecessor or bound to `endpoint`.
  ///
  /// Name and address are both checked. A socket that the predecessor handed over is adopted if
  /// it is bound to `endpoint` (with port 0: to its address, whatever the port); the one of the
  /// same name is preferred. If `name` was handed over with another address, the socket is bound
  /// afresh, and the log says so. What a service manager has passed (LISTEN_FDS) is looked at
  /// second, in the same way.
  ///
  /// `name` is unique within the server, UTF-8 of at most 255 bytes, and does not start with '@'.
  /// May be called before and after `ready()`.
  ///
  /// Blocks while the address is in use, see `listen_params::bind_attempts`.
  ///
  /// **Errors.** Throws `error`: `busy` while the sockets are handed to a successor (try again when
  /// that has failed) and when that is done; `invalid_argument` for a bad name or one that is
  /// taken, or an empty executor; `wrong_socket` if what was handed over is no such socket, or the
  /// system's error of socket(2), bind(2) or listen(2).
  template <class Protocol>
  acceptor<Protocol> listen(std::string_view name, const typename Protocol::endpoint& endpoint,
                            const listen_params& params = {}) {
    return listen<Protocol>(get_executor(), name, endpoint, params);
  }

  /// The same, for an acceptor on another executor.
  template <class Protocol>
  acceptor<Protocol> listen(const executor_type& executor, std::string_view name,
                            const typename Protocol::endpoint& endpoint,
                            const listen_params& params = {}) {
    const auto [data, size] = view(endpoint);
    return {make_listener(executor, name, data, size, params), endpoint.protocol()};
  }

  /// The same, into an acceptor that the server has made, on whatever kind of executor: that of
  /// `acceptor`. One that is open is closed first.
  template <class Protocol, class Executor>
  void listen(basic_acceptor<Protocol, Executor>& acceptor, std::string_view name,
              const typename Protocol::endpoint& endpoint, const listen_params& params = {}) {
    error_code ignored;
    acceptor.close(ignored);
    const auto [data, size] = view(endpoint);
    acceptor.body_ =
        detail::handle_of(make_listener(acceptor.get_executor(), name, data, size, params));
    acceptor.protocol_ = endpoint.protocol();
  }

  /// Listens on one address with a socket for each of `executors` (SO_REUSEPORT, see socket(7)):
  /// the kernel spreads the connections over them, and no two threads accept from one queue. Their
  /// names are NAME/0, NAME/1 and so on.
  ///
  /// Each socket has a queue of its own, which is reset when it is closed, so none is: every one
  /// that the predecessor handed over is accepted from. If there are more of them than executors,
  /// `ready()` spreads the others over the acceptors, as it does for a `listen` on that address. If
  /// there are fewer, new ones are bound beside them, but listen only from the commit on: what
  /// waited in them would be lost if this process died in its probation. Their acceptors are not
  /// open until then. A socket that the predecessor made by `listen` becomes one of the group.
  ///
  /// Returns an acceptor for each executor, in that order; fewer, and the log says why, if no
  /// socket can be bound beside those that were handed over: they belong to another user, say.
  ///
  /// Any other process of the same user can bind a socket to the address from then on, and gets a
  /// part of the connections. That nobody listens there already is checked at a cold start.
  ///
  /// **Errors.** As above, and `invalid_argument` if there is no executor.
  template <class Protocol>
  std::vector<acceptor<Protocol>> listen_group(const std::vector<executor_type>& executors,
                                               std::string_view name,
                                               const typename Protocol::endpoint& endpoint,
                                               const listen_params& params = {}) {
    const auto [data, size] = view(endpoint);
    std::vector<acceptor<Protocol>> group;
    group.reserve(executors.size());
    for (auto& body : make_group(executors, name, data, size, params)) {
      group.emplace_back(std::move(body), endpoint.protocol());
    }
    return group;
  }

  /// Puts the listening socket `name` into an acceptor that the server owns already, in the place
  /// of `open`, `bind` and `listen`, or of `bind` alone: what was opened only is replaced, with the
  /// options that were set on it, and a `listen` afterwards sets its backlog. If the acceptor is
  /// open, what waits on it is aborted; a socket that it listens on already, or is bound to, is
  /// kept if the predecessor handed none over and it has the address `endpoint`.
  ///
  /// The accept loop may be whatever it is: one that ends when it is aborted, one that looks
  /// whether the acceptor is open, one that goes on after any error, one that throws, or a thread
  /// that blocks in `accept()`. When a successor is committed, the acceptor's descriptor stands for
  /// a socket without connections, and the loop waits there. What was accepted before is still
  /// delivered with success: serve it. When the last connection that was accepted on this port has
  /// been closed, or at the deadline of the drain, what waits is aborted once, with
  /// `operation_aborted`. A loop that accepts again all the same waits for ever, but keeps no
  /// context running, unless its handler has an executor of its own (a coroutine): then
  /// `options::linger` has it stopped. A synchronous `accept()` fails at that time. The same
  /// happens when the upgrader is destroyed, or the listener withdrawn, at once. From then on the
  /// acceptor is of no use: it belongs to an executor that nobody runs.
  ///
  /// An acceptor that its application closes is withdrawn within a second or two.
  ///
  /// Start to accept after `ready()`: what this acceptor takes earlier is lost if this process
  /// fails before.
  ///
  /// In the probation of a successor this process accepts no more, as with an `acceptor`; but with
  /// another reactor than epoll(7), without /proc, and where a thread blocks in `accept()`, both
  /// accept until the commit.
  ///
  /// **Object lifetimes.** Its `release()` must not be called: this library counts on the
  /// descriptor being the acceptor's until that is closed. It may be moved, but then waits to be
  /// destroyed or stopped where it would be aborted otherwise. It may be destroyed at any time by
  /// code that runs on its executor, if that is a strand or run by one thread; else it must live,
  /// and not be closed, until the context has been run to its end or stopped.
  ///
  /// **Thread-safety.** Everything this library does to the acceptor after this call it does on
  /// the acceptor's executor; on its own thread only if nobody has run that executor for a moment.
  ///
  /// **Errors.** As above, and `invalid_argument` if the acceptor is bound to another address, or
  /// its loop was ended before.
  template <class Protocol, class Executor>
  void listen(boost::asio::basic_socket_acceptor<Protocol, Executor>& acceptor,
              std::string_view name, const typename Protocol::endpoint& endpoint,
              const listen_params& params = {}) {
    if (detail::is_parked_for_good(acceptor)) detail::refuse_parked(name);
    unique_fd own;
    if (acceptor.is_open()) own = duplicate(acceptor.native_handle());
    const auto [data, size] = view(endpoint);
    unique_fd fd = make_foreign(name, data, size, params, std::move(own));
    try {
      const unique_fd old{acceptor.is_open() ? acceptor.release() : -1};
      acceptor.assign(endpoint.protocol(), fd.get());
      const int raw = fd.release();
      // Asio would set this lazily, in async_accept; set now, nothing but the acceptor's
      // internals, which have locks, changes when cancel() meets an accept loop on another thread.
      acceptor.native_non_blocking(true);
      watch_foreign(name, raw, acceptor.get_executor(), {acceptor, endpoint.protocol()});
    } catch (...) {
      drop_foreign(name);
      throw;
    }
  }

  /// Closes the listening socket `name` for good, and ends the operations that wait on it: no
  /// successor gets it. What waits in its accept queue is reset, see listen(2). Returns false if
  /// there is no such listener, or the sockets are just being handed to a successor. Thread-safe.
  bool withdraw(std::string_view name);

  /// Says that this process has initialised and serves from now on. The acceptors start; with a
  /// predecessor, that one acknowledges it first, and stops accepting as soon as this process does
  /// (an acceptor that its application owns stops a moment later). What it handed over and nobody
  /// has asked for by `listen` is kept until the commit, and the predecessor goes on accepting
  /// there, for a `listen` that comes late (in a coroutine, say). At the commit it is dropped: the
  /// predecessor ends it gracefully, and the log, `graceful-ctl upgrade` and `status`, and the
  /// metrics say so. But if it is bound to an address on which an acceptor of this library listens,
  /// that accepts from it too (SO_REUSEPORT). A second call does nothing.
  ///
  /// A successor that was handed listeners, and listens on nothing when it is to be committed, is
  /// rolled back; and so is one whose threads do not answer, see `options::confirm_timeout`.
  ///
  /// Blocks for `options::handoff_timeout` at most. If the predecessor died meanwhile, this process
  /// serves all the same: it holds every socket.
  ///
  /// **Errors.** Throws `error`: `upgrade_failed` if the predecessor gave this upgrade up (its
  /// message says why), or this process was told to end, `timed_out`, `peer_gone`,
  /// `protocol_violation`. The predecessor then still serves, and this process must end.
  void ready();

  /// 1 for a cold start, else the predecessor's plus 1.
  [[nodiscard]] std::uint64_t generation() const noexcept;

  /// Has a connection take part in the drain, until the token is destroyed. `on_stage` is called on
  /// `executor`, never from within this function; at once if this process drains already.
  /// Without a handler it is told by `connection::async_wait` alone.
  ///
  /// **Errors.** Throws `error`: `invalid_argument` if the executor is empty.
  [[nodiscard]] connection track(executor_type executor, connection::stage_handler on_stage = {});

  /// The same with a handler that can only be moved.
  template <class Handler>
  requires(std::is_invocable_v<Handler&, drain_stage> && !std::is_copy_constructible_v<Handler>)  //
      [[nodiscard]] connection track(executor_type executor, Handler on_stage) {
    auto shared = std::make_shared<Handler>(std::move(on_stage));
    return track(std::move(executor),
                 connection::stage_handler{[shared](drain_stage stage) { (*shared)(stage); }});
  }

  /// Ends this process without a successor, gracefully: an upgrade that is under way is given up,
  /// but committed if its successor is in probation, which then serves (`graceful-ctl drain` is
  /// refused in a probation: it may mean either). A service of systemd ends with its main process:
  /// there the upgrade is rolled back, and the successor drains too. A process that is itself in
  /// its probation has its predecessor accept again first. The connections in the accept queues are
  /// accepted and served, while no new ones begin; then the acceptors end with `operation_aborted`,
  /// and `io_context::run()` returns when the connections are done. They have
  /// `options::drain_timeout`. What a service manager holds too is left at once, its queue to the
  /// process that is started next. In a process that has handed over this does nothing, since it
  /// drains.
  void drain();

  /// The same at once: the deadline of the drain is now, whatever began it.
  void drain_now();

  /// Lets signals do what operators expect: SIGTERM and SIGINT drain, the second one at once;
  /// SIGQUIT drains; SIGUSR2 upgrades by the server's own start command. A third SIGTERM or SIGINT
  /// has its default action. SIGHUP is left to the application. It does not matter whether the
  /// threads of the application, or whoever started this process, block or ignore these signals.
  /// What they do is in the log. To drain is what `drain()` does, in a probation too. A `ready()`
  /// that waits for the predecessor fails.
  ///
  /// **Errors.** Throws `boost::system::system_error` if a handler cannot be installed, or no
  /// descriptor is free.
  void handle_signals();

  /// True as soon as this process drains: because a successor has taken over, or because it ends.
  [[nodiscard]] bool draining() const noexcept;

  /// What this process measures, as OpenMetrics 1.0 text
  /// (https://github.com/OpenObservability/OpenMetrics): generation, state, upgrades by outcome,
  /// the durations of the last one's phases in seconds, tracked connections, accept queues. To be
  /// served as `application/openmetrics-text; version=1.0.0; charset=utf-8`. Counters go on from
  /// one generation to the next.
  ///
  /// Does not wait for the control socket's thread; costs one getsockopt(2) for each listener. Not
  /// to be called from `options::log`.
  [[nodiscard]] std::string metrics() const;

  /// Waits until this process drains. For work that would keep the `io_context` alive
  /// (timers, signal sets), and for connections that have to be told.
  ///
  /// **Handler signature.** `void(error_code)`.
  ///
  /// **Executor, allocator.** The handler's associated ones are honoured; the default executor is
  /// the upgrader's. Completes at once, but never from within this function, if `draining()`.
  /// Does not keep the upgrader's `io_context` running by itself, which the upgrader does until it
  /// drains; if it is destroyed, and the context not run after that, the handler is not called. An
  /// executor of the handler's own, if `any_io_executor` can hold it, is kept running until the
  /// handler is called.
  ///
  /// **Per-operation cancellation.** Terminal, partial and total: `operation_aborted`.
  ///
  /// **Errors.** `operation_aborted` if cancelled or the upgrader is destroyed.
  template <BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code))
                Token = boost::asio::default_completion_token_t<executor_type>>
  auto async_wait_drain(Token&& token = Token{}) {
    return start_wait<Token>(&upgrader::wait_drain, token);
  }

  /// Waits until it is certain that this process stays: at once after `ready()` at a cold start,
  /// and at the commit, the end of its probation, if it has a predecessor. For what cannot be
  /// undone: a migration of a database, an announcement, a job that only one process may do.
  ///
  /// **Handler signature, executor, cancellation.** As of `async_wait_drain`.
  ///
  /// **Errors.** `upgrade_failed` if this process was rolled back, or drains without having been
  /// committed; `operation_aborted` if cancelled or the upgrader is destroyed.
  template <BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code))
                Token = boost::asio::default_completion_token_t<executor_type>>
  auto async_wait_commit(Token&& token = Token{}) {
    return start_wait<Token>(&upgrader::wait_commit, token);
  }

  [[nodiscard]] executor_type get_executor() const;

 private:
  friend class detail::server_body;

  using drain_handler = boost::asio::any_completion_handler<void(error_code)>;

  upgrader(detail::this_asio_abi, executor_type executor, options opts,
           std::function<void()> stop_context);

  std::shared_ptr<detail::listener> make_listener(executor_type executor, std::string_view name,
                                                  const sockaddr* address, socklen_t length,
                                                  const listen_params& params);
  static unique_fd duplicate(int fd);
  std::vector<std::shared_ptr<detail::listener>> make_group(
      const std::vector<executor_type>& executors, std::string_view name, const sockaddr* address,
      socklen_t length, const listen_params& params);
  unique_fd make_foreign(std::string_view name, const sockaddr* address, socklen_t length,
                         const listen_params& params, unique_fd own);
  void watch_foreign(std::string_view name, int fd, const executor_type& executor,
                     detail::plain_acceptor object);
  void drop_foreign(std::string_view name);
  void wait_drain(drain_handler handler, executor_type own);
  void wait_commit(drain_handler handler, executor_type own);
  void end_control();

  template <class Token>
  auto start_wait(void (upgrader::*wait)(drain_handler, executor_type),
                  std::type_identity_t<Token>& token) {
    return boost::asio::async_initiate<Token, void(error_code)>(
        detail::initiation{get_executor(),
                           [this, wait](auto handler, auto own) {
                             (this->*wait)(std::move(handler), std::move(own));
                           }},
        token);
  }

  template <class Endpoint>
  static std::pair<const sockaddr*, socklen_t> view(const Endpoint& endpoint) {
    return {endpoint.data(), static_cast<socklen_t>(endpoint.size())};
  }

  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace graceful

#endif
