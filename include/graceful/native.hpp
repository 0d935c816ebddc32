// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_NATIVE_HPP
#define GRACEFUL_NATIVE_HPP

#include <graceful/detail/api.hpp>
#include <graceful/drain_stage.hpp>
#include <graceful/error.hpp>
#include <graceful/listen_params.hpp>
#include <graceful/options.hpp>
#include <graceful/unique_fd.hpp>
#include <graceful/version.hpp>

#include <boost/version.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

/// For servers on another event loop than Boost.Asio's, or on none: the upgrader hands over
/// descriptors, and tells the application by functions when to use them. Needs C++17 and no Asio.
namespace graceful::native {

namespace detail {

/// The structures below cross the library's boundary, so library and program must have the same
/// version of these headers. The tag is part of the mangled name of the upgrader's constructor:
/// with others a program does not link.
template <int Major, int Minor, int BoostVersion>
struct native_abi {};

using this_native_abi =
    native_abi<GRACEFUL_VERSION_MAJOR, GRACEFUL_VERSION_MAJOR == 0 ? GRACEFUL_VERSION_MINOR : 0,
               BOOST_VERSION>;

}  // namespace detail

/// Runs a task later on the thread that runs the application's event loop, in the order in which
/// tasks come, one at a time: put the task into a queue of yours, and wake the loop
/// (uv_async_send(), eventfd(2)); or `asio::post`, `loop.call_soon_threadsafe`. It may be called on
/// any thread, also by several at once, and must neither block, nor run the task itself, nor throw.
using post_function = std::function<void(std::function<void()> task)>;

/// What the application does with a listening socket. Each function runs on the application's loop.
/// The order of calls is: `on_resume`, any number of `on_pause` and `on_resume` in turn, `on_stop`.
/// A change that was undone before the loop ran is not told, so `on_stop` may come alone.
///
/// A listener that lacks `on_pause` or `on_resume` is *parked* in a probation: a socket to which
/// nobody connects takes its place behind the same descriptor. That works for a loop that waits in
/// epoll(7). A thread that blocks in accept(2) or poll(2) is not parked: both processes accept
/// until the commit, which loses nothing.
struct listener_hooks {
  /// Accept from the descriptor: this process serves. Called at `ready()`, and again if a successor
  /// was rolled back. If it throws, this process cannot accept, and drains: in its probation its
  /// predecessor serves again.
  std::function<void()> on_resume{};

  /// Stop accepting; keep the descriptor: a successor is in its probation.
  std::function<void()> on_pause{};

  /// Take the descriptor out of the loop and close it, for good: another process serves, or this
  /// one ends. The connections that were accepted go on. A descriptor that is still open two
  /// seconds later (at once without this function) is made to accept nothing any more, and a thread
  /// that blocks on it is woken: its accept(2) fails with EINVAL. Do not block SIGURG in such a
  /// thread: the library wakes it by that.
  std::function<void()> on_stop{};
};

/// What the application does as a whole. Each function runs on the application's loop. Exceptions
/// are logged.
struct hooks {
  /// Without it, every function runs on a thread of the library.
  post_function post{};

  /// This process stays: at `ready()` of a cold start, and at the commit of a successor. Not called
  /// if it is rolled back. Do here what cannot be undone.
  std::function<void()> on_commit{};

  /// This process drains: a successor has taken over, this one was rolled back, or it was told to
  /// end. Called once. Tell connections to finish, and stop timers. Until `on_stop` clients may
  /// still be accepted: serve them.
  std::function<void()> on_drain{};

  /// Nothing is left to wait for: accepting has ended, and so have all tracked connections, or
  /// their deadline has passed. Called once, last. Leave the loop, and end the process.
  std::function<void()> on_end{};
};

/// A connection for which a draining process waits, from `upgrader::track` to its destruction. It
/// does not wait for others: track each one right after accept(2).
///
/// **Object lifetimes.** Move-only. It may outlive the upgrader. One that was constructed without
/// arguments, or moved from, does nothing. `on_stage` may destroy it, and is not called any more
/// after it was destroyed.
///
/// **Thread-safety.** Distinct objects: safe. Shared objects: unsafe but for `draining`. Use and
/// destroy it on the application's loop. Without `hooks::post` no thread is that loop: then pass no
/// `on_stage`, and one thread may use it.
class GRACEFUL_API connection {
 public:
  connection() noexcept;
  connection(connection&&) noexcept;
  connection& operator=(connection&&) noexcept;
  ~connection();

  /// Says whether closing this connection now would lose nothing. It is not idle at first.
  void idle(bool is_idle);

  /// True as soon as the process drains.
  [[nodiscard]] bool draining() const noexcept;

 private:
  friend class upgrader;
  struct impl;
  explicit connection(std::unique_ptr<impl> body) noexcept;
  std::unique_ptr<impl> impl_;
};

/// Makes a server upgradable: what `graceful::upgrader` is for a server on Boost.Asio. See there
/// for how a process starts and takes over, for service managers, and for `options`.
///
/// It runs two threads of its own, with all signals blocked.
///
/// If the loop of a successor hangs, its predecessor rolls it back after
/// `options::confirm_timeout`. Without `hooks::post` the library cannot know that.
///
/// **Children.** See `graceful::upgrader`.
///
/// **Object lifetimes.** Destroying it ends its threads, and calls no function of the application.
/// Descriptors that are still open are the application's to close. What was posted by then does
/// nothing, except that connections which still exist may be told a stage that was on its way. A
/// function of the application may destroy it, as the last thing that it does.
///
/// **Thread-safety.** Distinct objects: safe. Shared objects: safe for all member functions.
class GRACEFUL_API upgrader {
 public:
  /// Starts cold, or takes over from a predecessor; blocks for at most `options::handoff_timeout` a
  /// step.
  ///
  /// **Errors.** Throws `error`: those of `graceful::upgrader`.
  explicit upgrader(options opts, hooks application = {})
      : upgrader{detail::this_native_abi{}, std::move(opts), std::move(application)} {}
  upgrader(const upgrader&) = delete;
  upgrader& operator=(const upgrader&) = delete;
  ~upgrader();

  /// Returns a listening socket: adopted from the predecessor, or bound to `address`, which looks
  /// like `127.0.0.1:8080`, `[::1]:8080` or `[fe80::1%eth0]:8080`. Port 0 stands for any port.
  ///
  /// The descriptor is the caller's: close-on-exec, and non-blocking unless
  /// `listen_params::blocking`. Accept from it when `on_resume` says so, or, without hooks, after
  /// `ready()`. To stop listening unasked, call `withdraw`, then close it; if it is only closed,
  /// the library's copy goes on listening, and clients that connect hang. A copy that you make by
  /// dup(2) is yours to close. Never call shutdown(2) on it: that ends the socket in the other
  /// processes too. After `ready()`, and without `hooks::post`, `on_resume` may run before this
  /// returns.
  ///
  /// **Errors.** Throws `error`: `invalid_argument` if `address` is not an address (host names are
  /// not looked up); otherwise those of `graceful::upgrader::listen`.
  [[nodiscard]] unique_fd listen(std::string_view name, std::string_view address,
                                 listener_hooks what = {}, const listen_params& params = {});

  /// The address of the listener `name`, with its real port; empty if there is none.
  [[nodiscard]] std::string address(std::string_view name) const;

  /// Withdraws the listener `name` for good: no successor gets it, and `on_stop` is called. The
  /// address is free when all copies of the descriptor are closed; connections that wait in the
  /// queue are reset. False if there is no such listener, or it is being handed over: try again.
  bool withdraw(std::string_view name);

  /// Says that this process has initialised and serves from now on. See
  /// `graceful::upgrader::ready`.
  void ready();

  /// Makes a connection take part in the drain until the object is destroyed. `on_stage` is called
  /// on the application's loop.
  [[nodiscard]] connection track(std::function<void(drain_stage)> on_stage = {});

  /// Ends this process without a successor, gracefully.
  void drain();
  /// The same at once: connections are told the deadline.
  void drain_now();

  /// SIGTERM and SIGINT drain, the second one at once; SIGQUIT drains; SIGUSR2 upgrades.
  void handle_signals();

  /// Blocks until `on_end` is due, for servers whose threads block. It waits for tracked
  /// connections only. Do not call it on the application's loop.
  void wait_end();

  /// 1 for a cold start, otherwise the predecessor's plus 1.
  [[nodiscard]] std::uint64_t generation() const noexcept;
  [[nodiscard]] bool draining() const noexcept;
  /// OpenMetrics 1.0 text, see `graceful::upgrader::metrics`.
  [[nodiscard]] std::string metrics() const;

 private:
  upgrader(detail::this_native_abi, options opts, hooks application);

  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace graceful::native

#endif
