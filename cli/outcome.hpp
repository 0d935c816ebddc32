// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>

#include <string>

namespace graceful::cli {

enum exit_code {
  done = 0,
  failed = 1,
  bad_usage = 2,
  denied = 4,
  absent = 7,
  busy = 75,
};

/// Prints what went wrong to standard error; returns the exit code. The message must say what to do
/// next.
int complain(const failure& why);

/// The same for a failure of a `control_client` call. Adds what to do next where only the caller
/// knows it.
int complain_of_server(const failure& why);

/// The exit code of a command whose answer is empty if it succeeds: prints an object for a program,
/// and nothing for a person.
int conclude(const result<void>& outcome, bool json);

/// Prints to standard output; returns the exit code.
int print_or_fail(const std::string& text);

}  // namespace graceful::cli
