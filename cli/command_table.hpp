// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace graceful::cli {

enum class command {
  help,
  version,
  status,
  upgrade,
  abort,
  commit,
  rollback,
  drain,
  monitor,
  metrics,
  run,
  reexec,
  list,
  completion,
};

/// When `upgrade` returns.
enum class milestone { ready, committed, drained };

/// What a word of the command line stands for. The completions offer the words of that kind.
enum class word_kind {
  none,
  text,
  time,
  number,
  file,
  directory,
  server,
  command,
  milestone,
  shell
};

/// A command. The order of the rows is that of the overview.
struct command_row {
  command what;
  std::string_view name;
  std::string_view usage;  // what follows the name
  word_kind operand;
  bool starts_program;  // takes a command line behind --
  std::string_view summary;
  std::string_view description;
  std::string_view example;
};

/// An option, as some commands take it. It has several rows if it means different things to
/// different commands.
struct option_row {
  std::string_view name;
  char letter;             // 0: none
  std::string_view value;  // the name of its value in help; empty: it takes none
  word_kind kind;
  bool repeats;
  std::uint32_t goes_with;  // the `bit` of each command
  std::string_view help;
};

constexpr std::uint32_t bit(command c) { return std::uint32_t{1} << static_cast<unsigned>(c); }

/// All that help, the checks of a command line and the completions know comes from these tables.
std::span<const command_row> all_commands();
std::span<const option_row> all_options();
std::span<const std::string_view> all_milestones();  // in the order of `milestone`
std::span<const std::string_view> all_shells();      // those that there are completions for

/// Null: no command has that name.
const command_row* find_command(std::string_view name);
const command_row& row_of(command c);

bool goes_with(const option_row& option, command c);

/// The option of that name that the command takes; null if it takes none.
const option_row* find_option(std::string_view name, command c);

/// The commands that take an option of that name: "upgrade, drain".
std::string takers_of(std::string_view option);

}  // namespace graceful::cli
