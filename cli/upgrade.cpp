// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/phases.hpp>

#include "commands.hpp"
#include "display.hpp"
#include "outcome.hpp"
#include "report.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <thread>

namespace graceful::cli {

namespace {

constexpr std::chrono::milliseconds drain_look_interval{100};

/// How long a successor may take to become ready by default, on servers as well.
constexpr std::chrono::milliseconds longest_start{30'000};

/// How long to wait for an answer before the next attempt. Longer than it takes to find that no
/// process will answer.
constexpr std::chrono::milliseconds successor_look_time{2'000};

/// How long an ending process may take connections without answering, and the pause before the next
/// attempt.
constexpr std::chrono::milliseconds dying_time{1'000};
constexpr std::chrono::milliseconds dying_look_interval{50};

void end(display& show) {
  if (show.end()) return;
  std::fprintf(stderr,
               "graceful-ctl: cannot write to standard output; the upgrade counts all the same\n");
}

/// The server has ended during the upgrade. A successor that already had its sockets serves all the
/// same, once it is ready.
int look_for_successor(display& show, const std::string& path, const arguments& args,
                       std::uint64_t generation) {
  const auto successor = "generation " + std::to_string(generation + 1);
  show.await("the old process has died; waiting for " + successor + " to be ready");
  const auto until =
      std::chrono::steady_clock::now() + args.upgrade.timeout.value_or(longest_start);
  result<server_status> status = failure{errc::peer_gone, {}};
  // An ending process may take this connection and not answer: a process dies while its child still
  // listens, or a successor ends too, with this connection in its queue.
  std::chrono::steady_clock::time_point lost_until{};
  for (;;) {
    auto client = control_client::connect(path, successor_look_time);
    status = client ? client->status() : client.error();
    if (status) break;
    const auto now = std::chrono::steady_clock::now();
    const auto& code = status.error().code;
    const bool may_come = code == errc::not_ready || code == errc::timed_out;
    if (code == errc::peer_gone) {
      if (lost_until == decltype(lost_until){}) lost_until = now + dying_time;
      if (now >= lost_until) break;
      std::this_thread::sleep_for(dying_look_interval);
    } else if (!may_come || now >= until) {
      break;
    } else {
      lost_until = {};
    }
  }
  end(show);
  if (!status && status.error().code == errc::not_ready) {
    return complain(
        {errc::not_ready, "the old process has died during the upgrade, and " + successor +
                              " is not ready yet (" + status.error().message +
                              "); look at its log, and whether it serves: graceful-ctl status"});
  }
  if (!status) {
    return complain(
        {errc::not_running, "the server ended during the upgrade, and no successor answers (" +
                                status.error().message + "); start the server"});
  }
  if (status->generation <= generation) {
    return complain({errc::upgrade_failed,
                     "the connection to the server ended during the upgrade, but generation " +
                         std::to_string(status->generation) + " still serves; try again"});
  }
  std::fprintf(stderr, "graceful-ctl: the old process ended during the upgrade; who serves now:\n");
  return print_or_fail(args.json ? status->json + '\n' : describe(*status));
}

/// Asks the new process until its predecessor has ended.
int await_drained(display& show, const std::string& path, std::int64_t old_pid) {
  for (;;) {
    auto client = control_client::connect(path, default_deadline);
    const auto status = client ? client->status() : client.error();
    if (!status) {
      end(show);
      return complain({status.error().code,
                       "the upgrade is committed, but the new process does not say whether the old "
                       "one has ended (" +
                           status.error().message +
                           "); look at its log, and who serves: "
                           "graceful-ctl status"});
    }
    const auto found = std::ranges::find(status->draining, old_pid, &draining_process::pid);
    const bool lives = found != status->draining.end();
    show.on(lives ? std::optional{*found} : std::nullopt);
    if (!lives) break;
    std::this_thread::sleep_for(drain_look_interval);
  }
  end(show);
  return done;
}

/// True if a person or a signal ended the upgrade, and nothing that the new process has logged.
bool is_order(const std::string& reason) {
  return reason.starts_with("an operator aborted it") ||
         reason.starts_with("rolled back: an operator asked for it") ||
         reason.starts_with("the server was told to end");
}

}  // namespace

int upgrade(control_client& client, const std::string& path, const arguments& args) {
  const auto before = client.status();
  if (!before) return complain_of_server(before.error());
  display show{args.json, "waiting for the server to start the new process", args.target};
  bool spawned = false;
  const auto last = client.upgrade(args.upgrade, [&](const upgrade_phase& phase) {
    spawned = spawned || phase.phase == phases::spawned;
    show.on(phase);
    return args.until != arguments::milestone::ready || phase.phase != phases::ready;
  });
  if (last && args.until == arguments::milestone::drained)
    return await_drained(show, path, before->pid);
  if (!last && last.error().code == errc::peer_gone) {
    return look_for_successor(show, path, args, before->generation);
  }
  end(show);
  if (last) return done;
  failure why = last.error();
  if (why.code == errc::upgrade_failed || why.code == errc::not_running) {
    why.message = "upgrade failed: " + why.message;
    if (spawned && !is_order(last.error().message)) {
      why.message += "; what the new process said is in the old one's log";
    }
  }
  return complain_of_server(why);
}

}  // namespace graceful::cli
