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

/// Several `io_context`s with one thread each: work on one of them needs no strand.
///
/// Where Asio takes an execution context (`post`, `co_spawn`, a timer, a socket) the pool stands
/// for its first one. Give the pool to the `upgrader`, and a connection to `next()`. It runs until
/// its work runs out: a work guard keeps each context running, and so does its own work. When the
/// accept loops have ended, and so no context gets new work, `reset_work()` drops the guards. Each
/// thread then ends with the last session of its context, and `run()` returns.
///
/// **Object lifetimes.** Must outlive everything that uses its executors, above all an upgrader.
/// Destroying it destroys the handlers that did not run, on all contexts, before any context is
/// destroyed: a handler on one may own a socket on another.
///
/// **Thread-safety.** Distinct objects: safe. Shared objects: safe, but `run()` is called once.
class GRACEFUL_API io_context_pool {
 public:
  using executor_type = boost::asio::any_io_executor;

  /// Makes as many contexts as the calling thread may use processors, see sched_getaffinity(2); at
  /// least one.
  io_context_pool() : io_context_pool{detail::this_asio_abi{}} {}

  /// **Errors.** Throws `error`: `invalid_argument` if `contexts` is 0.
  explicit io_context_pool(std::size_t contexts)
      : io_context_pool{detail::this_asio_abi{}, contexts} {}

  io_context_pool(const io_context_pool&) = delete;
  io_context_pool& operator=(const io_context_pool&) = delete;
  ~io_context_pool();

  [[nodiscard]] std::size_t size() const noexcept;

  /// The executor of the next context, in turn.
  [[nodiscard]] executor_type next() noexcept;

  /// The executor of the first context, the same each time.
  [[nodiscard]] executor_type get_executor() const noexcept;

  /// The first context. Do not call its `run` and `stop`, which are not those of the pool.
  // NOLINTNEXTLINE(google-explicit-constructor)
  [[nodiscard]] operator boost::asio::io_context&() noexcept;

  /// The executors of all contexts, see `upgrader::listen_group`.
  [[nodiscard]] std::vector<executor_type> executors() const;

  /// Runs the first context in this thread and each other in a thread of its own; returns when all
  /// have ended. The new threads have all signals blocked, so signals keep going to the same
  /// threads as before. If a handler throws, all contexts are stopped, and the exception is thrown
  /// here; if several throw, the first.
  ///
  /// **Errors.** The exception of a handler; `std::system_error` if a thread cannot be made.
  void run();

  /// Stops all contexts at once, see `io_context::stop`: handlers that have not run do not run any
  /// more. To end gracefully, let the work run out.
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
