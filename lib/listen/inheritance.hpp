// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LISTEN_INHERITANCE_HPP
#define GRACEFUL_LISTEN_INHERITANCE_HPP

#include <graceful/unique_fd.hpp>

#include "os/socket_address.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace graceful {

/// Where a listening socket has come from. What was bound here has no origin.
enum class origin { predecessor, service_manager, supervisor };

/// "comes from the predecessor", "is bound".
const char* to_text(std::optional<origin> from);

/// "http/3" belongs to the group "http", and so does a socket that was alone and named "http".
std::string_view group_of(std::string_view name);

/// The sockets that were passed to this process and not asked for yet.
class inheritance {
 public:
  struct item {
    unique_fd fd;
    origin from;
    bool kept;  // the service manager holds it too
  };

  /// What has come from a service manager is kept there. Of a socket that is here already only
  /// that is noted: the manager may pass it twice, and so may a predecessor.
  void add(std::string name, item passed);

  struct found {
    item what;
    os::socket_address address;
    std::string name;  // under which it was passed
  };
  struct claim {
    std::optional<found> socket;
    std::string elsewhere;  // where the one of that name is bound, if that is why there is none
  };

  /// The socket that serves as `name` at `wanted`, if there is one. The name decides among several;
  /// the address has to be right in any case. What the predecessor has passed goes first.
  /// Without `of_predecessor` only what a service manager has passed counts.
  claim take(const std::string& name, const os::socket_address& wanted, bool of_predecessor = true);

  /// All that is left.
  [[nodiscard]] std::unordered_multimap<std::string, item> take_all() {
    return std::exchange(items_, {});
  }
  [[nodiscard]] const auto& all() const { return items_; }

 private:
  using items = std::unordered_multimap<std::string, item>;

  items::iterator find(const std::string& name, const os::socket_address& wanted,
                       bool of_predecessor, std::string& elsewhere);

  items items_;
};

}  // namespace graceful

#endif
