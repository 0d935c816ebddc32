// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/io_context_pool.hpp>
#include <graceful/server.hpp>

#include "os/home_process.hpp"
#include "os/log.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/scope_exit.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace graceful::detail {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds pause_after_error{100};
constexpr std::chrono::minutes pause_between_complaints{1};

result<tcp::endpoint> parse(std::string_view address, std::uint16_t port) {
  error_code ec;
  const auto ip = asio::ip::make_address(address, ec);
  if (!ec) return tcp::endpoint{ip, port};
  return failure{errc::invalid_argument,
                 "cannot listen on '" + std::string{address} +
                     "': it is no IP address; give one like 127.0.0.1, or 0.0.0.0 or :: for every "
                     "interface"};
}

/// The sockets of one server, and the sessions that start from them.
class reception {
 public:
  reception(io_context_pool& pool, upgrader& up, log& log,
            const server_body::session_starter& start)
      : pool_{pool}, up_{up}, log_{log}, start_{start} {}

  /// Returns the address that it listens on.
  tcp::endpoint listen(const tcp::endpoint& endpoint, const server_params& params) {
    if (params.listen.reuse_port) {
      acceptors_ =
          up_.listen_group<tcp>(pool_.executors(), params.listener, endpoint, params.listen);
    } else {
      acceptors_.push_back(up_.listen<tcp>(params.listener, endpoint, params.listen));
    }
    loops_ = acceptors_.size();
    for (const auto& acceptor : acceptors_) {
      std::make_shared<accept_loop>(*this, acceptor)->accept_next();
    }
    return acceptors_.front().local_endpoint();
  }

 private:
  class accept_loop : public std::enable_shared_from_this<accept_loop> {
   public:
    accept_loop(reception& home, acceptor<tcp> acceptor)
        : home_{home}, acceptor_{std::move(acceptor)}, pause_{acceptor_.get_executor()} {}

    void accept_next() {
      acceptor_.async_accept(home_.place_for(acceptor_),
                             [self = shared_from_this()](error_code ec, tcp::socket socket) {
                               self->on_accept(ec, std::move(socket));
                             });
    }

   private:
    void on_accept(error_code ec, tcp::socket socket) {
      if (ec == asio::error::operation_aborted) return home_.loop_ends();
      if (ec) return wait_after(ec);
      accept_next();
      home_.begin(std::move(socket));
    }

    /// Pauses after an error such as EMFILE: the connection waits in the queue until a descriptor
    /// is free.
    void wait_after(error_code ec) {
      const auto now = clock::now();
      if (!complained_ || now - *complained_ >= pause_between_complaints) {
        complained_ = now;
        home_.log_.warning("cannot accept: " + ec.message() + "; trying again, ten times a second");
      }
      pause_.expires_after(pause_after_error);
      pause_.async_wait([self = shared_from_this()](error_code) { self->accept_next(); });
    }

    reception& home_;
    acceptor<tcp> acceptor_;
    asio::steady_timer pause_;
    std::optional<clock::time_point> complained_;
  };

  /// The thread that serves the next connection. If each thread has its own socket, it serves what
  /// that accepts. In a probation they do not have one yet.
  asio::any_io_executor place_for(const acceptor<tcp>& acceptor) {
    if (!each_has_one_) {
      each_has_one_ = acceptors_.size() == pool_.size() &&
                      std::ranges::all_of(acceptors_, [](const auto& a) { return a.is_open(); });
    }
    return each_has_one_ ? acceptor.get_executor() : pool_.next();
  }

  /// Runs on the thread that serves the connection.
  void begin(tcp::socket socket) {
    auto executor = socket.get_executor();
    asio::dispatch(executor, [this, socket = std::move(socket)]() mutable {
      try {
        start_(std::move(socket), up_);
      } catch (const std::exception& e) {
        log_.warning(std::string{"a session does not start, its connection is closed: "} +
                     e.what());
      }
    });
  }

  /// Not before: a loop passes its connections to another context, which must still be running.
  void loop_ends() {
    if (--loops_ == 0) pool_.reset_work();
  }

  io_context_pool& pool_;
  upgrader& up_;
  log& log_;
  const server_body::session_starter& start_;
  std::vector<acceptor<tcp>> acceptors_;
  std::atomic<std::size_t> loops_{0};
  std::atomic<bool> each_has_one_{false};
};

}  // namespace

class server_body::impl {
 public:
  impl(options opts, server_params params, session_starter start)
      : options_{with_safe_log(std::move(opts))},
        params_{std::move(params)},
        start_{std::move(start)} {}

  int listen_and_serve(std::string_view address, std::uint16_t port) noexcept {
    try {
      serve(parse(address, port).value());
      return 0;
    } catch (const std::exception& e) {
      failed(e.what());
    } catch (...) {
      failed("a handler has thrown what is no std::exception");
    }
    return 1;
  }

  void end(bool now) {
    const std::lock_guard lock{mutex_};
    if (up_ == nullptr) {
      told_to_end_ = now || told_to_end_.value_or(false);
    } else {
      now ? up_->drain_now() : up_->drain();
    }
  }

 private:
  void serve(const tcp::endpoint& endpoint) {
    auto pool = params_.threads ? std::make_unique<io_context_pool>(*params_.threads)
                                : std::make_unique<io_context_pool>();
    upgrader up{*pool, options_};
    // Sessions may use the upgrader as long as they live. Those left when the pool has ended are
    // destroyed before it, when nothing is posted to the pool any more.
    BOOST_SCOPE_EXIT_ALL(&) {
      up.end_control();
      pool->destroy_handlers();
    };
    if (params_.handle_signals) up.handle_signals();
    reception sockets{*pool, up, log_, start_};
    BOOST_SCOPE_EXIT_ALL(this) {
      if (home_.is_this()) withdraw();
    };
    tcp::endpoint bound;
    try {
      bound = sockets.listen(endpoint, params_);
      publish(up);
      up.ready();
    } catch (const error&) {
      if (up.draining()) return;  // told to end before it has started: nothing else counts then
      throw;
    }
    if (params_.on_ready) params_.on_ready(up, bound);
    pool->run();
  }

  /// A child that a handler has forked logs nothing: the server goes on, and the log may be locked.
  void failed(const std::string& why) {
    if (home_.is_this()) log_.error("the server ends: " + why);
  }

  /// From now on drain() and exit() reach the upgrader.
  void publish(upgrader& up) {
    const std::lock_guard lock{mutex_};
    up_ = &up;
    if (told_to_end_) *told_to_end_ ? up.drain_now() : up.drain();
  }

  void withdraw() {
    const std::lock_guard lock{mutex_};
    if (std::exchange(up_, nullptr) != nullptr) told_to_end_.reset();
  }

  const os::home_process home_;
  const options options_;
  const server_params params_;
  const session_starter start_;
  log log_{options_.log, options_.log_threshold};

  std::mutex mutex_;
  upgrader* up_ = nullptr;           // as long as drain() and exit() can reach it
  std::optional<bool> told_to_end_;  // before that: true: at once
};

server_body::server_body(this_asio_abi /*abi*/, options opts, server_params params,
                         session_starter start)
    : impl_{std::make_unique<impl>(std::move(opts), std::move(params), std::move(start))} {}

server_body::~server_body() = default;

int server_body::listen_and_serve(std::string_view address, std::uint16_t port) {
  return impl_->listen_and_serve(address, port);
}

void server_body::drain() { impl_->end(false); }

void server_body::exit() { impl_->end(true); }

}  // namespace graceful::detail
