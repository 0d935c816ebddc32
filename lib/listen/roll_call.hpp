// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "listen/inventory.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>

namespace graceful {

/// Asks whether the application's threads still run: posts a round trip through every executor on
/// which it accepts, and through the upgrader's. The control thread answers even while they hang,
/// so its own answer proves nothing. A server that runs no context, because its threads accept by
/// themselves, proves that it serves in another way: a thread blocks in accept(2), or there is a
/// new connection. Lives on the control thread; what it has posted may outlive it in the
/// application's queues.
class roll_call {
 public:
  roll_call(asio::io_context& control, const inventory& sockets, asio::any_io_executor application)
      : control_{control},
        inventory_{sockets},
        application_{std::move(application)},
        look_again_{control} {}
  ~roll_call() { dismiss(); }
  roll_call(const roll_call&) = delete;
  roll_call& operator=(const roll_call&) = delete;

  /// Calls `all_here` on the control thread when all have answered. Only one roll is called at a
  /// time: a new one dismisses an earlier one.
  void call(std::function<void()> all_here);

  /// Stops waiting.
  void dismiss();

  [[nodiscard]] bool under_way() const { return roll_ != nullptr; }

 private:
  struct roll;
  void look_for_accepting_threads();
  void conclude();

  asio::io_context& control_;
  const inventory& inventory_;
  const asio::any_io_executor application_;
  asio::steady_timer look_again_;
  std::shared_ptr<roll> roll_;
  std::optional<std::set<std::uint64_t>> connections_;  // when last looked at
};

}  // namespace graceful
