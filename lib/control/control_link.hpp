// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CONTROL_CONTROL_LINK_HPP
#define GRACEFUL_CONTROL_CONTROL_LINK_HPP

#include "control/varlink_stream.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace graceful {

/// Calls the process that serves the control path, now and then. Lives on the control thread.
class control_link {
 public:
  using reply_handler = std::function<void(const wire::reply&)>;

  /// `on_reply` is called for each reply.
  control_link(asio::io_context& control, std::string path, reply_handler on_reply);

  /// The number of the current connection, or of a new one; 0 if no process serves the path.
  std::uint64_t connected();

  /// Sends a call on it. False if no process serves the path, or it does not take the call now. No
  /// reply comes if the connection ends first.
  bool call(const wire::call& call);

 private:
  bool connect();

  asio::io_context& control_;
  const std::string path_;
  const reply_handler on_reply_;
  std::shared_ptr<varlink_stream> stream_;
  std::uint64_t connections_ = 0;
};

}  // namespace graceful

#endif
