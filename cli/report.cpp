// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "report.hpp"

#include <graceful/duration_text.hpp>
#include <graceful/phases.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <utility>
#include <vector>

namespace graceful::cli {

namespace {

std::string plural(std::uint64_t n, const std::string& thing) {
  return std::to_string(n) + ' ' + thing + (n == 1 ? "" : "s");
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

/// "+12 ms     ", followed by what happened then.
std::string line(std::chrono::milliseconds elapsed, const std::string& what, const style& s) {
  return paint(elapsed_column('+' + duration_text(elapsed)), tone::dim, s) + what + '\n';
}

/// For dropped listener `i`. An older server does not send the addresses.
std::string nobody_listens(const std::vector<std::string>& names,
                           const std::vector<std::string>& addresses, std::size_t i) {
  const auto name = "'" + names[i] + "'";
  return "nobody listens on " + (addresses.empty() ? name : addresses[i] + " (" + name + ")") +
         " any more";
}

/// Says where the listener of this name is now, or that there is none.
std::string instead_of(const server_status& status, const std::string& name) {
  const auto now = std::ranges::find(status.listeners, name, &listener_status::name);
  return now == status.listeners.end() ? "this build does not listen there"
                                       : "this build listens on " + now->address;
}

}  // namespace

std::string elapsed_column(std::string elapsed) { return padded(std::move(elapsed) + ' ', 11); }

std::string in_short(std::chrono::milliseconds d) {
  using namespace std::chrono;
  if (d < seconds{1}) return duration_text(d);
  if (d < hours{1}) return duration_text(floor<seconds>(d));
  if (d < days{1}) return duration_text(floor<minutes>(d));
  return duration_text(floor<hours>(d));
}

std::string describe(const drain_progress& progress, const style& s) {
  std::string what = progress.phase;
  if (progress.phase == phases::draining) {
    what = progress.connections > 0 ? "draining " + plural(progress.connections, "connection")
                                    : "draining, " + std::string{tracks_nothing};
  }
  if (progress.phase == phases::drained) what = paint(what, tone::success, s);
  if (progress.cut > 0) {
    what += ", " + paint(plural(progress.cut, "connection") + " cut", tone::failure, s);
  }
  return line(progress.elapsed, what, s);
}

std::string describe(const upgrade_phase& phase, const style& s) {
  std::string what = phase.phase;
  if (phase.phase == phases::spawned && phase.pid) {
    what = "spawned pid " + std::to_string(*phase.pid);
  } else if (phase.phase == phases::begun && phase.generation) {
    what = "connected as generation " + std::to_string(*phase.generation);
  } else if (phase.phase == phases::passed && phase.sockets) {
    what = plural(*phase.sockets, "socket") + " passed";
  } else if (phase.phase == phases::ready && phase.generation) {
    what = "ready: generation " + std::to_string(*phase.generation) +
           (phase.pid ? " (pid " + std::to_string(*phase.pid) + ")" : "") + " serves";
  } else if (phase.phase == phases::committed && phase.generation) {
    what = "committed: generation " + std::to_string(*phase.generation) +
           " stays, the old process drains";
    for (std::size_t i = 0; i < phase.dropped.size(); ++i) {
      what += "\n" + elapsed_column("") +
              nobody_listens(phase.dropped, phase.dropped_addresses, i) +
              ": the new build does not listen there";
    }
  }
  const bool success = phase.phase == phases::ready || phase.phase == phases::committed;
  return line(phase.elapsed, paint(what, success ? tone::success : tone::plain, s), s);
}

std::string describe(const server_event& event) {
  const std::time_t seconds = event.time.count() / 1000;
  std::tm local{};
  ::localtime_r(&seconds, &local);
  std::array<char, 16> clock{};
  std::strftime(clock.data(), clock.size(), "%H:%M:%S", &local);
  return std::string{clock.data()} + "  generation " + std::to_string(event.generation) + ", pid " +
         std::to_string(event.pid) + "  " + event.message + '\n';
}

std::string describe(const server_status& status) {
  std::string text = status.name + ": generation " + std::to_string(status.generation) + ", pid " +
                     std::to_string(status.pid) + ", " +
                     (status.state == "probation" ? "in probation" : status.state) + ", up " +
                     in_short(status.uptime);
  if (status.connections > 0) text += ", " + plural(status.connections, "connection");
  text += '\n';
  std::size_t name_width = 0;
  std::size_t address_width = 0;
  for (const auto& l : status.listeners) {
    name_width = std::max(name_width, l.name.size());
    address_width = std::max(address_width, l.address.size());
  }
  for (const auto& l : status.listeners) {
    text += "  " + padded(l.name, name_width) + "  " + padded(l.address, address_width) +
            "  accept queue " + std::to_string(l.queue) + " of " + std::to_string(l.backlog) + '\n';
  }
  if (status.successor_pid) {
    text += "  successor pid " + std::to_string(*status.successor_pid) +
            " serves, in probation: graceful-ctl commit, graceful-ctl rollback\n";
  }
  if (!status.last_failure.empty()) {
    text += "  the last upgrade failed: " + status.last_failure + '\n';
  }
  for (std::size_t i = 0; i < status.dropped.size(); ++i) {
    text += "  " + nobody_listens(status.dropped, status.dropped_addresses, i) +
            " since the last upgrade: " + instead_of(status, status.dropped[i]) + '\n';
  }
  for (const auto& process : status.draining) {
    text += "  generation " + std::to_string(process.generation) + ", pid " +
            std::to_string(process.pid) + ", drains";
    const bool tracks_none = process.connections == 0U;
    if (process.connections && !tracks_none) {
      text += ", " + plural(*process.connections, "connection") + " left";
    }
    if (process.hurried) text += tracks_none ? ", told to hurry" : ", told to cut them";
    if (tracks_none) text += ", " + std::string{tracks_nothing};
    text += '\n';
  }
  return text;
}

std::string describe(const supervisor_status& status) {
  std::string text = "supervisor: pid " + std::to_string(status.pid) + ", up " +
                     in_short(status.uptime) + ", " + plural(status.restarts, "restart");
  text += '\n';
  if (status.state == "waiting") {
    text += "  the server does not run: it is started again in " +
            in_short(status.wait.value_or(std::chrono::milliseconds{0})) + '\n';
  } else if (status.state == "ending") {
    text += "  the server has ended; older processes of it still drain\n";
  } else if (status.main_pid) {
    text += "  the server is pid " + std::to_string(*status.main_pid) +
            (status.state == "starting" ? ", not ready yet" : "") +
            (status.said.empty() ? "" : ": " + status.said) + '\n';
  }
  if (!status.last_failure.empty()) {
    text += "  the last failure: " + status.last_failure + " (" + std::to_string(status.failures) +
            (status.failure_limit > 0 ? " of " + std::to_string(status.failure_limit) : "") +
            " in a row)\n";
  }
  std::size_t width = 0;
  for (const auto& socket : status.kept) width = std::max(width, socket.name.size());
  for (const auto& socket : status.kept) {
    text += "  keeps " + padded(socket.name, socket.address.empty() ? 0 : width) +
            (socket.address.empty() ? "" : "  " + socket.address) + '\n';
  }
  return text;
}

}  // namespace graceful::cli
