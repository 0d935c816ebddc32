// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <signal.h>

namespace graceful::os {

/// Blocks signals for this thread while it lives, all of them unless told which. A thread that is
/// started meanwhile inherits the mask, so at no moment can it take a signal.
class blocked_signals {
 public:
  blocked_signals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  explicit blocked_signals(const sigset_t& these) {
    ::pthread_sigmask(SIG_BLOCK, &these, &before_);
  }
  blocked_signals(const blocked_signals&) = delete;
  blocked_signals& operator=(const blocked_signals&) = delete;
  ~blocked_signals() {
    if (!kept_) ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  /// They stay blocked.
  void keep() { kept_ = true; }

 private:
  sigset_t before_{};
  bool kept_ = false;
};

}  // namespace graceful::os
