// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// bench_silence [CLIENTS]: how long no client is served where a server is upgraded at saturation,
// and how long the slowest requests take; beside the same load without upgrades, in turn.
#include <graceful/testing/deployment.hpp>

#include "bench_main.hpp"
#include "samples.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace graceful::testing;
using graceful_bench::median_of;

constexpr int rounds = 5;
constexpr std::uint64_t requests = 3'000;  // before the first upgrade, and after each
constexpr int upgrades = 10;

struct outcome {
  double silence;  // milliseconds
  double slow;     // microseconds: 999 of 1,000 requests were faster
  std::uint64_t lost;
};

struct round {
  outcome without, with;
};

outcome of(load& clients) {
  const auto seen = clients.stop();
  return {static_cast<double>(seen.longest_silence.count()), static_cast<double>(seen.p999.count()),
          seen.lost()};
}

outcome measure(deployment& site, int clients, bool upgrading) {
  auto load = site.start_http_load({.connections = clients, .keep_alive = false});
  const auto patience = site.patience();
  for (int i = 0; i <= upgrades; ++i) {
    if (!load.wait_for(requests, patience)) throw std::runtime_error{"the load does not go on"};
    if (!upgrading || i == upgrades) continue;
    if (!site.upgrade().committed())
      throw std::runtime_error{"an upgrade fails:\n" + site.report()};
  }
  return of(load);
}

void print(const char* what, const std::vector<round>& seen, double outcome::*pick,
           const char* unit) {
  std::printf("%-28s %10.1f %10.1f %s %8.2f  <= 1.1\n", what,
              median_of(seen, [&](const round& r) { return r.without.*pick; }),
              median_of(seen, [&](const round& r) { return r.with.*pick; }), unit,
              median_of(seen, [&](const round& r) { return r.with.*pick / r.without.*pick; }));
}

int run(const std::vector<std::string>& words) {
  const char* server = std::getenv("HTTP_SERVER");
  if (server == nullptr) throw std::runtime_error{"HTTP_SERVER names the server"};
  const int clients = words.size() > 1 ? graceful_bench::to_number<int>(words[1]) : 32;
  deployment site{{.command = {server, "--listen", "127.0.0.1:0", "--control", "{control}",
                               "--probation", "0", "--threads", "2"}}};
  std::vector<round> seen;
  std::uint64_t lost = 0;
  for (int i = 0; i < rounds; ++i) {
    const auto without = measure(site, clients, false);
    const auto with = measure(site, clients, true);
    lost += without.lost + with.lost;
    seen.push_back({without, with});
  }
  std::printf(
      "%d clients, a connection for each request, ten upgrades in each of %d rounds. Medians.\n"
      "Lost: %llu.\n\n%-28s %10s %10s\n",
      clients, rounds, static_cast<unsigned long long>(lost), "", "without", "with");
  print("the longest silence", seen, &outcome::silence, "ms");
  print("the slowest of 1,000", seen, &outcome::slow, "us");
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return graceful_bench::bench_main(argc, argv, run); }
