// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_IO_CONTEXT_POOL_HPP
#define GRACEFUL_IO_CONTEXT_POOL_HPP

#include <graceful/detail/api.hpp>
#include <graceful/detail/asio_abi.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace graceful {

namespace detail {
class server_body;
}  // namespace detail

/// Several `io_context`s with a thread each: what runs on one of them needs no strand.
///
/// Where Asio takes an execution context (`post`, `co_spawn`, a timer, a socket) it stands for its
/// first one. Give it to the `upgrader`, and a connection to `next()`. It runs until its work runs
/// out: each context is kept running by a work guard, and by what runs on it. When nothing new is
/// given to any of them, because the accept loops have ended, `reset_work()` drops the guards; each
/// thread then ends with the last session of its context, and `run()` returns.
///
/// **Object lifetimes.** Outlives whatever uses its executors, an upgrader above all. Destroying
/// it destroys the handlers that did not run, on all contexts, before any context goes: a handler
/// on one may own a socket on another.
///
/// **Thread-safety.** Distinct objects: safe. Shared objects: safe, but `run()` is called once.
class GRACEFUL_API io_context_pool {
 public:
  using executor_type = boost::asio::any_io_executor;

  /// As many contexts as the calling thread may use processors, see sched_getaffinity(2); at least
  /// one.
  io_context_pool() : io_context_pool{detail::this_asio_abi{}} {}

  /// **Errors.** Throws `error`: `invalid_argument` if `contexts` is 0.
  explicit io_context_pool(std::size_t contexts)
      : io_context_pool{detail::this_asio_abi{}, contexts} {}

  io_context_pool(const io_context_pool&) = delete;
  io_context_pool& operator=(const io_context_pool&) = delete;
  ~io_context_pool();

  [[nodiscard]] std::size_t size() const noexcept;

  /// The executor of one context after the other.
  [[nodiscard]] executor_type next() noexcept;

  /// The executor of the first context, the same each time.
  [[nodiscard]] executor_type get_executor() const noexcept;

  /// The first context. Its `run` and `stop` are not those of the pool: leave them alone.
  // NOLINTNEXTLINE(google-explicit-constructor)
  [[nodiscard]] operator boost::asio::io_context&() noexcept;

  /// Those of all contexts, see `upgrader::listen_group`.
  [[nodiscard]] std::vector<executor_type> executors() const;

  /// Runs the first context in this thread and each other in one of its own; returns when all have
  /// ended. The threads that it makes have all signals blocked, so that signals keep going where
  /// they went before. If a handler throws, all contexts are stopped, and the exception is thrown
  /// here; of several, the first.
  ///
  /// **Errors.** What a handler throws; `std::system_error` if a thread cannot be made.
  void run();

  /// Stops all contexts at once, see `io_context::stop`: what has not run does not run any more. To
  /// end gracefully, let the work run out.
  void stop();

  /// Resets the work guards: from now on a context ends as soon as it has nothing to do, and does
  /// not run again. A second call does nothing.
  void reset_work();

 private:
  friend class detail::server_body;

  explicit io_context_pool(detail::this_asio_abi);
  io_context_pool(detail::this_asio_abi, std::size_t contexts);
  void destroy_handlers();

  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace graceful

#endif
