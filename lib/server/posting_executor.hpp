// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/native.hpp>

#include "os/log.hpp"

#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace graceful {

namespace asio = boost::asio;

/// What the library keeps for an application that has no execution context: connections may outlive
/// the upgrader, and their executors refer to this.
struct native_home {
  explicit native_home(const options& opts) : messages{opts.log, opts.log_threshold} {}

  asio::io_context io;
  log messages;
};

/// The application's event loop as an executor: what is posted runs there.
class posting_executor {
 public:
  posting_executor(std::shared_ptr<native_home> home, native::post_function post)
      : home_{std::move(home)},
        post_{std::make_shared<const native::post_function>(std::move(post))} {}

  template <class F>
  void execute(F&& f) const {
    // std::function copies what it holds, and a handler can only be moved.
    auto task = std::make_shared<std::decay_t<F>>(std::forward<F>(f));
    try {
      (*post_)([task] { std::move (*task)(); });
    } catch (const std::exception& e) {
      complain(e.what());
    } catch (...) {
      complain("it has thrown something that is no std::exception");
    }
  }

  [[nodiscard]] asio::execution_context& query(
      asio::execution::context_t /*which*/) const noexcept {
    return home_->io;
  }
  [[nodiscard]] static constexpr asio::execution::blocking_t query(
      asio::execution::blocking_t /*which*/) noexcept {
    return asio::execution::blocking.never;
  }
  [[nodiscard]] posting_executor require(asio::execution::blocking_t::never_t /*which*/) const {
    return *this;
  }

  bool operator==(const posting_executor& other) const noexcept = default;

 private:
  void complain(const std::string& why) const {
    home_->messages.error("the function that posts to the application's loop has failed: " + why);
  }

  std::shared_ptr<native_home> home_;
  std::shared_ptr<const native::post_function> post_;
};

}  // namespace graceful
