// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_NATIVE_HPP
#define GRACEFUL_NATIVE_HPP

#include <graceful/detail/api.hpp>
#include <graceful/drain_stage.hpp>
#include <graceful/error.hpp>
#include <graceful/listen_params.hpp>
#include <graceful/options.hpp>
#include <graceful/unique_fd.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

/// For servers on another event loop than Boost.Asio's, or on none: the upgrader hands over
/// descriptors, and tells the application by functions when to use them. Needs C++17 and no Asio.
namespace graceful::native {

/// Runs a task later on the thread that runs the application's event loop: uv_async_send(),
/// event_base_once(), `loop.call_soon_threadsafe`. It is called on a thread of the library, must
/// not block, and must not run the task itself. Each task is to be run once.
using post_function = std::function<void(std::function<void()> task)>;

/// What the application does with a listening socket. Each function runs on the application's loop
/// (see `post_function`). None of them is called within a function of the upgrader.
///
/// A listener without `on_pause`, or without `on_resume`, is *parked* instead: a socket to which
/// nobody connects takes its place behind the same descriptor. This works for a loop that waits in
/// epoll(7). A thread that blocks in accept(2) or poll(2) goes on accepting until the commit.
struct listener_hooks {
  /// Accept from the descriptor: this process serves. Called at `ready()`, and again if a successor
  /// was rolled back.
  std::function<void()> on_resume{};

  /// Do not accept, but keep the descriptor: a successor is in its probation.
  std::function<void()> on_pause{};

  /// Take the descriptor out of the loop and close it, for good: another process serves, or this
  /// one ends. The connections that were accepted go on. A descriptor that is still open two
  /// seconds later is parked, and a thread that blocks on it is woken: its accept(2) fails with
  /// EINVAL.
  std::function<void()> on_stop{};
};

/// What the application does as a whole. Each function runs on the application's loop.
struct hooks {
  /// Without it, every function runs on a thread of the library.
  post_function post{};

  /// This process drains: a successor has taken over, or it was told to end. Called once. Tell
  /// connections to finish, stop timers.
  std::function<void()> on_drain{};

  /// Nothing is left to wait for: accepting has ended, and so have all tracked connections, or
  /// their deadline has passed. Called once, last. Leave the loop, and end the process.
  std::function<void()> on_end{};
};

/// A connection for which a draining process waits, from `upgrader::track` to its destruction.
///
/// **Object lifetimes.** Move-only. It may outlive the upgrader.
///
/// **Thread-safety.** Distinct objects: safe. Shared objects: unsafe; use it on the application's
/// loop.
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
/// A successor whose loop hangs is rolled back when it does not run what was posted to it
/// (`options::confirm_timeout`). Without `hooks::post` the library cannot know that.
///
/// **Children.** See `graceful::upgrader`.
///
/// **Object lifetimes.** Destroying it closes what it still owns, and ends its threads. The tasks
/// that it has posted by then do nothing.
///
/// **Thread-safety.** Distinct objects: safe. Shared objects: safe for all member functions.
class GRACEFUL_API upgrader {
 public:
  /// Starts cold, or takes over from a predecessor; blocks for at most `options::handoff_timeout` a
  /// step.
  ///
  /// **Errors.** Throws `error`: those of `graceful::upgrader`.
  explicit upgrader(options opts, hooks application = {});
  upgrader(const upgrader&) = delete;
  upgrader& operator=(const upgrader&) = delete;
  ~upgrader();

  /// Returns a listening socket: adopted from the predecessor, or bound to `address`, which looks
  /// like `127.0.0.1:8080`, `[::1]:8080` or `[fe80::1%eth0]:8080`. Port 0 stands for any port.
  ///
  /// The descriptor is the caller's: non-blocking, close-on-exec. Accept from it when `on_resume`
  /// says so, or, without hooks, after `ready()`. Withdraw it before you close it unasked. Never
  /// call shutdown(2) on it: that ends the socket in the other processes too.
  ///
  /// **Errors.** Throws `error`: `invalid_argument` if `address` is none; otherwise those of
  /// `graceful::upgrader::listen`.
  [[nodiscard]] unique_fd listen(std::string_view name, std::string_view address,
                                 listener_hooks what = {}, const listen_params& params = {});

  /// The address of the listener `name`, with its real port; empty if there is none.
  [[nodiscard]] std::string address(std::string_view name) const;

  /// Closes the library's copy of the socket `name` for good: no successor gets it. `on_stop` is
  /// called. False if there is no such listener, or it is being handed over.
  bool withdraw(std::string_view name);

  /// Says that this process has initialised and serves from now on. See
  /// `graceful::upgrader::ready`.
  void ready();

  /// Makes a connection take part in the drain until the object is destroyed. `on_stage` is called
  /// on the application's loop.
  [[nodiscard]] connection track(std::function<void(drain_stage)> on_stage = {});

  /// Ends this process without a successor, gracefully; `drain_now` cuts its connections.
  void drain();
  void drain_now();

  /// SIGTERM and SIGINT drain, the second one at once; SIGQUIT drains; SIGUSR2 upgrades.
  void handle_signals();

  /// Blocks until `on_end` is due, for servers that block in accept(2) on other threads. Do not
  /// call it on the application's loop.
  void wait_end();

  /// 1 for a cold start, otherwise the predecessor's plus 1.
  [[nodiscard]] std::uint64_t generation() const noexcept;
  [[nodiscard]] bool draining() const noexcept;
  /// OpenMetrics 1.0 text, see `graceful::upgrader::metrics`.
  [[nodiscard]] std::string metrics() const;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace graceful::native

#endif
