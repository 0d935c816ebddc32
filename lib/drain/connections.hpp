// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/connection.hpp>

#include "drain/drain_plan.hpp"
#include "drain/drain_waiters.hpp"
#include "os/home_process.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace graceful {

namespace asio = boost::asio;

class connections;

/// The object that a `connection` refers to. All members except `id` are used on its executor only.
class tracked_connection : public boost::intrusive_ref_counter<tracked_connection>,
                           public boost::intrusive::list_base_hook<
                               boost::intrusive::link_mode<boost::intrusive::normal_link>> {
 public:
  tracked_connection(connections& all, asio::any_io_executor executor,
                     connection::stage_handler on_stage);

  /// Posts a call of the handler to the executor.
  void tell(drain_stage stage);

  void idle(bool is_idle);
  [[nodiscard]] bool draining() const;
  void wait(drain_stage stage, drain_waiters::handler handler, asio::any_io_executor own);
  [[nodiscard]] const asio::any_io_executor& executor() const { return executor_; }
  [[nodiscard]] handoff::connection_id id() const { return id_; }

  /// Its `connection` has been destroyed.
  void end();

 private:
  void on_stage(drain_stage stage);

  friend connections;

  const os::home_process home_;
  handoff::connection_id id_ = 0;  // given, once, by `all_`
  connections& all_;               // lives as long as any is open
  const asio::any_io_executor executor_;
  connection::stage_handler on_stage_;
  std::optional<drain_stage> told_;
  using waiters_by_stage = std::array<std::shared_ptr<drain_waiters>, 3>;
  std::unique_ptr<waiters_by_stage> waiters_;  // most connections have none
  bool ended_ = false;
  bool idle_ = false;
  bool grace_over_ = false;
};

/// The tracked connections of this process, and when they are told what. Thread-safe.
class connections : public std::enable_shared_from_this<connections> {
 public:
  using time = handoff::drain_plan::time;

  explicit connections(const handoff::drain_limits& limits) : plan_{limits} {}

  connection track(asio::any_io_executor executor, connection::stage_handler on_stage);

  /// From now on `advance` tells connections.
  void begin(time now);

  /// Makes the deadline now.
  void hurry(time now);

  /// Tells the connections what is due, on their own executors. Returns when to call again; nothing
  /// once the deadline has passed.
  std::optional<time> advance(time now);

  [[nodiscard]] std::size_t open() const;
  /// How many were told that the deadline has passed.
  [[nodiscard]] std::size_t cut() const { return cut_; }
  [[nodiscard]] bool draining() const { return draining_; }

 private:
  friend tracked_connection;
  void remove(tracked_connection& gone);

  std::atomic<bool> draining_{false};
  std::atomic<std::size_t> cut_{0};
  mutable std::mutex mutex_;
  handoff::drain_plan plan_;
  handoff::connection_id next_id_ = 0;
  boost::intrusive::list<tracked_connection> open_;  // each is removed before it is destroyed
  std::shared_ptr<connections> self_;  // set while one is open: this may outlive the upgrader
  std::unordered_map<handoff::connection_id, tracked_connection*> planned_;  // during a drain
};

}  // namespace graceful
