// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SERVER_MONITORS_HPP
#define GRACEFUL_SERVER_MONITORS_HPP

#include <graceful/control_client.hpp>

#include "control/control_session.hpp"

#include <memory>
#include <string>
#include <vector>

namespace graceful {

/// The connections to which all events are streamed. Lives on the control thread.
class monitors {
 public:
  explicit monitors(std::uint64_t generation) : generation_{generation} {}

  /// Streams events to `from`, beginning with `first`; refuses if there are too many already.
  void add(control_session& from, const std::string& first);

  void tell(const std::string& event, const std::string& message);

  /// Sends a last event, and answers the calls.
  void conclude(const std::string& event, const std::string& message);

 private:
  void forget_closed();
  [[nodiscard]] wire::reply to_reply(const std::string& event, const std::string& message) const;

  const std::uint64_t generation_;
  std::vector<std::weak_ptr<control_session>> sessions_;
};

}  // namespace graceful

#endif
