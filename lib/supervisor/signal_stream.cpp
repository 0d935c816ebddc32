// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/signal_stream.hpp"

#include "control/await.hpp"
#include "os/system_failure.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

namespace graceful {

result<void> signal_stream::start(const sigset_t& signals) {
  const int fd = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) return os::system_failure("cannot take signals (signalfd)");
  descriptor_.assign(fd);
  wait();
  return {};
}

void signal_stream::stop() {
  boost::system::error_code ignored;
  descriptor_.close(ignored);
}

void signal_stream::wait() {
  await_readable(descriptor_, [this] {
    signalfd_siginfo info{};
    while (descriptor_.is_open() &&
           ::read(descriptor_.native_handle(), &info, sizeof info) == sizeof info) {
      on_({static_cast<int>(info.ssi_signo), info.ssi_code == SI_KERNEL});
    }
    if (descriptor_.is_open()) wait();
  });
}

}  // namespace graceful
