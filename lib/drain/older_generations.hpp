// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_DRAIN_OLDER_GENERATIONS_HPP
#define GRACEFUL_DRAIN_OLDER_GENERATIONS_HPP

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

  struct answer {
    bool hurry;               ///< The process that has reported is to cut what it has left.
    std::uint64_t newly_cut;  ///< Connections, since its last report.
    std::optional<draining_process> told_to_hurry;  ///< Since now, because there are too many.
  };

  /// A report on the connection `session`, on which the process has said of `cut` connections in
  /// all that they were cut. The oldest generation is the one that is to hurry.
  answer report(std::uint64_t session, const draining_process& process, std::uint64_t cut);

  /// The process of the connection has ended; none if it reported nothing.
  std::optional<draining_process> closed(std::uint64_t session);

  /// That all together have left.
  [[nodiscard]] std::uint64_t connections() const;

  /// By generation.
  [[nodiscard]] std::vector<draining_process> all() const;

 private:
  struct reporter {
    draining_process process;
    std::uint64_t cut = 0;
  };

  std::size_t most_;
  std::map<std::uint64_t, reporter> by_session_;
};

}  // namespace graceful

#endif
