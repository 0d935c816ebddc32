// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "progress_view.hpp"

#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include <signal.h>

namespace graceful::cli {

/// The output of an upgrade or a drain on standard output: a line for each event and, on a
/// terminal, a live line below them, which a thread redraws.
///
/// The same thread takes the signals, so that no two threads write at the same time, and no signal
/// handler is needed. SIGINT and SIGTERM end the process, with a note that the upgrade or drain
/// goes on; SIGTSTP first removes the live line. A hang-up of the terminal ends nothing.
///
/// Only one thread at a time may call it. There is one in a process.
class display {
 public:
  /// `awaited` is what comes first, `target` the user's name for the server.
  display(bool json, std::string awaited, const std::string& target);
  display(const display&) = delete;
  display& operator=(const display&) = delete;
  ~display() { end(); }

  /// Shows an event that the view knows.
  template <class Event>
  void on(const Event& event) {
    const std::lock_guard lock{mutex_};
    print(view_.on(event, clock::now()));
  }

  void await(std::string what);

  /// Removes the live line, and restores the signals. False if any text, except the live line,
  /// could not be written.
  bool end();

 private:
  using clock = std::chrono::steady_clock;

  // Call it with the mutex held.
  void print(std::string_view text);
  void erase();

  // Runs on the thread.
  void attend(const std::stop_token& stop);
  [[nodiscard]] int next_signal() const;
  void suspend();
  [[noreturn]] void interrupted(int signal);

  progress_view view_;
  std::string note_;
  sigset_t signals_{};
  sigset_t blocked_before_{};
  std::mutex mutex_;
  bool drawn_ = false;   // the cursor is in front of a live line
  bool lost_ = false;    // the terminal has gone
  bool failed_ = false;  // a line could not be written
  std::jthread attendant_;
};

}  // namespace graceful::cli
