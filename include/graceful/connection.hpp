// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CONNECTION_HPP
#define GRACEFUL_CONNECTION_HPP

#include <graceful/detail/api.hpp>

#include <functional>
#include <memory>

namespace graceful {

class connections;
class tracked_connection;

/// What a connection is told while its process drains, in this order.
enum class drain_stage {
  draining,         ///< Finish what you do, and tell the peer: `Connection: close`, WebSocket 1001.
  idle_grace_over,  ///< Close: you said that you are idle. Only told to those.
  deadline,         ///< Cancel everything and close, whatever you do.
};

/// A connection that takes part in the drain; made by `upgrader::track`, held by the session.
///
/// It counts from `track` to its destruction. As soon as the process drains, because a successor
/// has taken over or because it is to end, its handler is called for each stage. A session needs
/// none: without one the process ends when its handlers are done, and is cut off at the deadline.
///
/// **Object lifetimes.** Move-only. The handler is destroyed with it, and must not own it: capture
/// `this` or a `std::weak_ptr`. May outlive the upgrader; from then on it is told only what was
/// under way by then, and, if its grace was over, the answer to `idle(true)`.
///
/// **Thread-safety.** Distinct objects: safe. Shared objects: unsafe but for `draining`. Use it,
/// and destroy it, on the executor that `track` was given, on which the handler runs too; if more
/// than one thread runs that, it is to be a strand.
class GRACEFUL_API connection {
 public:
  using stage_handler = std::function<void(drain_stage)>;

  /// One that counts nowhere and is told nothing, to be assigned to.
  connection() noexcept = default;
  connection(connection&&) noexcept = default;
  connection& operator=(connection&& other) noexcept;
  ~connection();

  /// Says whether nothing would be lost if this connection were closed now. A connection is not
  /// idle at first. If it becomes idle after its grace is over, it is told so again.
  void idle(bool is_idle);

  /// True as soon as the process drains, though this connection may be told later.
  [[nodiscard]] bool draining() const noexcept;

 private:
  friend connections;
  explicit connection(std::shared_ptr<tracked_connection> body) noexcept;

  std::shared_ptr<tracked_connection> body_;
};

}  // namespace graceful

#endif
