// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "keeper_fixture.hpp"

#include <iterator>
#include <set>
#include <string>

namespace graceful_test {

/// The world of a keeper: the processes that it has started or heard of. Checks after each
/// event that it has kept its promises. Used by the fuzzer and for random events.
struct keeper_world {
  keeper_fixture keeper{};
  std::set<pid_t> live{};
  pid_t newest = 2;
  bool released = false;  ///< The kept descriptors.
  bool over = false;

  /// A live process, or else an unknown one.
  [[nodiscard]] pid_t some(unsigned which) const {
    if (live.empty() || which % 8 == 0) return 99;
    return *std::next(live.begin(), static_cast<std::ptrdiff_t>(which / 8 % live.size()));
  }

  pid_t born() {
    live.insert(++newest);
    return newest;
  }

  /// `can_start`: whether a program that it starts can be executed. Returns what is wrong; empty if
  /// nothing is.
  std::string take(const supervision::keeper_event& e, bool can_start = true) {
    if (const auto* ended = std::get_if<supervision::event::ended>(&e)) live.erase(ended->pid);
    for (auto done = keeper.on(e);;) {
      if (over && !done.empty()) return "does something when all is over: " + done;
      if (done.find("finish") != std::string::npos) over = true;
      if (done.find("release") != std::string::npos) released = true;
      if (done.find("keep") != std::string::npos) released = false;
      if (done.find("start") == std::string::npos) break;
      if (keeper.memory().main) return "starts a server while there is one";
      done = can_start ? keeper.started(born())
                       : keeper.on(supervision::event::not_started{127, "no such program"});
    }
    return wrong();
  }

 private:
  /// Checks that the keeper waits for a process or a time.
  [[nodiscard]] std::string wrong() const {
    using supervision::phase;
    const auto& m = keeper.memory();
    if ((m.now == phase::over) != over) return "is over, and is not";
    if (m.now == phase::waiting && (!m.due || m.main)) return "waits for no time";
    if ((m.now == phase::starting || m.now == phase::serving) && !m.main) return "has no server";
    if (m.now == phase::ending && m.formers.empty()) return "waits for no process";
    if (!over && (m.now == phase::ending) != released) return "keeps for nobody, or nothing";
    if (m.main && m.formers.contains(*m.main)) return "main was main before, and is";
    if (m.failures > limits.failures) return "goes on beyond the limit";
    return {};
  }
};

}  // namespace graceful_test
