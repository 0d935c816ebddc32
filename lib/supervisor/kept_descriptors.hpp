// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SUPERVISOR_KEPT_DESCRIPTORS_HPP
#define GRACEFUL_SUPERVISOR_KEPT_DESCRIPTORS_HPP

#include <graceful/unique_fd.hpp>

#include "os/child.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace graceful {

/// The descriptors that a server has stored with its supervisor, by name, each file once. Several
/// may have the same name.
class kept_descriptors {
 public:
  struct item {
    std::string name;
    unique_fd fd;
    dev_t device;
    ino_t inode;
  };

  /// `names`: the maximum length of all names together, including a separator for each.
  explicit kept_descriptors(std::size_t limit, std::size_t names = os::longest_socket_names)
      : limit_{limit}, names_limit_{names} {}

  enum class outcome { kept, known, full, names_too_long };
  /// Takes `fd` only if it is kept from now on. Never closes it: the caller does, who may have no
  /// time for that now.
  outcome keep(const std::string& name, unique_fd& fd);

  /// Returns the descriptors that had this name.
  std::vector<unique_fd> remove(std::string_view name);

  /// Returns everything.
  std::vector<unique_fd> clear();

  [[nodiscard]] const std::vector<item>& items() const { return items_; }
  [[nodiscard]] std::size_t limit() const { return limit_; }

 private:
  [[nodiscard]] bool has_room_for(const std::string& name) const;

  std::size_t limit_;
  std::size_t names_limit_;
  std::vector<item> items_;
};

}  // namespace graceful

#endif
