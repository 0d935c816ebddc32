// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTING_LEAK_REPORT_HPP
#define GRACEFUL_TESTING_LEAK_REPORT_HPP

#include <graceful/detail/api.hpp>

#include <iosfwd>
#include <string>
#include <vector>

namespace graceful::testing {

/// The leaks of upgrades: see `deployment::leaks`.
struct GRACEFUL_API leak_report {
  std::vector<std::string> leaks{};  ///< One sentence each.

  friend bool operator==(const leak_report& a, const leak_report& b) { return a.leaks == b.leaks; }

  [[nodiscard]] std::string to_string() const;  ///< One leak a line; or "no leaks".
};

inline const leak_report no_leaks{};

GRACEFUL_API std::ostream& operator<<(std::ostream& to, const leak_report& leaks);

}  // namespace graceful::testing

#endif
