// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTING_UPGRADE_OUTCOME_HPP
#define GRACEFUL_TESTING_UPGRADE_OUTCOME_HPP

#include <graceful/control_client.hpp>
#include <graceful/detail/api.hpp>

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace graceful::testing {

/// The progress of an upgrade, and its outcome.
struct GRACEFUL_API upgrade_outcome {
  error_code code{};                    ///< Set only if the upgrade has failed.
  std::string message{};                ///< Why it failed: one sentence.
  std::vector<upgrade_phase> phases{};  ///< Phases that were reached, with their durations.
  pid_t pid{};                          ///< The successor's; 0 if none was started.
  std::uint64_t generation{};           ///< The successor's; 0 if none has connected.

  [[nodiscard]] bool reached(std::string_view phase) const;

  [[nodiscard]] bool ready() const;        ///< The successor was ready, whatever happened then.
  [[nodiscard]] bool committed() const;    ///< The successor stays.
  [[nodiscard]] bool failed() const;       ///< Includes rolled back and refused.
  [[nodiscard]] bool rolled_back() const;  ///< Failed after it was ready.
  [[nodiscard]] bool busy() const;         ///< Refused: another upgrade runs.

  /// "committed: generation 2, pid 4711 (spawned 3 ms, ...)".
  [[nodiscard]] std::string to_string() const;
};

GRACEFUL_API std::ostream& operator<<(std::ostream& to, const upgrade_outcome& outcome);

}  // namespace graceful::testing

#endif
