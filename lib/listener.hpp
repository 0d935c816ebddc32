// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_LISTENER_HPP
#define GRACEFUL_LIB_LISTENER_HPP

#include <graceful/detail/listener.hpp>

#include "inventory.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

namespace graceful::detail {

/// The body of `acceptor`. Accepts only when an operation waits for a connection, so there never
/// is a connection that nobody is there to take; everything happens under one mutex, so stopping
/// is complete when stop() returns, however busy the executor is.
class listener final : public accepting, public std::enable_shared_from_this<listener> {
 public:
  listener(asio::any_io_executor executor, std::shared_ptr<const listening_socket> socket,
           std::weak_ptr<inventory> home);
  ~listener() override;

  void async_accept(accept_handler handler);
  void open() override;
  void stop() override;
  void cancel();
  void close();

  [[nodiscard]] const asio::any_io_executor& executor() const { return executor_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::shared_ptr<const listening_socket> socket() const;

 private:
  using waiter = asio::basic_socket_acceptor<asio::generic::stream_protocol>;
  enum class state { closed, open, stopped };

  /// Keeps the contexts running that an operation needs: its handler's and the acceptor's.
  struct outstanding {
    asio::any_completion_executor handler;
    asio::any_io_executor acceptor;
  };
  /// An operation that waits.
  struct operation {
    std::uint64_t id;
    accept_handler handler;
    outstanding work;
  };
  /// What an operation has come to; delivered without the mutex. `work` lasts until the handler
  /// is on its way: without it, its context could run out of work in between and return.
  struct outcome {
    accept_handler handler;
    error_code error;
    unique_fd fd;
    outstanding work;
  };
  using outcomes = std::vector<outcome>;

  void serve(outcomes& done);
  void wait();
  void stop_waiting();
  void on_readable(error_code error);
  void abort(std::uint64_t id);
  void abort_all(outcomes& done);
  void finish(std::list<operation>::iterator op, error_code error, unique_fd fd, outcomes& done);
  void post(outcomes done);

  const asio::any_io_executor executor_;
  const std::string name_;
  const std::weak_ptr<inventory> home_;

  mutable std::mutex mutex_;
  std::shared_ptr<const listening_socket> socket_;
  waiter waiter_;  // borrows the descriptor of socket_
  state state_ = state::closed;
  bool waiting_ = false;
  std::uint64_t next_id_ = 0;
  std::list<operation> operations_;
};

}  // namespace graceful::detail

#endif
