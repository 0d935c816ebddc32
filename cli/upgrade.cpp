// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
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

/// How long a successor may take to become ready if nothing is said: what servers allow by default.
constexpr std::chrono::milliseconds longest_start{30'000};

void end(display& show) {
  if (show.end()) return;
  std::fprintf(stderr,
               "graceful-ctl: cannot write to standard output; the upgrade counts all the same\n");
}

/// The server has ended in the middle of the upgrade: a successor that had its sockets by then
/// serves all the same, once it is ready.
int look_for_successor(display& show, const std::string& path, const arguments& args,
                       std::uint64_t generation) {
  show.await("the old process has ended; waiting for its successor to answer");
  const auto patience = args.upgrade.timeout.value_or(longest_start);
  result<server_status> status = failure{errc::peer_gone, {}};
  // A successor that ends too may close its control socket with this connection in the queue: then
  // the next attempt finds nobody.
  for (int i = 0; i < 2 && !status && status.error().code == errc::peer_gone; ++i) {
    auto client = control_client::connect(path, patience);
    status = client ? client->status() : client.error();
  }
  end(show);
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

}  // namespace

int upgrade(control_client& client, const std::string& path, const arguments& args) {
  const auto before = client.status();
  if (!before) return complain_of_server(before.error());
  display show{args.json, "waiting for the server to start the new process", args.target};
  const auto last = client.upgrade(args.upgrade, [&](const upgrade_phase& phase) {
    show.on(phase);
    return args.until != arguments::milestone::ready || phase.phase != "ready";
  });
  if (last && args.until == arguments::milestone::drained)
    return await_drained(show, path, before->pid);
  if (!last && last.error().code == errc::peer_gone) {
    return look_for_successor(show, path, args, before->generation);
  }
  end(show);
  if (last) return done;
  failure why = last.error();
  if (why.code == errc::upgrade_failed) {
    why.message = "upgrade failed: " + why.message + "; its log has what the new one said";
  }
  return complain_of_server(why);
}

}  // namespace graceful::cli
