// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_PHASES_HPP
#define GRACEFUL_PHASES_HPP

/// The phases that `upgrade_phase::phase` and `drain_progress::phase` name. A newer server may name
/// others between them.
namespace graceful::phases {

/// @{ Of an upgrade, in order.
inline constexpr const char* spawned = "spawned";  ///< The successor's process has been started.
inline constexpr const char* begun = "begun";      ///< The successor has connected.
inline constexpr const char* passed = "passed";    ///< It has every socket.
inline constexpr const char* ready = "ready";      ///< It accepts; its probation begins.
inline constexpr const char* committed = "committed";  ///< It stays. The last one.
/// @}

/// @{ Of a drain, in order.
inline constexpr const char* draining = "draining";
inline constexpr const char* drained = "drained";  ///< The last one.
/// @}

}  // namespace graceful::phases

#endif
