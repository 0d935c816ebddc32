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

class accepting;
struct listening_socket;

namespace detail {
class server_body;
}  // namespace detail

namespace native {
class upgrader;
}  // namespace native

/// Makes a server upgradable: takes the listening sockets over from a predecessor, and hands them
/// to a successor when one comes.
///
/// A server makes one, listens through it, and calls `ready()`. From then on `graceful-ctl upgrade`
/// can replace the process. When a successor is ready this process pauses, and resumes if the
/// successor dies during probation (`options::probation`). When the successor is committed, this
/// process drains: its accept loops end, and `io_context::run()` returns once the connections it
/// accepted are done.
///
/// Until `ready()` nothing is decided: a process that fails or ends before costs the predecessor
/// nothing. The upgrader keeps the executor's context busy (outstanding work) until a successor has
/// taken over.
///
/// It runs one thread of its own, with all signals blocked, which serves the control socket. So an
/// upgrade works, and can be watched, however busy the server's threads are. Contexts made with
/// `BOOST_ASIO_CONCURRENCY_HINT_UNSAFE` or `..._UNSAFE_IO` cannot be used.
///
/// **Children.** A child that this process forks, and that executes nothing, does not hold the
/// library's listening sockets, control socket and lock. This applies to fork(3) of libc, not to
/// clone(2). In the child the library's objects do nothing: acceptors accept nothing, and
/// destroying an object leaves everything as it is for the parent. To use sockets of its own on the
/// same context, the child calls `io_context::notify_fork(fork_child)` first. `run()` does not
/// return there by itself: the child calls `stop()`, throws, or exits. A plain acceptor belongs to
/// the application, in a child too.
///
/// **Object lifetimes.** The execution context must outlive the upgrader, and so must those of
/// every other executor that is passed to `listen`, `listen_group` or `track`. Destroying the
/// upgrader closes what it still owns, removes the control path if that is still its own, and ends
/// its thread.
///
/// **Thread-safety.** Distinct objects: safe. Shared objects: safe for all member functions.
class GRACEFUL_API upgrader {
 public:
  using executor_type = boost::asio::any_io_executor;

  /// Starts cold, or takes over from a predecessor; returns when that is settled and the sockets on
  /// offer have arrived. Blocks for at most `options::handoff_timeout` a step.
  ///
  /// It takes over if `graceful-ctl upgrade` started this process, `options::takeover` is set, or
  /// GRACEFUL_TAKEOVER=1 is in the environment. It takes the library's variables
  /// (GRACEFUL_TAKEOVER, GRACEFUL_UPGRADE, GRACEFUL_CHANNEL, GRACEFUL_CONTROL_PATH) out of the
  /// environment, so that no child inherits them. So construct the upgrader before other threads
  /// read the environment. A process that `graceful-ctl upgrade` has started has a connection to
  /// its predecessor as descriptor 3, and needs no path; if that got lost, it uses the path.
  ///
  /// **Service managers.** With NOTIFY_SOCKET in the environment (systemd, `graceful-ctl run`) this
  /// process tells the manager everything that sd_notify(3) has words for. That includes pings for
  /// its watchdog (WATCHDOG_USEC), which are sent on `executor`. A successor is spawned as a child
  /// of the manager. All sockets that LISTEN_FDS passes are taken over here. Those that `listen`
  /// does not ask for are closed at the commit, or `options::probation`, but at least a second,
  /// after `ready()`. With FDSTORE above 0 the manager keeps that many listeners.
  /// GRACEFUL_SUPERVISOR names the control socket of a supervisor; with it LISTEN_FDS also counts
  /// behind a shell. LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES and WATCHDOG_PID are taken out of the
  /// environment, the others stay.
  ///
  /// **Errors.** Throws `error`: `already_running` if another process serves under this control
  /// path and takeover was not asked for; `busy`, `not_ready`, `incompatible_version`,
  /// `not_expected`, `permission_denied`, `timed_out`, `peer_gone`, `protocol_violation`,
  /// `descriptors_lost`, `wrong_socket` if the handoff fails; `path_in_use`, `path_too_long`,
  /// `invalid_argument` or an error of the system if the control socket cannot be made.
  ///
  /// An executor has no `stop()` for the deadline of a drain: work that does not end by itself then
  /// keeps the context running, and the log says so. The next constructor can stop its context.
  upgrader(executor_type executor, options opts)
      : upgrader{detail::this_asio_abi{}, std::move(executor), std::move(opts), {}} {}

  /// The same, on the executor of `context`, which is stopped if its work has not ended two seconds
  /// after the deadline of a drain. `context` is an `io_context`, a `thread_pool`, or an
  /// `io_context_pool`, of which every context is stopped. Destroy the upgrader before you run
  /// `context` for something else.
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
  /// Name and address are both checked. A socket that the predecessor handed over is adopted if it
  /// is bound to `endpoint` (with port 0: to its address, whatever the port); the one of the same
  /// name is preferred. If `name` was handed over with another address, a new socket is bound, and
  /// the log says so. Sockets that a service manager has passed (LISTEN_FDS) come second, and are
  /// checked in the same way.
  ///
  /// `name` is unique within the server, UTF-8 of at most 255 bytes, and does not start with '@'.
  /// May be called before and after `ready()`.
  ///
  /// Blocks while the address is in use, see `listen_params::bind_attempts`.
  ///
  /// **Errors.** Throws `error`: `busy` while the sockets are being handed to a successor (try
  /// again if that fails) and after that; `invalid_argument` for a bad name or one that is taken,
  /// or an empty executor; `wrong_socket` if the socket that was handed over is no such socket, or
  /// the system's error of socket(2), bind(2) or listen(2).
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

  /// The same, into an acceptor that the server has made, on any kind of executor. The listener
  /// uses the executor of `acceptor`. If the acceptor is open, it is closed first.
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
  /// Each socket has a queue of its own, which is reset when the socket is closed. So none is
  /// closed: this process accepts from every socket that the predecessor handed over. If there are
  /// more of them than executors, `ready()` spreads the others over the acceptors, as it does for a
  /// `listen` on that address. If there are fewer, new sockets are bound beside them, but listen
  /// only from the commit on: connections that waited in them would be lost if this process died
  /// during its probation. Until then their acceptors are not open. A socket that the predecessor
  /// made by `listen` becomes one of the group.
  ///
  /// Returns an acceptor for each executor, in that order. It returns fewer, and the log says why,
  /// if no socket can be bound beside those that were handed over, for example because they belong
  /// to another user.
  ///
  /// From then on any other process of the same user can bind a socket to the address, and gets a
  /// part of the connections. A cold start checks that no process listens there already.
  ///
  /// **Errors.** The same, and `invalid_argument` if there is no executor.
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

  /// Puts the listening socket `name` into an acceptor that the server owns already. It replaces
  /// `open`, `bind` and `listen`, or `bind` alone: a socket that was only opened is replaced, with
  /// the options that were set on it, and a `listen` afterwards sets its backlog. If the acceptor
  /// is open, its waiting operations are aborted. If it listens or is bound already, its socket is
  /// kept if that has the address `endpoint` and the predecessor handed none over.
  ///
  /// The accept loop may have any shape: it may end when it is aborted, check whether the acceptor
  /// is open, go on after any error, or throw; or it may be a thread that blocks in `accept()`.
  /// When a successor is committed, a socket without connections replaces the one behind the
  /// acceptor's descriptor, and the loop waits there. Connections that were accepted before are
  /// still delivered with success: serve them. When the last connection that was accepted on this
  /// port has been closed, or at the deadline of the drain, waiting operations are aborted once,
  /// with `operation_aborted`. A loop that accepts again all the same waits for ever, but keeps no
  /// context running, unless its handler has an executor of its own (a coroutine): then
  /// `options::linger` stops the context. A synchronous `accept()` fails at that time. The same
  /// happens at once when the upgrader is destroyed, or the listener withdrawn. From then on the
  /// acceptor is of no use: it belongs to an executor that nobody runs.
  ///
  /// If the application closes the acceptor, it is withdrawn within a second or two.
  ///
  /// Start to accept after `ready()`: if this process fails before, connections that this acceptor
  /// took are lost.
  ///
  /// During the probation of a successor this process accepts no more, as with an `acceptor`. But
  /// with a reactor other than epoll(7), without /proc, and where a thread blocks in `accept()`,
  /// both processes accept until the commit.
  ///
  /// **Object lifetimes.** Do not call its `release()`: this library relies on the acceptor owning
  /// the descriptor until it is closed. The acceptor may be moved; but then its operations are not
  /// aborted, and wait until they are destroyed or the context is stopped. It may be destroyed at
  /// any time by code that runs on its executor, if that is a strand or run by one thread.
  /// Otherwise it must live, and not be closed, until the context has been run to its end or
  /// stopped.
  ///
  /// **Thread-safety.** After this call, this library uses the acceptor only on the acceptor's
  /// executor. It uses its own thread only if nobody has run that executor for a moment.
  ///
  /// **Errors.** The same as of the other `listen`, and `invalid_argument` if the acceptor is bound
  /// to another address, or its loop was ended before.
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
      // Asio would set this lazily, in async_accept. Set it now: then, if cancel() meets an accept
      // loop on another thread, only the acceptor's internals change, which have locks.
      acceptor.native_non_blocking(true);
      watch_foreign(name, raw, acceptor.get_executor(), {acceptor, endpoint.protocol()});
    } catch (...) {
      drop_foreign(name);
      throw;
    }
  }

  /// Closes the listening socket `name` for good, and ends the operations that wait on it: no
  /// successor gets it. Connections in its accept queue are reset, see listen(2). Returns false if
  /// there is no such listener, or the sockets are being handed to a successor. Thread-safe.
  bool withdraw(std::string_view name);

  /// Says that this process has initialised and serves from now on. The acceptors start. A
  /// predecessor acknowledges this first, and stops accepting as soon as this process starts (a
  /// plain acceptor stops a moment later).
  ///
  /// Sockets that were handed over, and for which nobody has called `listen`, are kept until the
  /// commit for a late `listen` (in a coroutine, say); the predecessor goes on accepting there. At
  /// the commit they are dropped: the predecessor ends them gracefully, and the log, `graceful-ctl
  /// upgrade` and `status`, and the metrics say so. But if an acceptor of this library listens on
  /// the same address, it accepts from that socket too (SO_REUSEPORT). A second call does nothing.
  ///
  /// A successor that was handed listeners is rolled back if it listens on nothing when it is about
  /// to be committed. So is one whose threads do not answer, see `options::confirm_timeout`.
  ///
  /// Blocks for at most `options::handoff_timeout`. If the predecessor died meanwhile, this process
  /// serves all the same: it holds every socket.
  ///
  /// **Errors.** Throws `error`: `upgrade_failed` if the predecessor gave this upgrade up (its
  /// message says why), or this process was told to end; `timed_out`, `peer_gone`,
  /// `protocol_violation`. The predecessor then still serves, and this process must end.
  void ready();

  /// 1 for a cold start, otherwise the predecessor's plus 1.
  [[nodiscard]] std::uint64_t generation() const noexcept;

  /// Makes a connection take part in the drain until the token is destroyed. `on_stage` is called
  /// on `executor`, never from within this function; if this process drains already, it is called
  /// at once. Without a handler, only `connection::async_wait` tells the stages.
  ///
  /// **Errors.** Throws `error`: `invalid_argument` if the executor is empty.
  [[nodiscard]] connection track(executor_type executor, connection::stage_handler on_stage = {});

  /// The same with a move-only handler.
  template <class Handler>
  requires(std::is_invocable_v<Handler&, drain_stage> && !std::is_copy_constructible_v<Handler>)  //
      [[nodiscard]] connection track(executor_type executor, Handler on_stage) {
    auto shared = std::make_shared<Handler>(std::move(on_stage));
    return track(std::move(executor),
                 connection::stage_handler{[shared](drain_stage stage) { (*shared)(stage); }});
  }

  /// Ends this process without a successor, gracefully. If an upgrade is in progress it is given
  /// up; but if its successor is in probation it is committed, and the successor serves.
  /// (`graceful-ctl drain` is refused during probation: it may mean either.) A systemd service ends
  /// with its main process: there the upgrade is rolled back, and the successor drains too. A
  /// process that is in its own probation first makes its predecessor resume accepting.
  ///
  /// The connections in the accept queues are accepted and served, while no new ones begin. Then
  /// the acceptors end with `operation_aborted`, and `io_context::run()` returns when the
  /// connections are done. They have `options::drain_timeout`. Sockets that a service manager holds
  /// too are closed at once: the next process that it starts serves their queues. In a process that
  /// has handed over this does nothing, since it drains already.
  void drain();

  /// The same at once: the deadline of the drain is now, whatever started the drain.
  void drain_now();

  /// Installs the signal handling that operators expect. SIGTERM and SIGINT drain; the second one
  /// ends the drain at once; a third has its default action. SIGQUIT drains. SIGUSR2 upgrades with
  /// the server's own start command. SIGHUP is left to the application. It does not matter whether
  /// the threads of the application, or the process that started this one, block or ignore these
  /// signals. The log says what each signal does. A signal that drains does what `drain()` does,
  /// during probation too. A `ready()` that waits for the predecessor fails.
  ///
  /// **Errors.** Throws `boost::system::system_error` if a handler cannot be installed, or no
  /// descriptor is free.
  void handle_signals();

  /// True as soon as this process drains: because a successor has taken over, or because it ends.
  [[nodiscard]] bool draining() const noexcept;

  /// The metrics of this process, as OpenMetrics 1.0 text
  /// (https://github.com/OpenObservability/OpenMetrics): generation, state, upgrades by outcome,
  /// the durations of the last one's phases in seconds, tracked connections, accept queues. Serve
  /// it as `application/openmetrics-text; version=1.0.0; charset=utf-8`. Counters go on from one
  /// generation to the next.
  ///
  /// Does not wait for the control socket's thread; costs one getsockopt(2) for each listener. Do
  /// not call it from `options::log`.
  [[nodiscard]] std::string metrics() const;

  /// Waits until this process drains. Use it to end work that would keep the `io_context` alive
  /// (timers, signal sets), and to tell connections.
  ///
  /// **Handler signature.** `void(error_code)`.
  ///
  /// **Executor, allocator.** The handler's associated ones are honoured; the default executor is
  /// the upgrader's. Completes at once, but never from within this function, if `draining()`. This
  /// wait alone does not keep the upgrader's `io_context` running; the upgrader does until it
  /// drains. If the upgrader is destroyed and the context is not run after that, the handler is not
  /// called. If the handler has an executor of its own, and `any_io_executor` can hold it, that is
  /// kept running until the handler is called.
  ///
  /// **Per-operation cancellation.** Terminal, partial and total: `operation_aborted`.
  ///
  /// **Errors.** `operation_aborted` if cancelled or the upgrader is destroyed.
  template <BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code))
                Token = boost::asio::default_completion_token_t<executor_type>>
  auto async_wait_drain(Token&& token = Token{}) {
    return start_wait<Token>(&upgrader::wait_drain, token);
  }

  /// Waits until it is certain that this process stays. That is at once after `ready()` at a cold
  /// start, and at the commit, the end of its probation, if it has a predecessor. Use it for work
  /// that cannot be undone: a migration of a database, an announcement, a job that only one process
  /// may do.
  ///
  /// **Handler signature, executor, cancellation.** The same as of `async_wait_drain`.
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
  friend class native::upgrader;

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
  unique_fd listen_natively(std::string_view name, const sockaddr* address, socklen_t length,
                            const listen_params& params,
                            const std::function<std::shared_ptr<accepting>(
                                int fd, std::shared_ptr<const listening_socket>)>& make);
  [[nodiscard]] std::string address_of(std::string_view name) const;
  void note_failure(const std::string& why);
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
