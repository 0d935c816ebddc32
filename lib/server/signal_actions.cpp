// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "server/signal_actions.hpp"

#include "control/await.hpp"
#include "os/system_failure.hpp"

#include <csignal>
#include <utility>

#include <sys/signalfd.h>

namespace graceful {

namespace {

sigset_t taken_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGQUIT, SIGUSR2}) ::sigaddset(&signals, number);
  return signals;
}

}  // namespace

signal_actions::signal_actions(asio::io_context& control, callbacks on)
    : callbacks_{std::move(on)}, signals_{control, SIGTERM, SIGINT, SIGQUIT}, blocked_{control} {
  signals_.add(SIGUSR2);
  const auto taken = taken_signals();
  const int pending = ::signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
  if (pending < 0) throw boost::system::system_error{os::system_code(), "signalfd"};
  blocked_.assign(pending);
  wait();
  wait_blocked();
}

void signal_actions::wait() {
  signals_.async_wait([this](boost::system::error_code ec, int number) {
    if (ec) return;
    if (number != SIGUSR2 && number != SIGQUIT) ++endings_;
    // Arm the wait first, in case what follows throws: a signal that nobody waits for is lost. A
    // third ending signal has its default action; the others still must not end the process.
    if (endings_ == 2) {
      signals_.remove(SIGTERM);
      signals_.remove(SIGINT);
    }
    wait();
    on_signal(number);
  });
}

/// A signal that no thread takes stays pending, which signalfd(2) shows. It is not read there,
/// because a thread of the application may be about to take it, and other signal_sets wait for it
/// too. This thread unblocks it here, where no system call is interrupted: pthread_sigmask(3)
/// returns when what was pending has been delivered.
void signal_actions::wait_blocked() {
  await_readable(blocked_, [this] {
    if (!blocked_.is_open()) return;
    const auto taken = taken_signals();
    sigset_t before;
    ::pthread_sigmask(SIG_UNBLOCK, &taken, &before);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    wait_blocked();
  });
}

void signal_actions::on_signal(int number) const {
  if (number == SIGUSR2) {
    callbacks_.upgrade();
  } else {
    callbacks_.drain(number != SIGQUIT && endings_ > 1);
  }
}

}  // namespace graceful
