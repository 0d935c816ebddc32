// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/unique_fd.hpp>

#include <cstddef>
#include <string>
#include <vector>

/// What the kernel alone needs to pass descriptors between two processes: blocking sendmsg(2) and
/// recvmsg(2) in batches of 253, each acknowledged by one byte. No names, no checks, no deadlines.
namespace graceful_bench {

/// Listens at `path`.
graceful::unique_fd listen_at(const std::string& path);

/// Passes all of `descriptors` to every client; never returns.
[[noreturn]] void pass_to_everyone(const graceful::unique_fd& listener,
                                   const std::vector<graceful::unique_fd>& descriptors);

/// Connects to `path` and takes `count` descriptors.
std::vector<graceful::unique_fd> take_from(const std::string& path, std::size_t count);

/// Answers each byte of every client with one byte; never returns.
[[noreturn]] void echo_to_everyone(const graceful::unique_fd& listener);

graceful::unique_fd connect_to(const std::string& path);

/// Throws `std::system_error` if `ok` is false.
void require(bool ok, const char* what);

}  // namespace graceful_bench
