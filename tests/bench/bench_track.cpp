// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What it costs a server that its connections are tracked, beside what a session costs that is
// made with std::make_shared.
#include <graceful.hpp>

#include "bench_main.hpp"
#include "samples.hpp"
#include "testing/scene.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <malloc.h>

namespace {

namespace asio = boost::asio;
using graceful_bench::clock;
using graceful_bench::median_of;

constexpr std::size_t connections = 10'000;  // that are open at the same time
constexpr int rounds = 100;

/// Per connection, in nanoseconds.
struct round {
  double track, idle, untrack, plain;
  [[nodiscard]] double all() const { return track + idle + untrack; }
};

struct session {
  std::uint64_t id;
  void* peer;
};

/// How long `step` takes for each connection.
template <class Step>
double each(Step step) {
  const auto begin = clock::now();
  step();
  return graceful_bench::microseconds(clock::now() - begin) * 1'000 / connections;
}

class comparison {
 public:
  explicit comparison(const std::string& control_path)
      : up_{io_, {.control_path = control_path, .log = [](auto, auto) {}}} {
    tokens_.reserve(connections);
    sessions_.reserve(connections);
  }

  round take() {
    round seen{};
    const auto executor = io_.get_executor();
    seen.track = each([&] {
      for (std::size_t i = 0; i < connections; ++i) {
        tokens_.push_back(up_.track(executor, [this](graceful::drain_stage) { ++told_; }));
      }
    });
    seen.idle = each([&] {
      for (auto& token : tokens_) {
        token.idle(true);
        token.idle(false);
      }
    });
    seen.untrack = each([&] { tokens_.clear(); });
    seen.plain = each([&] {
      for (std::size_t i = 0; i < connections; ++i) {
        sessions_.push_back(std::make_shared<session>(session{i, this}));
      }
      sessions_.clear();
    });
    return seen;
  }

 private:
  asio::io_context io_;
  graceful::upgrader up_;
  std::vector<graceful::connection> tokens_;
  std::vector<std::shared_ptr<session>> sessions_;
  std::size_t told_ = 0;
};

template <class Pick>
void print(const char* title, const std::vector<round>& seen, Pick pick, const char* aim) {
  std::printf("%-40s %8.1f ns %7.2f  %s\n", title, median_of(seen, pick),
              median_of(seen, [&](const round& r) { return pick(r) / r.plain; }), aim);
}

int run(const std::vector<std::string>& /*words*/) {
  // Keeps the heap, as in a server. Otherwise the kernel gives pages back and forth, with a fault
  // for every dozen connections, which no single connection costs.
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  ::mallopt(M_TOP_PAD, 1 << 26);
  graceful::testing::scene place;
  comparison compare{place.path("track.sock")};
  std::vector<round> seen;
  compare.take();  // warms up
  for (int i = 0; i < rounds; ++i) seen.push_back(compare.take());
  std::printf(
      "A tracked connection, of %zu, beside a session made with std::make_shared.\n"
      "Medians; the ratio is the median of those of the rounds.\n\n%-40s %11s %7s  %s\n",
      connections, "", "each", "ratio", "aim");
  print(
      "std::make_shared, and its end", seen, [](const round& r) { return r.plain; }, "");
  print(
      "track", seen, [](const round& r) { return r.track; }, "");
  print(
      "idle(true), idle(false)", seen, [](const round& r) { return r.idle; }, "");
  print(
      "the token's end", seen, [](const round& r) { return r.untrack; }, "");
  print(
      "all of it", seen, [](const round& r) { return r.all(); }, "<= 150 ns");
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return graceful_bench::bench_main(argc, argv, run); }
