// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/unique_fd.hpp>

#include "os/socket_address.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace graceful {

/// Where a listening socket has come from. A socket that was bound here has no origin.
enum class origin { predecessor, service_manager, supervisor };

/// "comes from the predecessor", "is bound".
const char* to_text(std::optional<origin> from);

/// "http/3" belongs to the group "http", and so does a single socket named "http".
std::string_view group_of(std::string_view name);

/// The sockets that were passed to this process and have not been asked for.
class inheritance {
 public:
  struct item {
    unique_fd fd;
    origin from;
    bool kept;  // the service manager holds it too
  };
  using items = std::unordered_multimap<std::string, item>;

  /// A socket from a service manager is kept there too. If the same socket is already here, from
  /// either source, only that is noted.
  void add(std::string name, item passed);

  struct found {
    item what;
    os::socket_address address;
    std::string name;  // the name under which it was passed
  };
  struct claim {
    std::optional<found> socket;
    std::string elsewhere;  // where the socket of that name is bound, if that is why it cannot be
                            // used
  };

  /// Takes the socket for the listener `name` at `wanted`, if there is one. The name decides among
  /// several; the address must match in any case. Sockets from the predecessor go first. Without
  /// `of_predecessor`, only those from a service manager count.
  claim take(const std::string& name, const os::socket_address& wanted, bool of_predecessor = true);

  /// All that is left.
  [[nodiscard]] items take_all() { return std::exchange(items_, {}); }
  [[nodiscard]] const items& all() const { return items_; }

 private:
  items::iterator find(const std::string& name, const os::socket_address& wanted,
                       bool of_predecessor, std::string& elsewhere);

  items items_;
};

}  // namespace graceful
