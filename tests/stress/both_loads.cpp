// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "both_loads.hpp"

#include <algorithm>
#include <utility>

namespace graceful_stress {

using namespace graceful::testing;

namespace {

load start(const deployment& site, http_load kind, bool keep_alive) {
  kind.keep_alive = keep_alive;
  return site.start_http_load(std::move(kind));
}

}  // namespace

both_loads::both_loads(deployment& site, http_load each)
    : site_{site}, kept_{start(site, each, true)}, connecting_{start(site, each, false)} {}

bool both_loads::go_on(deadline until) {
  return kept_.wait_for(some_requests, until) && connecting_.wait_for(some_requests, until);
}

bool both_loads::reach(std::uint64_t generation, deadline until, std::uint64_t some) {
  return kept_.wait_for_generation(generation, some, until) &&
         connecting_.wait_for_generation(generation, some, until);
}

both_loads::totals both_loads::stop() {
  totals sum;
  sum.reports = {kept_.stop(), connecting_.stop()};
  site_.remember(sum.reports[0], "kept load");
  site_.remember(sum.reports[1], "connecting load");
  for (const load_report& each : sum.reports) {
    sum.ok += each.ok;
    sum.refused += each.refused;
    sum.lost += each.lost();
    sum.longest_silence = std::max(sum.longest_silence, each.longest_silence);
  }
  return sum;
}

std::string both_loads::totals::to_string() const {
  return "kept connections:\n" + reports[0].to_string() + "a connection a request:\n" +
         reports[1].to_string();
}

}  // namespace graceful_stress
