// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_OLDER_GENERATIONS_HPP
#define GRACEFUL_LIB_OLDER_GENERATIONS_HPP

#include <graceful/control_client.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace graceful {

/// The processes that drain while this one serves, as they report it: each on a connection of its
/// own to whoever serves, so no death in between breaks the chain.
class older_generations {
 public:
  /// At most `most` drain at their leisure.
  explicit older_generations(std::size_t most) : most_{most} {}

  /// A report on the connection `session`. Returns the process that is to hurry from now on, if
  /// there are too many: the one of the lowest generation.
  std::optional<draining_process> report(std::uint64_t session, const draining_process& process);

  /// How many connections the process has cut since its last report on this connection, if it has
  /// cut `cut` in all.
  std::uint64_t newly_cut(std::uint64_t session, std::uint64_t cut);

  /// Whether the process that reports on the connection is to hurry.
  [[nodiscard]] bool hurried(std::uint64_t session) const;

  /// The process of the connection has ended; none if it reported nothing.
  std::optional<draining_process> closed(std::uint64_t session);

  /// That all together have left.
  [[nodiscard]] std::uint64_t connections() const;

  /// By generation.
  [[nodiscard]] std::vector<draining_process> all() const;

 private:
  std::size_t most_;
  std::map<std::uint64_t, draining_process> by_session_;
  std::map<std::uint64_t, std::uint64_t> cut_;  // by session
};

}  // namespace graceful

#endif
