// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "command_table.hpp"

#include <graceful/phases.hpp>

#include <algorithm>
#include <array>

namespace graceful::cli {

namespace {

using kind = word_kind;

constexpr std::string_view one_target = "[TARGET] [OPTIONS]";

constexpr std::array command_rows{
    command_row{
        command::upgrade, "upgrade", "[TARGET] [OPTIONS] [-- COMMAND ARG...]", kind::server, true,
        "replace the server with a new process",
        "The server starts its successor, by COMMAND or as it was started itself, and hands "
        "its sockets over. No client notices. Returns when the new process has served for "
        "its probation, and stays. If it fails before, the old process keeps serving.",
        "graceful-ctl upgrade shop --timeout 1min -- /opt/shop-2.1/shop"},
    command_row{command::status, "status", one_target, kind::server, false,
                "print what the server says of itself",
                "Prints generation, pid, state and uptime of the server, its listeners, and the "
                "processes that still drain; then what its supervisor says, if there is one.",
                "graceful-ctl status shop --json"},
    command_row{command::list, "list", "[OPTIONS]", kind::none, false,
                "list the servers that can be asked",
                "Lists the servers, and the supervisors that wait to start one again, which have "
                "their control sockets in the default directory of this user; for root also in "
                "those of all others. What does not answer is listed with the reason.",
                "graceful-ctl list"},
    command_row{command::metrics, "metrics", one_target, kind::server, false,
                "print what the server measures",
                "Prints what the server measures, as OpenMetrics text.",
                "graceful-ctl metrics shop"},
    command_row{command::monitor, "monitor", one_target, kind::server, false,
                "print what happens, until the server ends",
                "Prints what happens in the server, a line each, and goes on with the new process "
                "after an upgrade. Returns when the server ends.",
                "graceful-ctl monitor shop"},
    command_row{command::drain, "drain", one_target, kind::server, false,
                "end the server when its connections are done",
                "Ends the server without a successor: it accepts and serves what is in its queues, "
                "then nothing more, and lets its connections end. Returns when it is about to "
                "exit.",
                "graceful-ctl drain shop"},
    command_row{command::commit, "commit", one_target, kind::server, false,
                "end the probation of a new process: it stays",
                "Ends the probation of a new process: it stays, if it answers; if not, the old "
                "process serves again.",
                "graceful-ctl commit shop"},
    command_row{command::rollback, "rollback", one_target, kind::server, false,
                "end it too: the old process serves again",
                "Ends the probation of a new process: the old one accepts again, the new one "
                "drains, and ends.",
                "graceful-ctl rollback shop"},
    command_row{command::abort, "abort", one_target, kind::server, false,
                "give up an upgrade that is not ready yet",
                "Gives up an upgrade whose new process is not ready yet. That is killed, and the "
                "old process keeps serving.",
                "graceful-ctl abort shop"},
    command_row{command::run, "run", "[OPTIONS] -- COMMAND ARG...", kind::none, true,
                "run a server, and start it again when it fails",
                "Runs a server, starts it again when it fails, and keeps its listening sockets "
                "open meanwhile. For containers, as PID 1 too, and hosts without systemd.",
                "graceful-ctl run --max-failures 0 -- /opt/shop/shop --listen 0.0.0.0:80"},
    command_row{command::reexec, "reexec", one_target, kind::server, false,
                "have the supervisor of a server execute its program again",
                "Has the supervisor of the server, which is graceful-ctl run, execute its own "
                "program again, which may be another build by now. The server is not touched.",
                "graceful-ctl reexec shop"},
    command_row{command::help, "help", "[COMMAND]", kind::command, false, "say more of one command",
                "Prints what --help prints, of one command or of all.",
                "graceful-ctl help upgrade"},
    command_row{command::completion, "completion", "SHELL", kind::shell, false,
                "print what bash, zsh or fish reads to complete words",
                "Prints a script by which a shell completes commands, options, values and the "
                "names of servers. Packages install it where the shell looks for it.",
                "graceful-ctl completion bash >> ~/.bashrc"},
};

constexpr std::uint32_t askers =
    bit(command::status) | bit(command::metrics) | bit(command::monitor) | bit(command::drain) |
    bit(command::commit) | bit(command::rollback) | bit(command::abort) | bit(command::reexec);
constexpr std::uint32_t supervisors =
    bit(command::run) | bit(command::status) | bit(command::reexec);
constexpr std::uint32_t every = ~std::uint32_t{0};

constexpr std::array option_rows{
    option_row{"timeout", 0, "TIME", kind::time, false, bit(command::upgrade),
               "how long the new process may take until it is ready (default: what the server was "
               "built with, 30 s unless changed)"},
    option_row{"until", 0, "MILESTONE", kind::milestone, false, bit(command::upgrade),
               "when to return: ready, committed (the default) or drained"},
    option_row{"directory", 0, "DIR", kind::directory, false, bit(command::upgrade),
               "where the new process starts (default: where the server did)"},
    option_row{"env", 0, "KEY=VALUE", kind::text, true, bit(command::upgrade),
               "add a variable to the environment of the new process; may be given several times"},
    option_row{"dry-run", 'n', "", kind::none, false, bit(command::upgrade),
               "say what would be executed, and what would keep it from that; change nothing"},
    option_row{"now", 0, "", kind::none, false, bit(command::drain),
               "cut the connections instead of letting them end"},
    option_row{"name", 0, "NAME", kind::text, false, bit(command::run),
               "what the server is called (default: the base name of COMMAND)"},
    option_row{"control", 0, "PATH", kind::file, false, bit(command::run),
               "the server's control socket (default: that of its name)"},
    option_row{"socket", 0, "PATH", kind::file, false, supervisors,
               "the supervisor's own socket (default: the server's control socket with .supervisor "
               "appended)"},
    option_row{"ready-timeout", 0, "TIME", kind::time, false, bit(command::run),
               "how long the server may take until it is ready, if by then it has spoken "
               "sd_notify(3) at all (default: 1 min)"},
    option_row{"restart-delay", 0, "TIME", kind::time, false, bit(command::run),
               "how long to wait until a server that failed is started again; twice as long after "
               "each failure in a row (default: 100 ms)"},
    option_row{"max-restart-delay", 0, "TIME", kind::time, false, bit(command::run),
               "the longest time to wait (default: 30 s)"},
    option_row{"max-failures", 0, "N", kind::number, false, bit(command::run),
               "give up after so many failures in a row, 0: never (default: 10)"},
    option_row{"good-while", 0, "TIME", kind::time, false, bit(command::run),
               "a server that has served for so long has done well, and failures before count no "
               "more (default: 10 s)"},
    option_row{"timeout", 0, "TIME", kind::time, false, askers,
               "how long the server may take to answer (default: 5 s)"},
    option_row{"timeout", 0, "TIME", kind::time, false, bit(command::list),
               "how long each server may take to answer (default: 2 s)"},
    option_row{
        "names", 0, "", kind::none, false, bit(command::list),
        "print only what a TARGET says of each, one a line, without those that do not answer"},
    option_row{"json", 0, "", kind::none, false, bit(command::list),
               "print a JSON object for each, one a line"},
    option_row{"json", 0, "", kind::none, false, askers | bit(command::upgrade),
               "print the server's answers as they come, one JSON object a line"},
    option_row{"help", 'h', "", kind::none, false, every, "print this and exit"},
    option_row{"version", 0, "", kind::none, false, every, "print the version and exit"},
};

constexpr std::array<std::string_view, 3> milestone_names{phases::ready, phases::committed,
                                                          phases::drained};

constexpr std::array<std::string_view, 3> shell_names{"bash", "zsh", "fish"};

}  // namespace

std::span<const command_row> all_commands() { return command_rows; }
std::span<const option_row> all_options() { return option_rows; }
std::span<const std::string_view> all_milestones() { return milestone_names; }
std::span<const std::string_view> all_shells() { return shell_names; }

const command_row* find_command(std::string_view name) {
  const auto* const found = std::ranges::find(command_rows, name, &command_row::name);
  return found == command_rows.end() ? nullptr : found;
}

const command_row& row_of(command c) {
  return *std::ranges::find(command_rows, c, &command_row::what);
}

bool goes_with(const option_row& option, command c) { return (option.goes_with & bit(c)) != 0; }

const option_row* find_option(std::string_view name, command c) {
  const auto* const found = std::ranges::find_if(
      option_rows, [&](const option_row& row) { return row.name == name && goes_with(row, c); });
  return found == option_rows.end() ? nullptr : found;
}

std::string takers_of(std::string_view option) {
  std::string takers;
  for (const command_row& row : command_rows) {
    if (find_option(option, row.what) == nullptr) continue;
    takers += (takers.empty() ? "" : ", ") + std::string{row.name};
  }
  return takers;
}

}  // namespace graceful::cli
