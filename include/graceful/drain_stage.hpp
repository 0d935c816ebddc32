// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_DRAIN_STAGE_HPP
#define GRACEFUL_DRAIN_STAGE_HPP

namespace graceful {

/// The stages of which a connection is told while its process drains, in this order.
enum class drain_stage {
  draining,         ///< Finish, and tell the peer: `Connection: close`, WebSocket 1001.
  idle_grace_over,  ///< Close. Told only to connections that are idle.
  deadline,         ///< Cancel everything and close, idle or not.
};

}  // namespace graceful

#endif
