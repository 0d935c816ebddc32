// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "point.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <random>
#include <sstream>
#include <utility>

using graceful::testing::fault;

namespace graceful_stress {
namespace {

constexpr std::array steps{fault::step::begin,  fault::step::begun,  fault::step::fetch,
                           fault::step::batch,  fault::step::ready,  fault::step::readied,
                           fault::step::settle, fault::step::settled};
constexpr std::array moments{fault::moment::before, fault::moment::after};

std::optional<fault::step> step_named(const std::string& name) {
  for (const auto each : steps) {
    const std::string text = fault::at_step(each, fault::action::kill).to_string();
    if (text.find(" " + name + " ") != text.npos) return each;
  }
  return {};
}

constexpr std::array errors{EMFILE, ENOMEM, ENOSPC, EPERM, ENOSYS};

/// The kernel never makes these calls fail in that way: they wait, or end something, or their libc
/// functions return the error and not -1.
constexpr std::array<std::string_view, 17> never_fail{
    "close",   "close_range", "exit",      "epoll_wait",  "epoll_pwait",    "poll",
    "ppoll",   "select",      "pselect",   "wait",        "waitpid",        "waitid",
    "syscall", "sigaction",   "nanosleep", "sigprocmask", "clock_nanosleep"};

/// True for the calls by which Asio adds its own timer and interrupter to epoll, in each of two
/// contexts: Asio does not check whether they succeed.
bool is_unseen_by_asio(const std::string& kind, std::uint32_t k) {
  return kind == "epoll_ctl" && k <= 4;
}

std::vector<std::vector<point>> errors_of(side victim, const call_counts& calls) {
  std::vector<std::vector<point>> groups;
  for (const auto& [kind, count] : calls) {
    if (std::ranges::find(never_fail, kind) != never_fail.end()) continue;
    auto& group = groups.emplace_back();
    for (std::uint32_t k = 1; k <= count; ++k) {
      if (is_unseen_by_asio(kind, k)) continue;
      for (const int error : errors) group.push_back({victim, fault::failing_call(kind, k, error)});
    }
  }
  return groups;
}

std::vector<std::vector<point>> kills_of(side victim, const call_counts& calls) {
  std::vector<std::vector<point>> groups;
  for (const auto where : steps) {
    auto& group = groups.emplace_back();
    for (const auto when : moments) {
      group.push_back({victim, fault::at_step(where, fault::action::kill, when)});
    }
  }
  for (const auto& [kind, count] : calls) {
    auto& group = groups.emplace_back();
    for (std::uint32_t k = 1; k <= count; ++k) {
      for (const auto when : moments) {
        group.push_back({victim, fault::at_call(kind, k, fault::action::kill, when)});
      }
    }
  }
  return groups;
}

}  // namespace

std::string point::to_string() const {
  const std::string text = fault.to_string();  // "kill before call ..."
  return (victim == side::predecessor ? "predecessor" : "successor") +
         (kills() ? text.substr(text.find(' ')) : ' ' + text);
}

std::optional<point> point::parse(std::string_view text) {
  std::istringstream words{std::string{text}};
  std::string who, when, what, name;
  std::uint32_t count = 0;
  int error = 0;
  if (!(words >> who >> when)) return {};
  if (constexpr std::string_view fails = "fail:"; when.starts_with(fails)) {
    error = std::atoi(when.c_str() + fails.size());
    if (error <= 0 || !(words >> when)) return {};
  }
  if (!(words >> what >> name >> count) || count == 0) return {};
  if ((who != "predecessor" && who != "successor") || (when != "before" && when != "after"))
    return {};
  const auto victim = who == "predecessor" ? side::predecessor : side::successor;
  const auto moment = when == "before" ? fault::moment::before : fault::moment::after;
  if (what == "call") {
    const auto kinds = graceful::testing::fault_injector::kinds();
    if (std::find(kinds.begin(), kinds.end(), name) == kinds.end()) return {};
    if (error > 0) return point{victim, fault::failing_call(name, count, error)};
    return point{victim, fault::at_call(name, count, fault::action::kill, moment)};
  }
  const auto step = step_named(name);
  if (what != "step" || !step) return {};
  return point{victim, fault::at_step(*step, fault::action::kill, moment, count)};
}

std::vector<point> points_of(const call_counts& predecessor, const call_counts& successor,
                             harm what, std::uint64_t seed) {
  const auto groups_of = what == harm::kills ? kills_of : errors_of;
  auto groups = groups_of(side::predecessor, predecessor);
  for (auto& group : groups_of(side::successor, successor)) groups.push_back(std::move(group));
  std::mt19937_64 random{seed};
  std::shuffle(groups.begin(), groups.end(), random);
  for (auto& group : groups) std::shuffle(group.begin(), group.end(), random);
  std::vector<point> all;
  for (bool more = true; std::exchange(more, false);) {
    for (auto& group : groups) {
      if (group.empty()) continue;
      all.push_back(std::move(group.back()));
      group.pop_back();
      more = true;
    }
  }
  return all;
}

}  // namespace graceful_stress
