// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SERVER_MONITORS_HPP
#define GRACEFUL_SERVER_MONITORS_HPP

#include <graceful/control_client.hpp>

#include "control/control_session.hpp"

#include <memory>
#include <string>
#include <vector>

namespace graceful {

/// Connections to which everything is told that happens. Lives on the control thread.
class monitors {
 public:
  explicit monitors(std::uint64_t generation) : generation_{generation} {}

  /// Streams to `from`, beginning with `first`; refuses if too many are told already.
  void add(control_session& from, const std::string& first);

  void tell(const std::string& event, const std::string& message);

  /// Tells a last event, and answers the calls.
  void conclude(const std::string& event, const std::string& message);

 private:
  void forget_closed();
  [[nodiscard]] wire::reply to_reply(const std::string& event, const std::string& message) const;

  const std::uint64_t generation_;
  std::vector<std::weak_ptr<control_session>> sessions_;
};

}  // namespace graceful

#endif
