// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/passed_channel.hpp"

#include "os/at_start.hpp"
#include "os/channel.hpp"
#include "os/spare_descriptors.hpp"
#include "os/text.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <system_error>

namespace graceful {

namespace {

constexpr const char* channel_variable = "GRACEFUL_CHANNEL";
constexpr const char* path_variable = "GRACEFUL_CONTROL_PATH";

/// True if both belong to one upgrade: an older build in between passes on variables that it does
/// not know.
bool is_of(std::string_view channel, const std::string& token) {
  return !token.empty() && channel.starts_with(token + ':');
}

/// What the predecessor of this upgrade has passed; none: there is no such predecessor.
std::optional<std::string> passed_path() {
  auto path = os::trusted_variable(path_variable);
  const bool passed = !path.empty() && is_of(os::trusted_variable(channel_variable),
                                             os::trusted_variable(token_variable));
  return passed ? std::optional{std::move(path)} : std::nullopt;
}

/// -1 if the descriptor does not mean that socket any more.
int find_channel(std::string_view rest) {
  const auto colon = rest.find(':');
  if (colon == rest.npos) return -1;
  const auto number = os::whole_number<int>(rest.substr(0, colon));
  const auto inode = os::whole_number<std::uint64_t>(rest.substr(colon + 1));
  if (!number || !inode || *number < 3) return -1;
  struct stat status {};
  const bool same =
      ::fstat(*number, &status) == 0 && S_ISSOCK(status.st_mode) && status.st_ino == *inode;
  return same ? *number : -1;
}

}  // namespace

channel_pair channel_pair::make() {
  std::array<int, 2> ends{-1, -1};
  const auto make = [&ends] {
    return ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data());
  };
  if (os::spare_descriptors::with(make) != 0) return {};
  // SO_PEERCRED names this process at both ends, so each message must name its sender.
  os::name_senders(ends[0]);
  return {unique_fd{ends[0]}, unique_fd{ends[1]}};
}

void announce_channel(os::start_command& command, const std::string& token, int number,
                      const unique_fd& channel, const std::string& control_path) {
  struct stat status {};
  const bool there = channel && ::fstat(channel.get(), &status) == 0;
  command.set(token_variable, token);
  command.set(channel_variable, token + ':' + std::to_string(there ? number : -1) + ':' +
                                    std::to_string(there ? status.st_ino : 0));
  command.set(path_variable, control_path);
}

std::optional<std::string> passed_control_path(const options& opts) {
  auto passed = passed_path();
  if (!passed) return {};
  std::error_code ec;
  const bool same =
      opts.control_path.empty()
          ? std::filesystem::path{*passed}.filename() == opts.name + ".sock"
          : std::filesystem::absolute(opts.control_path, ec).lexically_normal().string() ==
                    *passed &&
                !ec;
  return same ? passed : std::nullopt;
}

std::optional<std::string> missed_control_path(const std::string& control_path) {
  auto passed = passed_path();
  return passed != control_path ? passed : std::nullopt;
}

unique_fd take_channel(os::start_command& start, const std::string& token,
                       const std::string& control_path) {
  const auto path = start.take(path_variable);
  const auto text = start.take(channel_variable);
  if (!is_of(text, token) || path != control_path) return {};
  const int number = find_channel(std::string_view{text}.substr(token.size() + 1));
  if (number < 0 || ::fcntl(number, F_SETFD, FD_CLOEXEC) != 0) return {};
  return unique_fd{number};
}

}  // namespace graceful
