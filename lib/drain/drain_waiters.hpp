// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/errc.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace graceful {

namespace asio = boost::asio;

/// Operations that wait for an event that happens once: the drain begins, this process is
/// committed, a connection is told a stage. Those that still wait when the context of their
/// executor ends are destroyed with it, like the context's own. Otherwise a coroutine would own the
/// connection, which owns the waiting operation, which owns the coroutine. Thread-safe.
class drain_waiters : public std::enable_shared_from_this<drain_waiters> {
 public:
  using handler = asio::any_completion_handler<void(error_code)>;

  explicit drain_waiters(asio::any_io_executor executor) : executor_{std::move(executor)} {}
  drain_waiters(const drain_waiters&) = delete;
  drain_waiters& operator=(const drain_waiters&) = delete;
  ~drain_waiters();

  /// `own` is the handler's executor, or empty if unknown: the handler is then called through the
  /// upgrader's executor.
  void wait(handler h, asio::any_io_executor own = {});

  /// Completes all waiters, and every later one, with `result`.
  void complete(error_code result);

 private:
  struct waiter {
    handler h;
    /// Keeps the context of the handler's own executor running; empty if that is the upgrader's.
    asio::any_io_executor own_work;
  };

  class of_context;
  struct known;

  void abort(std::uint64_t id);
  void destroy_all();
  void post(waiter done, error_code result);

  const asio::any_io_executor executor_;
  std::mutex mutex_;
  std::optional<error_code> result_;
  std::uint64_t next_id_ = 0;
  std::map<std::uint64_t, waiter> waiting_;
  std::shared_ptr<known> known_;  // the context finds this object here, as soon as an operation
                                  // waits
};

}  // namespace graceful
