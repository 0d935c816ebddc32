// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_KEPT_DESCRIPTORS_HPP
#define GRACEFUL_LIB_KEPT_DESCRIPTORS_HPP

#include <graceful/unique_fd.hpp>

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

  explicit kept_descriptors(std::size_t limit) : limit_{limit} {}

  enum class outcome { kept, known, full };
  /// Closes it, unless it is kept.
  outcome keep(const std::string& name, unique_fd fd);

  /// How many there were of that name.
  std::size_t remove(std::string_view name);

  void clear() { items_.clear(); }

  [[nodiscard]] const std::vector<item>& items() const { return items_; }
  [[nodiscard]] std::size_t limit() const { return limit_; }

 private:
  std::size_t limit_;
  std::vector<item> items_;
};

}  // namespace graceful

#endif
