// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CLI_DISPLAY_HPP
#define GRACEFUL_CLI_DISPLAY_HPP

#include "progress_view.hpp"

#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include <signal.h>

namespace graceful::cli {

/// What is shown on standard output while an upgrade or a drain goes on: a line for what has been
/// reached, and on a terminal a live one below, which a thread draws again and again.
///
/// The same thread takes the signals, so that no two write at the same time, and no handler has to
/// be careful. SIGINT and SIGTERM end the process, with a note that what was begun goes on;
/// SIGTSTP takes the live line away first. A hang-up of the terminal ends nothing.
///
/// One thread at a time calls it. There is one of these in a process.
class display {
 public:
  /// `awaited` is what comes first, `target` what the user called the server.
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

  /// Takes the live line away; signals do what they did before. False if there was something that
  /// could not be written, apart from the live line.
  bool end();

 private:
  using clock = std::chrono::steady_clock;

  // With the mutex held.
  void print(std::string_view text);
  void erase();

  // On the thread.
  void attend(const std::stop_token& stop);
  [[nodiscard]] int next_signal() const;
  void suspend();
  [[noreturn]] void interrupted(int signal);

  progress_view view_;
  std::string note_;
  sigset_t signals_{};
  sigset_t blocked_before_{};
  std::mutex mutex_;
  bool drawn_ = false;   // the cursor is before a live line
  bool lost_ = false;    // the terminal has gone
  bool failed_ = false;  // a line could not be written
  std::jthread attendant_;
};

}  // namespace graceful::cli

#endif
