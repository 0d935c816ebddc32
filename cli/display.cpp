// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "display.hpp"

#include "terminal.hpp"

#include <utility>

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

namespace graceful::cli {

namespace {

constexpr timespec redraw_interval{.tv_sec = 0, .tv_nsec = 100'000'000};

constexpr int out = STDOUT_FILENO;

/// Erases everything after the cursor, to the end of the screen.
constexpr std::string_view erase_rest = "\x1b[J";

form form_of(bool json) {
  if (json) return form::json;
  return is_live_terminal(out) ? form::live : form::lines;
}

}  // namespace

display::display(bool json, std::string awaited, const std::string& target)
    : view_{form_of(json), style_of(out), clock::now(), std::move(awaited)},
      note_{
          "graceful-ctl: interrupted; what was begun goes on. Watch it with: graceful-ctl status" +
          (target.empty() ? target : ' ' + target) + '\n'} {
  ::signal(SIGHUP, SIG_IGN);
  ::sigemptyset(&signals_);
  // SIGWINCH also ends the thread's wait.
  for (const int signal : {SIGINT, SIGTERM, SIGWINCH}) ::sigaddset(&signals_, signal);
  if (view_.shown_as() == form::live) {
    for (const int signal : {SIGTSTP, SIGCONT}) ::sigaddset(&signals_, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &signals_, &blocked_before_);
  attendant_ = std::jthread{[this](const std::stop_token& stop) { attend(stop); }};
}

void display::await(std::string what) {
  const std::lock_guard lock{mutex_};
  view_.await(std::move(what));
  print({});
}

bool display::end() {
  if (attendant_.joinable()) {
    attendant_.request_stop();
    ::pthread_kill(attendant_.native_handle(), SIGWINCH);
    attendant_.join();
    erase();
    ::pthread_sigmask(SIG_SETMASK, &blocked_before_, nullptr);
  }
  return !failed_;
}

/// Writes with one write(2), so that nothing flickers. Asks for the width each time: SIGWINCH only
/// tells that it has changed. The cursor stays in front of the live line. A terminal that gets
/// narrower, and wraps the line, keeps the cursor in its first row, so that all its rows are after
/// the cursor and are erased.
void display::print(std::string_view text) {
  std::string bytes;
  if (drawn_ && !text.empty()) bytes.append("\r").append(erase_rest);
  bytes += text;
  const bool draws = !lost_ && in_foreground(out);
  if (const std::string line = draws ? view_.live(clock::now(), width_of(out)) : std::string{};
      !line.empty()) {
    bytes.append("\r").append(line).append(erase_rest).append("\r");
    drawn_ = true;
  } else if (!text.empty()) {
    drawn_ = false;
  }
  if (write_all(out, bytes)) return;
  failed_ = failed_ || !text.empty();
  lost_ = true;
  drawn_ = false;
}

void display::erase() {
  if (drawn_) write_all(out, std::string{"\r"}.append(erase_rest));
  drawn_ = false;
}

int display::next_signal() const {
  if (view_.shown_as() != form::live) return ::sigwaitinfo(&signals_, nullptr);
  return ::sigtimedwait(&signals_, nullptr, &redraw_interval);
}

void display::attend(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const int signal = next_signal();
    if (signal == SIGINT || signal == SIGTERM) interrupted(signal);
    if (signal == SIGTSTP) suspend();
    const std::lock_guard lock{mutex_};
    print({});
  }
}

/// Stops as if the signal had not been caught, so that the shell sees the usual reason. The mutex
/// keeps others from writing meanwhile.
void display::suspend() {
  const std::lock_guard lock{mutex_};
  erase();
  sigset_t stop;
  ::sigemptyset(&stop);
  ::sigaddset(&stop, SIGTSTP);
  ::raise(SIGTSTP);
  ::pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);  // the process stops here
  ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);
}

/// Ends in any case, even if the reader has stopped reading, or the other thread waits for it.
void display::interrupted(int signal) {
  constexpr int patience_ms = 200;
  std::unique_lock lock{mutex_, std::defer_lock};
  for (int i = 0; i < patience_ms / 10 && !lock.try_lock(); ++i) ::poll(nullptr, 0, 10);
  const auto takes = [](int fd) {
    pollfd entry{fd, POLLOUT, 0};
    return ::poll(&entry, 1, patience_ms) == 1;
  };
  std::string note = '\n' + note_;  // the terminal has echoed ^C
  if (lock && drawn_ && takes(out)) {
    // The line stays, complete: written over the echo, with the cursor after it.
    std::string line{"\r"};
    line.append(view_.live(clock::now(), width_of(out))).append(erase_rest).append("\n");
    write_all(out, line);
    note = note_;
  }
  if (takes(STDERR_FILENO)) write_all(STDERR_FILENO, note);
  ::_exit(128 + signal);
}

}  // namespace graceful::cli
