// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/kept_descriptors.hpp"

#include <algorithm>
#include <utility>

#include <linux/kcmp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace graceful {

namespace {

/// True for the same open file description. Where the kernel cannot tell, sockets are compared by
/// inode.
bool same_file(int a, int b, const struct stat& status) {
  const auto self = ::getpid();
  const auto order = ::syscall(SYS_kcmp, self, self, KCMP_FILE, a, b);
  return order == 0 || (order < 0 && S_ISSOCK(status.st_mode));
}

}  // namespace

kept_descriptors::outcome kept_descriptors::keep(const std::string& name, unique_fd& fd) {
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return outcome::full;
  const bool known = std::ranges::any_of(items_, [&](const item& each) {
    return each.device == status.st_dev && each.inode == status.st_ino && each.name == name &&
           same_file(each.fd.get(), fd.get(), status);
  });
  if (known) return outcome::known;
  if (items_.size() >= limit_) return outcome::full;
  if (!has_room_for(name)) return outcome::names_too_long;
  items_.push_back({name, std::move(fd), status.st_dev, status.st_ino});
  return outcome::kept;
}

bool kept_descriptors::has_room_for(const std::string& name) const {
  std::size_t taken = name.size() + 1;
  for (const auto& each : items_) taken += each.name.size() + 1;
  return taken <= names_limit_;
}

std::vector<unique_fd> kept_descriptors::remove(std::string_view name) {
  std::vector<unique_fd> removed;
  for (auto& each : items_) {
    if (each.name == name) removed.push_back(std::move(each.fd));
  }
  std::erase_if(items_, [](const item& each) { return !each.fd; });
  return removed;
}

std::vector<unique_fd> kept_descriptors::clear() {
  std::vector<unique_fd> removed;
  for (auto& each : items_) removed.push_back(std::move(each.fd));
  items_.clear();
  return removed;
}

}  // namespace graceful
