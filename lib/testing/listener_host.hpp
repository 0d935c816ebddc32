// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <string>
#include <string_view>

namespace graceful::testing {

/// The host to connect to for a listener's "HOST:PORT": a wildcard is reached through loopback.
inline std::string host_to_connect_to(std::string_view address) {
  std::string_view host = address.substr(0, address.rfind(':'));
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  if (host == "0.0.0.0") return "127.0.0.1";
  if (host == "::") return "::1";
  return std::string{host};
}

}  // namespace graceful::testing
