// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include <sys/types.h>

/// Reads /proc, even where clients have taken every descriptor, and without streams: the first
/// stream of a process costs more than everything else in an upgrade.
namespace graceful::os {

/// The path of what /proc shows of a process.
std::string proc_path(pid_t pid, const std::string& name);

/// Empty if the file cannot be read.
std::string whole_file(const std::string& path);
std::string beginning_of(const std::string& path, std::size_t most);

/// Where a symbolic link leads; empty, with errno, if it cannot be read.
std::string link_target(const std::string& path);

/// Visits the processes that can be seen, until `look` returns false.
void for_each_process(const std::function<bool(pid_t pid)>& look);

}  // namespace graceful::os
