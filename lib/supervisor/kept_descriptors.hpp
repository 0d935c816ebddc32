// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SUPERVISOR_KEPT_DESCRIPTORS_HPP
#define GRACEFUL_SUPERVISOR_KEPT_DESCRIPTORS_HPP

#include <graceful/unique_fd.hpp>

#include "os/launch.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace graceful {

/// What a server has deposited with its supervisor: descriptors by name, a file once. Several may
/// have the same name.
class kept_descriptors {
 public:
  struct item {
    std::string name;
    unique_fd fd;
    dev_t device;
    ino_t inode;
  };

  /// `names`: how long all of them may be together, a separator for each included.
  explicit kept_descriptors(std::size_t limit, std::size_t names = os::longest_socket_names)
      : limit_{limit}, names_limit_{names} {}

  enum class outcome { kept, known, full, names_too_long };
  /// Takes `fd` only if that is kept from now on. Closes nothing: that is its caller's, who may
  /// have no time for it.
  outcome keep(const std::string& name, unique_fd& fd);

  /// What there was of that name.
  std::vector<unique_fd> remove(std::string_view name);

  /// Everything.
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
