// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/control_client.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace graceful {

/// The older processes that still drain, as they report it. Each has its own connection to the
/// process that serves, so no death in between breaks the chain.
class older_generations {
 public:
  /// At most `most` of them drain without being told to hurry.
  explicit older_generations(std::size_t most) : most_{most} {}

  struct answer {
    bool hurry;               ///< The reporting process must cut its remaining connections.
    std::uint64_t newly_cut;  ///< Connections cut since its last report.
    std::optional<draining_process> told_to_hurry;  ///< The process that is now told to hurry,
                                                    ///< because too many drain.
  };

  /// Takes a report on the connection `session`. `cut`: how many connections the process has cut
  /// in all on that connection. The oldest generation is the one that is told to hurry.
  answer report(std::uint64_t session, const draining_process& process, std::uint64_t cut);

  /// The process of this connection has ended; none if it reported nothing.
  std::optional<draining_process> closed(std::uint64_t session);

  /// The connections that all of them together still have.
  [[nodiscard]] std::uint64_t connections() const;

  /// Sorted by generation.
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
