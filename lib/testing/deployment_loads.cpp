// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/deployment_impl.hpp"
#include "testing/listener_host.hpp"

#include <chrono>
#include <utility>

namespace graceful::testing {
namespace {

template <class Kind>
load on(const deployment& site, Kind what) {
  if (what.port == 0) {
    what.port = site.port();
    what.host = host_to_connect_to(site.address());
  }
  return load{what};
}

}  // namespace

load deployment::start_http_load(http_load what) const { return on(*this, std::move(what)); }
load deployment::start_exchange_load(exchange_load what) const {
  return on(*this, std::move(what));
}
load deployment::start_stream_load(stream_load what) const { return on(*this, std::move(what)); }
load deployment::start_connect_load(connect_load what) const { return on(*this, std::move(what)); }
load deployment::start_slow_load(slow_load what) const { return on(*this, std::move(what)); }

void deployment::remember(const load_report& seen, std::string_view name) {
  const auto steady_now = std::chrono::steady_clock::now();
  const auto now = timeline::clock::now();
  for (const load_failure& failure : seen.failures) {
    const auto ago = steady_now - (seen.started + failure.after);
    impl_->events.add(std::string{name}, failure.to_string(),
                      now - std::chrono::duration_cast<timeline::clock::duration>(ago));
  }
  impl_->events.add(std::string{name}, "in all: " + std::to_string(seen.ok) + " ok, " +
                                           std::to_string(seen.lost()) + " lost");
}

}  // namespace graceful::testing
