// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CONNECTION_HPP
#define GRACEFUL_CONNECTION_HPP

#include <graceful/detail/api.hpp>
#include <graceful/detail/initiation.hpp>
#include <graceful/drain_stage.hpp>
#include <graceful/errc.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>

#include <functional>
#include <memory>
#include <utility>

namespace graceful {

class connections;
class tracked_connection;

namespace detail {

/// Stops counting a connection.
struct GRACEFUL_API untrack {
  void operator()(tracked_connection* body) const noexcept;
};

}  // namespace detail

/// A connection that takes part in the drain; made by `upgrader::track`, held by the session.
///
/// It counts from `track` to its destruction. As soon as the process drains, because a successor
/// has taken over or because the process was told to end, its handler is called for each stage. A
/// session needs no handler: without one the process ends when its other handlers are done, and the
/// session is cut at the deadline. A coroutine awaits the stages instead, with `async_wait`.
///
/// **Object lifetimes.** Move-only. The handler is destroyed with it, and must not own it: capture
/// `this` or a `std::weak_ptr`. It may outlive the upgrader. From then on it is told only stages
/// that were already on their way, and, if its grace was over, the answer to `idle(true)`.
///
/// **Thread-safety.** Distinct objects: safe. Shared objects: unsafe but for `draining`. Use it,
/// and destroy it, on the executor that `track` was given, on which the handler runs too. If more
/// than one thread runs that, it must be a strand.
class GRACEFUL_API connection {
 public:
  using stage_handler = std::function<void(drain_stage)>;

  /// Constructs a connection that counts nowhere and is told nothing, to be assigned to.
  connection() noexcept = default;

  /// Says whether closing this connection now would lose nothing. A connection is not idle at
  /// first. If it becomes idle after its grace is over, it is told `idle_grace_over` again.
  void idle(bool is_idle);

  /// Waits until this connection is told `stage`, or a later one. A coroutine can await it beside a
  /// read: `co_await (token.async_wait(drain_stage::draining) || async_read(...))`.
  ///
  /// **Handler signature.** `void(error_code)`.
  ///
  /// **Executor, allocator.** The handler's associated ones are honoured; the default executor is
  /// that of `track`. Completes at once, but never from within this function, if the connection has
  /// been told already.
  ///
  /// **Per-operation cancellation.** Terminal, partial and total: `operation_aborted`.
  ///
  /// **Errors.** `operation_aborted` if cancelled, or the connection is destroyed;
  /// `invalid_argument` for a connection that counts nowhere.
  template <BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code))
                Token = boost::asio::default_completion_token_t<boost::asio::any_io_executor>>
  auto async_wait(drain_stage stage, Token&& token = Token{}) {
    return boost::asio::async_initiate<Token, void(error_code)>(
        detail::initiation{executor(),
                           [this, stage](auto handler, auto own) {
                             wait(stage, std::move(handler), std::move(own));
                           }},
        token);
  }

  /// True as soon as the process drains, even if this connection is told later.
  [[nodiscard]] bool draining() const noexcept;

 private:
  friend connections;
  explicit connection(tracked_connection* body) noexcept : body_{body} {}

  [[nodiscard]] boost::asio::any_io_executor executor() const;
  void wait(drain_stage stage, boost::asio::any_completion_handler<void(error_code)> handler,
            boost::asio::any_io_executor own);

  std::unique_ptr<tracked_connection, detail::untrack> body_;
};

}  // namespace graceful

#endif
