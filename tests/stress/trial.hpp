// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "server_fixture.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace graceful_stress {

/// The possible outcomes when one process of an upgrade is killed, and the promises for each. Where
/// something may be lost, it is at most one request of each client, the one inside the killed
/// process, apart from refused ones.
enum class course {
  /// The point was not passed: a plain upgrade, which loses nothing.
  not_reached,

  /// A call failed, and its process lives on. The upgrade goes on or fails, and says which. Nothing
  /// is refused; at most the request is lost that made the call.
  coped,

  /// A call of the successor failed, and ended it: the promises of `kept` hold.
  gave_up,

  /// The successor was killed, and the predecessor keeps serving. Nothing is refused; nothing at
  /// all is lost if the successor had not been ready.
  kept,

  /// The predecessor was killed, and the successor serves, since it had every socket. Nothing is
  /// refused.
  taken_over,

  /// The predecessor was killed before the successor had every socket, so that it binds its own.
  /// Until then nobody listens, and clients are refused too.
  cold,

  /// The only process that held the sockets was killed: a predecessor that had not yet spawned, or
  /// a successor that was committed. Nobody listens; a server can be started on the same paths.
  ended,
};
inline constexpr std::array courses{course::not_reached, course::coped,      course::gave_up,
                                    course::kept,        course::taken_over, course::cold,
                                    course::ended};
[[nodiscard]] const char* to_string(course what);

struct trial {
  course went{};
  std::vector<std::string> broken;  ///< Broken promises, one sentence each.
  std::string details;              ///< Set if one is broken.
  std::string struck;               ///< The kind of the call in which the victim died.
  std::uint64_t ok{}, lost{}, refused{};
  std::chrono::milliseconds longest_silence{};  ///< Of the clients of one kind.
  bool fixture_is_good = false;  ///< The server_fixture can be used for the next trial.
};

/// Upgrades the server of the fixture, harms one of the two processes at the point, and checks all
/// promises: those above, that a process serves afterwards, that the next upgrade works and loses
/// nothing, and that nothing is left behind.
trial try_point(server_fixture& on, const point& where);

}  // namespace graceful_stress
