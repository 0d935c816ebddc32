// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "signal_actions.hpp"

#include <csignal>
#include <utility>

namespace graceful {

signal_actions::signal_actions(asio::io_context& control, actions on)
    : on_{std::move(on)}, signals_{control, SIGTERM, SIGINT, SIGQUIT} {
  signals_.add(SIGUSR2);
  wait();
}

void signal_actions::wait() {
  signals_.async_wait([this](boost::system::error_code ec, int number) {
    if (ec) return;
    if (number != SIGUSR2 && number != SIGQUIT) ++endings_;
    // First, in case what follows throws: a signal that nobody waits for is lost. A third signal
    // that ends has its default action; the others still must not end the process.
    if (endings_ == 2) {
      signals_.remove(SIGTERM);
      signals_.remove(SIGINT);
    }
    wait();
    on_signal(number);
  });
}

void signal_actions::on_signal(int number) const {
  if (number == SIGUSR2) {
    on_.upgrade();
  } else {
    on_.drain(number != SIGQUIT && endings_ > 1);
  }
}

}  // namespace graceful
