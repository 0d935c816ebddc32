// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_CONNECTIONS_HPP
#define GRACEFUL_LIB_CONNECTIONS_HPP

#include <graceful/connection.hpp>

#include "handoff/drain_plan.hpp"
#include "os/home_process.hpp"

#include "drain_waiters.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace graceful {

namespace asio = boost::asio;

/// The connections of this process that are tracked, and what they are told when. Thread-safe.
class connections : public std::enable_shared_from_this<connections> {
 public:
  using time = handoff::drain_plan::time;

  explicit connections(const handoff::drain_limits& limits) : plan_{limits} {}

  connection track(asio::any_io_executor executor, connection::stage_handler on_stage);

  /// From now on `advance` says something.
  void begin(time now);

  /// The deadline is now.
  void hurry(time now);

  /// Says what is due, on the connections' own executors. Returns when to come again; nothing once
  /// the deadline has passed.
  std::optional<time> advance(time now);

  [[nodiscard]] std::size_t open() const;
  [[nodiscard]] std::size_t cut() const { return cut_; }  ///< Told that the deadline has passed.
  [[nodiscard]] bool draining() const { return draining_; }

 private:
  friend tracked_connection;
  void remove(handoff::connection_id id);

  std::atomic<bool> draining_{false};
  std::atomic<std::size_t> cut_{0};
  mutable std::mutex mutex_;
  handoff::drain_plan plan_;
  handoff::connection_id next_id_ = 0;
  std::unordered_map<handoff::connection_id, std::weak_ptr<tracked_connection>> open_;
};

/// What a `connection` refers to. Its members but `id` are used on its executor only.
class tracked_connection : public std::enable_shared_from_this<tracked_connection> {
 public:
  tracked_connection(handoff::connection_id id, std::weak_ptr<connections> all,
                     asio::any_io_executor executor, connection::stage_handler on_stage);

  /// Calls the handler, later and on the executor.
  void tell(drain_stage stage);

  void idle(bool is_idle);
  [[nodiscard]] bool draining() const;
  void wait(drain_stage stage, drain_waiters::handler handler, asio::any_io_executor own);
  [[nodiscard]] const asio::any_io_executor& executor() const { return executor_; }

  /// Its `connection` is destroyed.
  void end();

 private:
  void on_stage(drain_stage stage);

  const os::home_process home_;
  const handoff::connection_id id_;
  const std::weak_ptr<connections> all_;
  const asio::any_io_executor executor_;
  connection::stage_handler on_stage_;
  std::optional<drain_stage> told_;
  std::array<std::shared_ptr<drain_waiters>, 3> waiters_;  // by stage, where there are any
  bool ended_ = false;
  bool idle_ = false;
  bool grace_over_ = false;
};

}  // namespace graceful

#endif
