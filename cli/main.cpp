// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/control_client.hpp>
#include <graceful/version.hpp>

#include "arguments.hpp"
#include "report.hpp"

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <signal.h>
#include <unistd.h>

namespace graceful::cli {
namespace {

constexpr std::chrono::milliseconds default_deadline{5'000};

constexpr std::chrono::milliseconds drain_look_interval{100};

/// How long a successor may take to become ready if nothing is said: what servers allow by default.
constexpr std::chrono::milliseconds longest_start{30'000};

enum exit_code {
  done = 0,
  failed = 1,
  bad_usage = 2,
  denied = 4,
  absent = 7,
  busy = 75,
  interrupted = 128 + SIGINT,
};

int exit_code_of(const failure& why) {
  if (why.code == errc::invalid_argument) return bad_usage;
  if (why.code == errc::permission_denied) return denied;
  if (why.code == errc::not_running) return absent;
  if (why.code == errc::busy || why.code == errc::not_ready) return busy;
  return failed;
}

int complain(const failure& why) {
  std::fprintf(stderr, "graceful-ctl: %s\n", why.message.c_str());
  return exit_code_of(why);
}

bool print(const std::string& text) {
  return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
}

int print_or_fail(const std::string& text) {
  if (print(text)) return done;
  std::fprintf(stderr, "graceful-ctl: cannot write to standard output\n");
  return failed;
}

/// The path of the control socket that the user means.
result<std::string> resolve(const std::string& target) {
  if (target.find('/') != std::string::npos) return target;
  const auto paths = find_control_paths();
  if (!paths) return paths.error();
  if (!target.empty()) return default_control_path(target);
  std::vector<std::string> running;
  std::string names;
  for (const std::string& path : *paths) {
    auto client = control_client::connect(path, default_deadline);
    if (!client && client.error().code == errc::not_running) continue;  // left behind by a crash
    running.push_back(path);
    names += "\n  " + path;
  }
  if (running.size() == 1) return running.front();
  if (running.empty()) {
    return failure{errc::not_running,
                   "no server of this user is running under a default control path (" +
                       default_control_path("NAME") + "); name its control socket"};
  }
  return failure{errc::invalid_argument, "several servers are running, name one:" + names};
}

int status(control_client& client, const arguments& args) {
  const auto status = client.status();
  if (!status) return complain(status.error());
  return print_or_fail(args.json ? status->json + '\n' : describe(*status));
}

int metrics(control_client& client, const arguments& args) {
  const auto metrics = client.metrics();
  if (!metrics) return complain(metrics.error());
  return print_or_fail(args.json ? metrics->json + '\n' : metrics->text);
}

void on_interrupt(int /*signal*/) {
  constexpr std::string_view text =
      "\ngraceful-ctl: interrupted; what was begun goes on. Watch it with: graceful-ctl status\n";
  [[maybe_unused]] const auto n = ::write(STDERR_FILENO, text.data(), text.size());
  ::_exit(interrupted);
}

/// The server has ended in the middle of the upgrade: a successor that had its sockets by then
/// serves all the same, once it is ready.
int look_for_successor(const std::string& path, const arguments& args, std::uint64_t generation) {
  const auto patience = args.upgrade.timeout.value_or(longest_start);
  result<server_status> status = failure{errc::peer_gone, {}};
  // A successor that ends too may close its control socket with this connection in the queue: then
  // the next attempt finds nobody.
  for (int i = 0; i < 2 && !status && status.error().code == errc::peer_gone; ++i) {
    auto client = control_client::connect(path, patience);
    status = client ? client->status() : client.error();
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
int await_drained(const std::string& path, const arguments& args) {
  for (;;) {
    auto client = control_client::connect(path, default_deadline);
    const auto status = client ? client->status() : client.error();
    if (!status) return complain(status.error());
    if (!status->predecessor_pid) break;
    std::this_thread::sleep_for(drain_look_interval);
  }
  return print_or_fail(args.json ? "{\"phase\":\"drained\"}\n" : "the old process has ended\n");
}

int upgrade(control_client& client, const std::string& path, const arguments& args) {
  const auto before = client.status();
  if (!before) return complain(before.error());
  ::signal(SIGINT, on_interrupt);
  bool printed = true;
  const auto last = client.upgrade(args.upgrade, [&](const upgrade_phase& phase) {
    printed = print(args.json ? phase.json + '\n' : describe(phase)) && printed;
    return args.until != arguments::milestone::ready || phase.phase != "ready";
  });
  if (!printed) std::fprintf(stderr, "graceful-ctl: cannot write to standard output\n");
  if (last) return args.until == arguments::milestone::drained ? await_drained(path, args) : done;
  failure why = last.error();
  if (why.code == errc::peer_gone) return look_for_successor(path, args, before->generation);
  if (why.code == errc::upgrade_failed) {
    why.message = "upgrade failed: " + why.message + "; the old process still serves";
  }
  return complain(why);
}

int conclude(const result<void>& outcome) { return outcome ? done : complain(outcome.error()); }

/// Ends the server. It says that it is done when it is about to exit; the control path goes then.
int drain(control_client& client, const arguments& args) {
  ::signal(SIGINT, on_interrupt);
  bool printed = true;
  const auto last = client.drain(args.now, [&](const drain_progress& progress) {
    printed = print(args.json ? progress.json + '\n' : describe(progress)) && printed;
  });
  if (!printed) std::fprintf(stderr, "graceful-ctl: cannot write to standard output\n");
  if (last) return done;
  if (last.error().code == errc::peer_gone) {
    return complain({errc::peer_gone,
                     "the server ended without a last word; its log may say what became of the "
                     "connections"});
  }
  return complain(last.error());
}

int run(const std::vector<std::string>& words) {
  const auto args = parse(words);
  if (!args) return complain(args.error());
  if (args->what == arguments::command::help) return print_or_fail(help());
  if (args->what == arguments::command::version) {
    return print_or_fail("graceful-ctl " GRACEFUL_VERSION_STRING "\n");
  }
  const auto path = resolve(args->target);
  if (!path) return complain(path.error());
  const bool upgrading = args->what == arguments::command::upgrade;
  auto client = control_client::connect(
      *path, upgrading ? default_deadline : args->timeout.value_or(default_deadline));
  if (!client) return complain(client.error());
  switch (args->what) {
    case arguments::command::upgrade:
      return upgrade(*client, *path, *args);
    case arguments::command::drain:
      return drain(*client, *args);
    case arguments::command::abort:
      return conclude(client->abort());
    case arguments::command::commit:
      return conclude(client->commit());
    case arguments::command::rollback:
      return conclude(client->rollback());
    case arguments::command::metrics:
      return metrics(*client, *args);
    default:
      return status(*client, *args);
  }
}

}  // namespace
}  // namespace graceful::cli

int main(int argc, char** argv) {
  // A reader that went away must not change what the exit code says of the upgrade.
  ::signal(SIGPIPE, SIG_IGN);
  try {
    return graceful::cli::run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "graceful-ctl: %s\n", e.what());
    return graceful::cli::failed;
  }
}
