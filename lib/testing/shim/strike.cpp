// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/shim/strike.hpp"

#include "testing/shim/real.hpp"
#include "testing/shim/silence.hpp"

#include <climits>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace graceful::testing::shim {
namespace {

bool is_at(armed_word word, point where) {
  const point meant = point_of(word);
  return word != 0 && !is_taken(word) && meant.is_step == where.is_step &&
         meant.when == where.when &&
         (meant.code == where.code ||
          (!meant.is_step && meant.code == static_cast<std::uint8_t>(kind::any)));
}

/// Signals this thread: the kernel acts on the signal before the thread returns to the program. A
/// signal to the process may reach another thread first.
void signal_this_thread(int number) { ::tgkill(::getpid(), ::gettid(), number); }

void crash() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  sigset_t only;
  ::sigemptyset(&only);
  ::sigaddset(&only, SIGSEGV);
  real_sigprocmask(SIG_UNBLOCK, &only, nullptr);
  signal_this_thread(SIGSEGV);
  // The program's own handler has returned, or the signal is ignored.
  real_sigaction(SIGSEGV, &standard, nullptr);
  signal_this_thread(SIGSEGV);
}

/// Reports, unless another fault has been armed since.
void tell(fault_file& own, std::uint32_t stage) {
  std::uint32_t before = stage - 1;
  if (!own.struck.compare_exchange_strong(before, stage)) return;
  real_syscall(SYS_futex, reinterpret_cast<long>(&own.struck), FUTEX_WAKE, INT_MAX, 0, 0, 0);
}

void perform(action what) {
  switch (what) {
    case action::kill:
      return signal_this_thread(SIGKILL);
    case action::stop:
      return signal_this_thread(SIGSTOP);
    case action::crash:
      return crash();
    case action::unreachable:
      return fall_silent();
    case action::fail:
      return;  // the caller makes the call fail
  }
}

}  // namespace

int pass(fault_file& own, point where, kind in) {
  armed_word word = own.armed.load(std::memory_order_acquire);
  do {
    if (!is_at(word, where)) return 0;
  } while (!own.armed.compare_exchange_weak(word, count_of(word) > 1 ? word - 1 : taken(word)));
  if (count_of(word) > 1) return 0;
  own.struck_fault.store(word);
  own.struck_call.store(own.calls.load());
  own.struck_kind.store(static_cast<std::uint32_t>(in));
  tell(own, striking);
  perform(action_of(word));
  tell(own, done);
  return error_of(word);
}

}  // namespace graceful::testing::shim
