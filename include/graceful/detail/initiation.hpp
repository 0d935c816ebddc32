// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_DETAIL_INITIATION_HPP
#define GRACEFUL_DETAIL_INITIATION_HPP

#include <graceful/error.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>

#include <type_traits>
#include <utility>

namespace graceful::detail {

/// Starts a wait by `start(handler, own)`. `own` is the handler's own executor, or the default one;
/// it is empty if `any_io_executor` cannot hold it. Like Asio's own initiations, this one has an
/// executor, for tokens that need one, such as a token with a timeout.
template <class Start>
class initiation {
 public:
  using executor_type = boost::asio::any_io_executor;

  initiation(executor_type executor, Start start)
      : executor_{std::move(executor)}, start_{std::move(start)} {}

  [[nodiscard]] const executor_type& get_executor() const noexcept { return executor_; }

  template <class Handler>
  void operator()(Handler&& handler) const {
    const auto executor = boost::asio::get_associated_executor(handler, executor_);
    executor_type own;
    if constexpr (std::is_convertible_v<decltype(executor), executor_type>) own = executor;
    start_(boost::asio::any_completion_handler<void(error_code)>{std::forward<Handler>(handler)},
           std::move(own));
  }

 private:
  executor_type executor_;
  Start start_;
};

}  // namespace graceful::detail

#endif
