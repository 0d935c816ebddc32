// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/open_metrics.hpp"

#include "fuzz_input.hpp"
#include "open_metrics.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <string>

/// Metrics as text, read again by the strict parser of the tests. The input: the numbers, then a
/// state and listeners' names, each up to a NUL.
using namespace graceful_test;
namespace wire = graceful::wire;

namespace {

std::uint64_t number(fuzz_input& input) {
  std::uint64_t n = 0;
  for (auto bytes = input.byte() % 9; bytes > 0; --bytes) n = n << 8 | input.byte();
  return n;
}

bool says(const open_metrics& m, const std::string& sample, std::uint64_t value) {
  return m.at(sample) == static_cast<double>(value);
}

void check(const open_metrics& read, const wire::metrics& m) {
  require(says(read, "graceful_build_info{version=" + m.version + "}", 1), "the version");
  require(says(read, "graceful_generation", m.generation), "the generation");
  require(says(read, "graceful_upgrades_total{outcome=committed}", m.so_far.committed),
          "committed");
  require(says(read, "graceful_upgrades_total{outcome=failed}", m.so_far.failed), "failed");
  require(says(read, "graceful_upgrades_total{outcome=rolled_back}", m.so_far.rolled_back), "back");
  require(says(read, "graceful_connections", m.connections), "the connections");
  require(says(read, "graceful_connections_draining", m.connections_draining), "draining");
  require(says(read, "graceful_connections_cut_total", m.so_far.cut), "the cut");
  for (const auto& l : m.listeners) {
    require(says(read, "graceful_listener_accept_queue{listener=" + l.name + "}", l.queue),
            "the queue");
    require(says(read, "graceful_listener_accept_queue_limit{listener=" + l.name + "}", l.backlog),
            "its limit");
  }
  for (const auto& [phase, duration] : m.last_upgrade) {
    const auto seconds = read.at("graceful_upgrade_phase_seconds{phase=" + phase + "}");
    require(seconds == static_cast<double>(duration.count()) / 1e6, "a duration");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz_input input{data, size};
  wire::metrics m;
  m.generation = number(input);
  m.so_far = {number(input), number(input), number(input), number(input)};
  m.connections = number(input);
  m.connections_draining = number(input);
  const auto reached = input.byte();
  for (std::size_t i = 0; i < wire::upgrade_phases.size(); ++i) {
    if ((reached >> i & 1) != 0) {
      m.last_upgrade.emplace(wire::upgrade_phases[i],
                             std::chrono::microseconds{number(input) >> 16});
    }
  }
  m.version = input.line();
  m.state = input.line();
  while (!input.ended()) {
    const auto queue = number(input);
    const auto backlog = number(input);
    const std::string name{input.line()};
    // A server's listeners have different names, so duplicates are skipped.
    const auto there = [&](const auto& l) { return l.name == name; };
    if (std::ranges::none_of(m.listeners, there)) m.listeners.push_back({name, "", queue, backlog});
  }
  try {
    check(parse_open_metrics(wire::to_open_metrics(m)), m);
  } catch (const std::exception& e) {
    require(false, e.what());
  }
  return 0;
}
