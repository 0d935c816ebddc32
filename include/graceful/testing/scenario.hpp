// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTING_SCENARIO_HPP
#define GRACEFUL_TESTING_SCENARIO_HPP

#include <graceful/detail/api.hpp>
#include <graceful/testing/deployment.hpp>
#include <graceful/testing/scenario_result.hpp>
#include <graceful/testing/upgrade_params.hpp>

#include <string>
#include <vector>

/// Deploys that go well and deploys that do not, each with the promises that have to hold. Each
/// leaves the deployment as it was: a server that serves, at rest. So they may follow one another.
namespace graceful::testing::scenario {

struct params {
  upgrade_params upgrade{};  ///< For good deploys; `until` does not count.

  /// The number of clients of each of two HTTP loads that run all the while: one keeps its
  /// connections, the other opens one for each request. 0: none, for a server that does not speak
  /// HTTP; then the test may run its own load instead.
  ///
  /// If replies say which generation sent them, that is checked too: clients that connect after a
  /// deploy must reach the new generation, and after a failed deploy the old one.
  int connections = 4;
  std::string path = "/";
  std::string served_by = "X-Served-By";  ///< See `http_load::served_by`.

  int deploys = 5;  ///< How many in a row, by `deploy_storm`.
};

/// A deploy commits, loses nothing, and leaves nothing behind.
GRACEFUL_API scenario_result good_deploy(deployment& site, const params& with = {});

/// A program that ends at once does no harm; the next deploy works.
GRACEFUL_API scenario_result bad_binary(deployment& site, const params& with = {});

/// When a successor is killed in its probation, its predecessor resumes: each client loses at most
/// one request, the one inside the successor. This and the next two need a server with a probation.
GRACEFUL_API scenario_result crash_in_probation(deployment& site, const params& with = {});

/// An operator's rollback loses nothing.
GRACEFUL_API scenario_result rollback(deployment& site, const params& with = {});

/// A second deploy during a first gets `busy`, and does not disturb the first.
GRACEFUL_API scenario_result double_deploy(deployment& site, const params& with = {});

/// Deploys in a row lose nothing.
GRACEFUL_API scenario_result deploy_storm(deployment& site, const params& with = {});

/// A deploy works while an older generation still has a client, which gets its answer. HTTP only.
GRACEFUL_API scenario_result deploy_while_draining(deployment& site, const params& with = {});

struct entry {
  std::string name;
  scenario_result (*run)(deployment&, const params&);
};

/// All of the above: `for (auto& s : scenario::all()) CHECK(s.run(site, {}));`
GRACEFUL_API const std::vector<entry>& all();

}  // namespace graceful::testing::scenario

#endif
