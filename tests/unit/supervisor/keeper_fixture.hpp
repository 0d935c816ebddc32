// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "supervisor/keeper.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace graceful_test {

namespace supervision = graceful::supervision;
using namespace std::chrono_literals;

inline constexpr supervision::restart_limits limits{.first_delay = 100ms,
                                                    .longest_delay = 1s,
                                                    .failures = 6,
                                                    .good_while = 10s,
                                                    .ready_timeout = 60s};

inline std::string text_of(const supervision::keeper_action& a) {
  using namespace supervision::action;
  if (std::holds_alternative<start>(a)) return "start";
  if (const auto* s = std::get_if<supervision::action::send>(&a)) {
    return "send " + std::to_string(s->signal) + " to " + (s->to_group ? "the group of " : "") +
           std::to_string(s->pid);
  }
  if (const auto* f = std::get_if<follow>(&a)) return "follow " + std::to_string(f->pid);
  if (std::holds_alternative<release>(a)) return "release";
  if (std::holds_alternative<keep>(a)) return "keep";
  if (const auto* f = std::get_if<finish>(&a)) return "finish " + std::to_string(f->code);
  return "note";
}

/// A keeper, its clock, and its actions as text: "start, follow 7". Notes are separate.
class keeper_fixture {
 public:
  explicit keeper_fixture(const supervision::restart_limits& l = limits) : keeper_{l} {}

  std::string on(const supervision::keeper_event& e) {
    std::string text;
    notes_.clear();
    for (const auto& a : keeper_.resume(e, now_)) {
      if (const auto* note = std::get_if<supervision::action::note>(&a)) {
        notes_ += note->text + '\n';
      } else {
        text += (text.empty() ? "" : ", ") + text_of(a);
      }
    }
    return text;
  }

  std::string begin() { return on(supervision::event::begin{}); }
  std::string started(pid_t pid) { return on(supervision::event::started{pid}); }
  std::string exits(pid_t pid, int status) {
    return on(supervision::event::ended{pid, {supervision::ending::kind::exited, status}});
  }
  std::string killed(pid_t pid, int signal) {
    return on(supervision::event::ended{pid, {supervision::ending::kind::signalled, signal}});
  }
  std::string vanishes(pid_t pid) {
    return on(supervision::event::ended{pid, {supervision::ending::kind::unknown}});
  }
  std::string says(pid_t by, std::string_view what) {
    return on(supervision::event::said{by, *supervision::parse_notification(what)});
  }
  /// It was the parent of the speaker, which is alive.
  std::string exits_before_speaker(pid_t pid, int status) {
    return on(supervision::event::ended{pid, {supervision::ending::kind::exited, status}, true});
  }
  std::string told(int signal, bool to_all = false) {
    return on(supervision::event::told{signal, to_all});
  }
  void pass(std::chrono::milliseconds time) { now_ += time; }
  std::string after(std::chrono::milliseconds time) {
    pass(time);
    return on(supervision::event::tick{});
  }

  /// As if another program continued with what this one remembers.
  void go_on_with(supervision::memory m) { keeper_ = supervision::keeper{limits, std::move(m)}; }

  /// How long until there is something to do; -1 if there is nothing.
  [[nodiscard]] std::chrono::milliseconds next() const {
    const auto due = keeper_.next();
    return due ? std::chrono::duration_cast<std::chrono::milliseconds>(*due - now_) : -1ms;
  }

  [[nodiscard]] const std::string& notes() const { return notes_; }
  [[nodiscard]] bool noted(std::string_view what) const {
    return notes_.find(what) != std::string::npos;
  }
  [[nodiscard]] const supervision::memory& memory() const { return keeper_.remembered(); }
  [[nodiscard]] supervision::phase phase() const { return memory().now; }

 private:
  supervision::keeper keeper_;
  supervision::time now_{1h};
  std::string notes_;
};

/// A keeper that has just started its server, pid 7.
inline keeper_fixture started() {
  keeper_fixture k;
  k.begin();
  k.started(7);
  return k;
}

/// Its server has said that it is ready.
inline keeper_fixture serving() {
  auto k = started();
  k.says(7, "STATUS=starting");
  k.says(7, "READY=1");
  return k;
}

}  // namespace graceful_test
