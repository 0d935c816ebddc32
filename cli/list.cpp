// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "commands.hpp"
#include "outcome.hpp"
#include "report.hpp"
#include "server_list.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <iterator>
#include <string_view>
#include <tuple>
#include <utility>

#include <pwd.h>
#include <unistd.h>

namespace graceful::cli {

namespace {

/// Short: a user who lists servers does not want to wait for one that hangs.
constexpr std::chrono::milliseconds list_deadline{2'000};

/// A shell that completes words may evaluate them, and another user may have given a server a name
/// that abuses this.
bool is_plain_word(std::string_view word) {
  constexpr std::string_view safe =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  return !word.empty() && word.find_first_not_of(safe) == std::string_view::npos;
}

/// The name of a file may contain any bytes.
std::string plain(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

std::string user_name(uid_t user) {
  const passwd* const entry = ::getpwuid(user);
  return plain(entry != nullptr ? entry->pw_name : std::to_string(user));
}

std::string state_of(const answering_server& each) {
  if (each.server) return each.server->state;
  const auto& code = each.server.error().code;
  if (each.supervisor && *each.supervisor && code == errc::not_running) {
    return (*each.supervisor)->state;
  }
  if (code == errc::not_running) return "not running";
  if (code == errc::not_ready) return "starting";
  return code == errc::permission_denied ? "denied" : "no answer";
}

/// Why there is no more information; empty if the server has answered.
std::string reason_of(const answering_server& each) {
  if (each.server) return {};
  if (each.supervisor && *each.supervisor && each.server.error().code == errc::not_running) {
    const auto& supervisor = **each.supervisor;
    const auto by = "by its supervisor (pid " + std::to_string(supervisor.pid) + ")";
    if (supervisor.wait) return "it is started again in " + in_short(*supervisor.wait) + ' ' + by;
    return "it is looked after " + by;
  }
  return plain(each.server.error().message);
}

using cells = std::array<std::string, 6>;

cells cells_of(const answering_server& each) {
  return {plain(each.where.name),
          each.server ? std::to_string(each.server->generation) : "-",
          each.server ? std::to_string(each.server->pid) : "-",
          state_of(each),
          user_name(each.where.user),
          plain(each.where.path)};
}

}  // namespace

std::string describe(const std::vector<answering_server>& servers, uid_t self) {
  constexpr std::size_t user_column = 4;
  const bool with_users = std::any_of(servers.begin(), servers.end(),
                                      [&](const auto& each) { return each.where.user != self; });
  std::vector<cells> rows{{"NAME", "GENERATION", "PID", "STATE", "USER", "PATH"}};
  for (const auto& each : servers) rows.push_back(cells_of(each));
  std::array<std::size_t, std::tuple_size_v<cells>> widths{};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (std::size_t n = 0; n < rows.size(); ++n) {
    for (std::size_t i = 0; i < rows[n].size(); ++i) {
      if (i == user_column && !with_users) continue;
      const bool last = i + 1 == rows[n].size();
      text += rows[n][i] + (last ? "\n" : std::string(widths[i] - rows[n][i].size() + 2, ' '));
    }
    if (const auto reason = n == 0 ? std::string{} : reason_of(servers[n - 1]); !reason.empty()) {
      text += "  " + reason + '\n';
    }
  }
  return text;
}

std::string to_json(const answering_server& each) {
  boost::json::object o;
  o["name"] = plain(each.where.name);
  o["user"] = user_name(each.where.user);
  o["path"] = plain(each.where.path);
  o["state"] = state_of(each);
  if (each.server) {
    o["generation"] = each.server->generation;
    o["pid"] = each.server->pid;
  } else {
    o["error"] = reason_of(each);
  }
  if (each.supervisor && *each.supervisor) {
    const auto& supervisor = **each.supervisor;
    boost::json::object of{{"pid", supervisor.pid}, {"state", supervisor.state}};
    if (supervisor.wait) of["wait_ms"] = supervisor.wait->count();
    o["supervisor"] = std::move(of);
  }
  return boost::json::serialize(o) + '\n';
}

int list(const arguments& args) {
  if (const auto own = find_control_paths(); !own) return complain(own.error());
  std::vector<listed_server> servers;
  for (const auto& directory : control_directories()) {
    auto found = servers_in(directory);
    std::move(found.begin(), found.end(), std::back_inserter(servers));
  }
  const auto answers = ask(servers, args.timeout.value_or(list_deadline));
  std::string text;
  if (args.names) {
    for (const auto& each : answers) {
      const bool own = each.where.path == default_control_path(each.where.name);
      // A server that is not running is not a TARGET.
      const auto target = own ? each.where.name : each.where.path;
      if ((each.server || each.supervisor) && is_plain_word(target)) text += target + '\n';
    }
  } else if (args.json) {
    for (const auto& each : answers) text += to_json(each);
  } else if (answers.empty()) {
    std::fprintf(stderr,
                 "graceful-ctl: no server is under a default control path (%s); one with another "
                 "path is asked by that\n",
                 default_control_path("NAME").c_str());
  } else {
    text = describe(answers, ::geteuid());
  }
  return print_or_fail(text);
}

}  // namespace graceful::cli
