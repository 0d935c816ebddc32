// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/duration_text.hpp>

#include "commands.hpp"
#include "outcome.hpp"
#include "report.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace graceful::cli {

namespace {

/// Quotes a word as a shell needs it.
std::string shell_word(const std::string& word) {
  constexpr std::string_view unquoted =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(unquoted) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string{c};
  return text + '\'';
}

failure as_failure(const upgrade_obstacle& obstacle) {
  const auto code = obstacle.kind == "busy"         ? errc::busy
                    : obstacle.kind == "not_ready"  ? errc::not_ready
                    : obstacle.kind == "permission" ? errc::permission_denied
                                                    : errc::upgrade_failed;
  return {code, "an upgrade would fail now: " + obstacle.message};
}

}  // namespace

std::string describe(const upgrade_plan& plan) {
  std::string text = "would start generation " + std::to_string(plan.generation) + ":\n";
  text += "  program      " + shell_word(plan.program) + "\n  arguments   ";
  for (const auto& argument : plan.arguments) text += ' ' + shell_word(argument);
  text += "\n  directory    " + shell_word(plan.directory) + "\n  environment ";
  if (plan.environment.empty()) text += " as the server was started with";
  bool first = true;
  for (const auto& [key, value] : plan.environment) {
    text += first ? " " : "\n               ";
    text += shell_word(std::string{key}.append("=").append(value));
    first = false;
  }
  text += "\n  sockets     ";
  if (plan.listeners.empty()) text += " none";
  std::size_t width = 0;
  for (const auto& listener : plan.listeners) width = std::max(width, listener.name.size());
  for (const auto& listener : plan.listeners) {
    text += (&listener == &plan.listeners.front() ? " " : "\n               ") + listener.name +
            std::string(width - listener.name.size() + 2, ' ') + listener.address;
  }
  text += "\n  times        ready within " + duration_text(plan.timeout) + ", then ";
  text += plan.probation.count() > 0 ? "a probation of " + duration_text(plan.probation)
                                     : std::string{"no probation"};
  text += '\n';
  if (plan.obstacles.empty()) text += "nothing is known that would stop it\n";
  return text;
}

int plan_upgrade(control_client& client, const arguments& args) {
  const auto plan = client.plan(args.upgrade);
  if (!plan) return complain_of_server(plan.error());
  const int printed = print_or_fail(args.json ? plan->json + '\n' : describe(*plan));
  if (printed != done || plan->obstacles.empty()) return printed;
  int code = done;
  for (const auto& obstacle : plan->obstacles) {
    const int its = complain(as_failure(obstacle));
    if (code == done) code = its;
  }
  return code;
}

}  // namespace graceful::cli
