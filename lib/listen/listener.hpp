// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/detail/listener.hpp>

#include "listen/inventory.hpp"
#include "os/home_process.hpp"
#include "os/log.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace graceful::detail {

/// The body of `acceptor`. Accepts only when an operation waits for a connection, so there is never
/// a connection that nobody takes. Everything happens under one mutex, so stopping is complete when
/// stop() returns, however busy the executor is.
///
/// Accepts from one socket, or in turn from several on one address (SO_REUSEPORT), so that none
/// starves.
class listener final : public accepting, public std::enable_shared_from_this<listener> {
 public:
  listener(asio::any_io_executor executor, shared_socket socket, std::weak_ptr<inventory> home);

  /// The same without a socket yet: it adopts one later.
  listener(asio::any_io_executor executor, std::string name, std::weak_ptr<inventory> home);
  ~listener() override;

  void async_accept(peer_address peer, accept_handler handler);
  void async_wait(wait_type what, accept_handler handler);
  // These block.
  accepted accept(peer_address peer, error_code& ec);
  void wait(wait_type what, error_code& ec);
  void open() override;
  void pause() override;
  void stop() override;
  bool adopt(const shared_socket& socket) override;
  void let_go(const shared_socket& socket) override;
  void cancel();
  void close();

  [[nodiscard]] asio::any_io_executor executor() const override { return executor_; }
  [[nodiscard]] bool waits() const override;
  [[nodiscard]] os::answer somebody_blocks() const override;
  [[nodiscard]] const std::string& name() const { return name_; }
  /// The first of its sockets; null if it has none.
  [[nodiscard]] shared_socket socket() const;
  [[nodiscard]] std::vector<shared_socket> sockets() const;
  [[nodiscard]] bool non_blocking() const { return non_blocking_; }
  void non_blocking(bool mode) { non_blocking_ = mode; }

 private:
  using waiter = asio::basic_socket_acceptor<asio::generic::stream_protocol>;
  enum class state { closed, open, stopped };

  /// A socket to accept from. Never moved and never removed.
  struct source {
    source(const asio::any_io_executor& executor, shared_socket from)
        : socket{std::move(from)}, readiness{executor} {}

    shared_socket socket;  // null: let go
    waiter readiness;      // borrows the descriptor of socket
    bool waiting = false;
    std::uint64_t expected = 0;  // how many connections the queue is believed to hold
  };

  /// A waiting operation, and its result.
  struct operation {
    void operator()() { std::move(handler)(error, std::move(got)); }

    std::uint64_t id = 0;
    accept_handler handler;
    peer_address peer;
    bool until_readable = false;  // of a wait: other waits exist, which nothing makes ready
    bool forsaken = false;        // its handler is not called
    // Keeps the contexts running that it needs until its handler is called: the acceptor's, and the
    // handler's if that has its own executor.
    asio::any_io_executor work;
    asio::any_completion_executor own_work;
    error_code error;
    accepted got;
  };
  using operations = std::list<operation>;

  /// How many operations that start after the end are told of it. That is more than there are loops
  /// that were busy at the end and have not heard of it yet.
  static constexpr std::size_t most_aborted = 1'000;

  /// A thread that blocks.
  struct blocked {
    unique_fd wake;  // an eventfd
    bool cancelled = false;
  };

  /// Runs `change` under the mutex, and then delivers the operations that it has completed.
  template <class Change>
  void apply(Change change) {
    operations done;
    {
      const std::lock_guard lock{mutex_};
      change(done);
    }
    post(std::move(done));
  }

  // These move completed operations to `done`, which is delivered without the mutex.
  void serve(operations& done);
  void abort_all(operations& done);
  static void finish(operations& from, operations::iterator op, error_code error, accepted got,
                     operations& done);
  void finish_readable(error_code error, operations& done);
  void fail_all(error_code error, operations& done);
  void begin(operations& done);

  operation& start(operations& in, accept_handler handler);
  [[nodiscard]] bool wants() const;

  bool add(shared_socket socket, error_code& error);
  static void let_go(source& from);
  bool serve_one(source& from, operations& done);
  void wait(source& from, operations& done);
  void stop_waiting();
  void on_readable(source& from, error_code error);
  void abort(std::uint64_t id);
  void post(operations done);
  void recycle(operations used);
  static void run(operation done);

  enum class looked { got, nothing, failed };
  static looked accept_now(source& from, peer_address peer, int flags, accepted& got,
                           error_code& error);
  looked look(bool take, peer_address peer, accepted& got, error_code& error);
  accepted block(bool take, bool until_readable, peer_address peer, error_code& ec);
  void wake_blocked(bool cancel);

  const os::home_process process_;
  const asio::any_io_executor executor_;
  const asio::any_io_executor poster_;  // the same, but never runs a function in its caller
  const asio::any_completion_executor default_executor_;  // the same, for handlers without an
                                                          // executor of their own
  const std::string name_;
  const std::weak_ptr<inventory> home_;

  mutable std::mutex mutex_;
  std::list<source> sources_;
  std::list<source>::iterator turn_ = sources_.end();  // where to look for the next connection
  state state_ = state::closed;
  std::uint64_t next_id_ = 0;
  std::size_t aborted_ = 0;  // operations that were started after the end
  operations operations_;    // operations that accept
  operations waits_;
  operations spare_;  // reused, so that an accept allocates nothing here
  std::vector<blocked*> blocked_;
  std::atomic<bool> non_blocking_{false};
};

}  // namespace graceful::detail

namespace graceful {

/// Makes a listener on `wanted` for each executor, each with its own socket: see
/// `upgrader::listen_group`.
result<std::vector<std::shared_ptr<detail::listener>>> listen_group(
    const std::shared_ptr<inventory>& sockets, log& log,
    const std::vector<asio::any_io_executor>& executors, std::string_view name,
    const os::socket_address& wanted, const listen_params& params);

}  // namespace graceful
