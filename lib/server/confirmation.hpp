// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "listen/inventory.hpp"
#include "listen/roll_call.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace graceful {

/// Waits until this successor serves, before it confirms that: its application answers, and
/// listens. Lives on the control thread.
class confirmation {
 public:
  struct callbacks {
    std::function<void()> serves;
    std::function<void(const std::string& why)> does_not;
  };

  confirmation(asio::io_context& control, const inventory& sockets,
               asio::any_io_executor application, std::chrono::milliseconds patience)
      : inventory_{sockets},
        roll_{control, sockets, std::move(application)},
        deadline_{control},
        patience_{patience} {}

  /// `must_listen`: it was handed listeners, so it has to listen on something. Calls one of the
  /// callbacks, unless it is asked again before that.
  void ask(bool must_listen, callbacks on);

  /// Call it when there are other sockets than before.
  void sockets_changed() { decide(); }

  void stop();

 private:
  void decide();
  void give_up();

  const inventory& inventory_;
  roll_call roll_;
  asio::steady_timer deadline_;
  const std::chrono::milliseconds patience_;
  bool asked_ = false;
  bool must_listen_ = false;
  callbacks callbacks_;
};

}  // namespace graceful
