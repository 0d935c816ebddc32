// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <signal.h>
#include <unistd.h>

namespace graceful::testing {

/// While it lives, this thread takes no signals. Threads and processes that begin meanwhile have
/// them blocked from their first moment on. The test's own threads take the signals.
class blocked_signals {
 public:
  blocked_signals() {
    sigset_t every;
    ::sigfillset(&every);
    ::pthread_sigmask(SIG_SETMASK, &every, &before_);
  }
  blocked_signals(const blocked_signals&) = delete;
  blocked_signals& operator=(const blocked_signals&) = delete;
  ~blocked_signals() {
    // A child that was forked meanwhile keeps them blocked until it is ready for them.
    if (::getpid() == maker_) ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t before_;
  pid_t maker_ = ::getpid();
};

}  // namespace graceful::testing
