// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/owned_children.hpp"

#include <mutex>
#include <set>

namespace graceful::testing {
namespace {

std::mutex owned_mutex;
std::set<pid_t> owned;

}  // namespace

void own_child(pid_t pid) {
  const std::lock_guard lock{owned_mutex};
  owned.insert(pid);
}

void disown_child(pid_t pid) {
  const std::lock_guard lock{owned_mutex};
  owned.erase(pid);
}

bool owns_child(pid_t pid) {
  const std::lock_guard lock{owned_mutex};
  return owned.contains(pid);
}

}  // namespace graceful::testing
