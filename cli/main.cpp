// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/control_client.hpp>
#include <graceful/supervisor_client.hpp>
#include <graceful/version.hpp>

#include "arguments.hpp"
#include "commands.hpp"
#include "completion.hpp"
#include "help.hpp"
#include "outcome.hpp"
#include "report.hpp"

#include <clocale>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

namespace graceful::cli {
namespace {

/// The control path that the user means.
result<std::string> resolve(const std::string& target) {
  if (target.find('/') != std::string::npos) return target;
  const auto paths = find_control_paths();
  if (!paths) return paths.error();
  if (!target.empty()) return default_control_path(target);
  std::vector<std::string> running;
  std::string names;
  for (const std::string& path : *paths) {
    auto client = control_client::connect(path, default_deadline);
    if (!client && client.error().code == errc::not_running) {
      // The socket was left behind by a crash, but a supervisor may be about to start the server
      // again.
      if (!supervisor_client::connect(default_supervisor_path(path), default_deadline)) continue;
    }
    running.push_back(path);
    names += "\n  " + path;
  }
  if (running.size() == 1) return running.front();
  if (running.empty()) {
    return failure{errc::not_running,
                   "no server of this user is running under a default control path (" +
                       default_control_path("NAME") + "); start one, or name its control socket"};
  }
  return failure{errc::invalid_argument, "several servers are running, name one:" + names};
}

int metrics(control_client& client, const arguments& args) {
  const auto metrics = client.metrics();
  if (!metrics) return complain(metrics.error());
  return print_or_fail(args.json ? metrics->json + '\n' : metrics->text);
}

int completion(const std::string& shell) {
  if (shell == "zsh") return print_or_fail(zsh_completion());
  return print_or_fail(shell == "fish" ? fish_completion() : bash_completion());
}

int run(const std::vector<std::string>& words) {
  const auto args = parse(words);
  if (!args) return complain(args.error());
  if (args->what == arguments::command::help) {
    return print_or_fail(args->topic ? help(*args->topic) : help());
  }
  if (args->what == arguments::command::version) {
    return print_or_fail("graceful-ctl " GRACEFUL_VERSION_STRING "\n");
  }
  if (args->what == arguments::command::completion) return completion(args->target);
  if (args->what == arguments::command::run) return run_server(*args);
  if (args->what == arguments::command::list) return list(*args);
  const auto path = resolve(args->target);
  if (!path) return complain(path.error());
  if (args->what == arguments::command::status) return status(*path, *args);
  if (args->what == arguments::command::reexec) return reexec(*path, *args);
  const bool upgrading = args->what == arguments::command::upgrade;
  auto client = control_client::connect(
      *path, upgrading ? default_deadline : args->timeout.value_or(default_deadline));
  if (!client) return complain_of_server(client.error());
  switch (args->what) {
    case arguments::command::upgrade:
      if (args->dry_run) return plan_upgrade(*client, *args);
      return upgrade(*client, *path, *args);
    case arguments::command::drain:
      return drain(*client, *args);
    case arguments::command::monitor:
      return monitor(std::move(*client), *path, *args);
    case arguments::command::abort:
      return conclude(client->abort(), args->json);
    case arguments::command::commit:
      return conclude(client->commit(), args->json);
    case arguments::command::rollback:
      return conclude(client->rollback(), args->json);
    default:
      return metrics(*client, *args);
  }
}

}  // namespace
}  // namespace graceful::cli

int main(int argc, char** argv) {
  // Otherwise the next file that is opened would take the number of a closed standard stream, and
  // get its output.
  for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; ++standard) {
    if (::fcntl(standard, F_GETFD) < 0) (void)::open("/dev/null", O_RDWR | O_CLOEXEC);
  }
  // A reader that has gone must not change what the exit code says about the upgrade.
  ::signal(SIGPIPE, SIG_IGN);
  std::setlocale(LC_CTYPE, "");  // for the characters of the terminal
  try {
    return graceful::cli::run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "graceful-ctl: %s; see how the server is: graceful-ctl status\n",
                 e.what());
    return graceful::cli::failed;
  }
}
