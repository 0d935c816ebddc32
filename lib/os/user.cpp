// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/user.hpp"

#include "os/proc.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

namespace graceful::os {

namespace {

constexpr std::uint64_t default_overflow = 65'534;

std::uint64_t overflow_id(const char* path) {
  std::istringstream file{whole_file(path)};
  std::uint64_t id = 0;
  return file >> id ? id : default_overflow;
}

/// None without /proc.
std::optional<bool> is_mapped_here(const char* map, std::uint64_t id) {
  std::ifstream file{map};
  if (!file.is_open()) return {};
  return is_mapped(std::string{std::istreambuf_iterator<char>{file}, {}}, id);
}

}  // namespace

bool is_mapped(std::string_view map, std::uint64_t id) {
  std::istringstream lines{std::string{map}};
  for (std::uint64_t inside = 0, outside = 0, count = 0; lines >> inside >> outside >> count;) {
    if (id >= inside && id - inside < count) return true;
  }
  return false;
}

bool is_one_user(uid_t user) {
  if (user == static_cast<uid_t>(-1)) return false;
  if (user != overflow_id("/proc/sys/kernel/overflowuid")) return true;
  if (const auto mapped = is_mapped_here("/proc/self/uid_map", user)) return *mapped;
  // ESRCH if no process belongs to that user, as with one that has no number here.
  errno = 0;
  (void)::getpriority(PRIO_USER, user);
  return errno == 0;
}

bool is_one_group(gid_t group) {
  if (group != overflow_id("/proc/sys/kernel/overflowgid")) return true;
  return is_mapped_here("/proc/self/gid_map", group).value_or(true);
}

bool is_own_user(uid_t user) { return user == ::geteuid() && is_one_user(user); }

}  // namespace graceful::os
