// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// How long a successor takes from connect to having adopted every listener, beside what the kernel
// needs to pass as many descriptors, and what any Asio program needs to take them in. Each round is
// two real processes: the successor of one round is the predecessor of the next.
#include <graceful.hpp>

#include "bench_main.hpp"
#include "loopback_sites.hpp"
#include "raw_handoff.hpp"
#include "samples.hpp"
#include "testing/scene.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using graceful::testing::process;
using graceful::testing::scene;
using graceful_bench::clock;
using graceful_bench::median_of;
using graceful_bench::microseconds;
using namespace std::chrono_literals;

/// What a process needs besides its listeners.
constexpr rlim_t other_descriptors = 64;

rlim_t raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

// The measured processes: each writes what it saw to its standard output, and serves.

int serve(const std::string& path, std::uint16_t network, std::size_t count, bool takeover) {
  const auto sites = graceful_bench::loopback_sites(count, network);
  std::vector<graceful::acceptor<tcp>> acceptors;
  acceptors.reserve(count);
  asio::io_context io;
  const auto begin = clock::now();
  graceful::upgrader up{io, {.control_path = path, .takeover = takeover, .probation = 0ms}};
  const auto arrived = clock::now();
  for (const auto& site : sites) {
    acceptors.push_back(up.listen<tcp>(site.name, site.endpoint, {.backlog = 1}));
  }
  const auto adopted = clock::now();
  up.ready();
  std::printf("%.1f %.1f done\n", microseconds(arrived - begin), microseconds(adopted - arrived));
  std::fflush(stdout);
  io.run();
  return 0;
}

int pass(const std::string& path, std::uint16_t network, std::size_t count) {
  std::vector<graceful::unique_fd> descriptors;
  asio::io_context io;
  for (const auto& site : graceful_bench::loopback_sites(count, network)) {
    tcp::acceptor acceptor{io, site.endpoint};
    descriptors.emplace_back(acceptor.release());
  }
  const auto listener = graceful_bench::listen_at(path);
  std::puts("done");
  std::fflush(stdout);
  graceful_bench::pass_to_everyone(listener, descriptors);
}

int take(const std::string& path, std::size_t count) {
  std::vector<tcp::acceptor> acceptors;
  acceptors.reserve(count);
  asio::io_context io;
  const auto begin = clock::now();
  auto descriptors = graceful_bench::take_from(path, count);
  const auto arrived = clock::now();
  for (auto& fd : descriptors) acceptors.emplace_back(io, tcp::v4(), fd.release());
  const auto adopted = clock::now();
  std::printf("%.1f %.1f done\n", microseconds(arrived - begin), microseconds(adopted - arrived));
  return 0;
}

// The process that measures them.

struct measured {
  double transfer = 0;
  double adoption = 0;
  [[nodiscard]] double total() const { return transfer + adoption; }
};

struct round {
  measured ours;
  measured raw;
};

void await_done(process& p) {
  if (p.wait_for_output("done\n", 20s)) return;
  throw std::runtime_error{"a process of the benchmark failed:\n" + p.output()};
}

measured read_measured(process& p) {
  await_done(p);
  measured m;
  std::sscanf(p.stdout_text().c_str(), "%lf %lf", &m.transfer, &m.adoption);
  return m;
}

std::vector<round> measure(std::size_t count, int rounds) {
  const auto self = std::string{"/proc/"} + std::to_string(::getpid()) + "/exe";
  const auto pid = static_cast<std::uint32_t>(::getpid());
  const auto ours_network = std::to_string(graceful_bench::network_of(pid, 0));
  const auto raw_network = std::to_string(graceful_bench::network_of(pid, 1));
  const auto number = std::to_string(count);
  scene place;
  const auto ours_path = place.path("ours.sock");
  const auto raw_path = place.path("raw.sock");

  process& passer = place.start({self, "pass", raw_path, raw_network, number});
  process* predecessor = &place.start({self, "cold", ours_path, ours_network, number});
  await_done(passer);
  await_done(*predecessor);
  std::vector<round> seen;
  for (int i = 0; i < rounds; ++i) {
    process& successor = place.start({self, "takeover", ours_path, ours_network, number});
    round r{.ours = read_measured(successor), .raw = {}};
    if (!predecessor->wait_exit(20s)) throw std::runtime_error{"the predecessor does not end"};
    predecessor = &successor;
    process& taker = place.start({self, "take", raw_path, raw_network, number});
    r.raw = read_measured(taker);
    taker.wait_exit(20s);
    seen.push_back(r);
  }
  return seen;
}

void print_row(std::size_t count, const std::vector<round>& seen) {
  const double transfer = median_of(seen, [](const round& r) { return r.ours.transfer; });
  const double listens = median_of(seen, [](const round& r) { return r.ours.adoption; });
  const double total = median_of(seen, [](const round& r) { return r.ours.total(); });
  const double raw = median_of(seen, [](const round& r) { return r.raw.transfer; });
  const double raw_asio = median_of(seen, [](const round& r) { return r.raw.total(); });
  const char* aim = count == 1 ? "total <= 500" : count >= 1'000 ? "total/raw <= 1.5" : "";
  std::printf("%9zu %8.0f %8.0f %8.0f %6.1f | %6.0f %8.0f | %8.2f %6.2f %8.2f  %s\n", count,
              transfer, listens, total, total / static_cast<double>(count), raw, raw_asio,
              transfer / raw, total / raw, total / raw_asio, aim);
  std::fflush(stdout);
}

int compare() {
  const rlim_t limit = raise_descriptor_limit();
  std::puts(R"(Handoff: connect .. every listener adopted, two processes. Medians, microseconds.
  ours      transfer: the upgrader's constructor (connect .. all descriptors arrived);
            listen: every listen() by name, up to its entry in epoll;
            each: total / listeners, which is to stay the same
  raw       the kernel alone: connect, sendmsg/recvmsg of as many descriptors, 253 a
            message, one byte of acknowledgement for each message
  raw+asio  and what any Asio program has to do then: tcp::acceptor::assign of each

          -------------- ours ------------- | -- reference -- | ------- ratios --------
listeners transfer   listen    total   each |    raw raw+asio | transfer  total   total  aim
                                            |                 |     /raw   /raw  /raw+asio)");
  struct row {
    std::size_t listeners;
    int rounds;
  };
  for (const row& r : {row{1, 31}, row{253, 21}, row{1'000, 15}, row{10'000, 7}}) {
    if (r.listeners + other_descriptors > limit) {
      std::printf("%9zu skipped: needs %zu open files, the hard limit is %zu (ulimit -Hn)\n",
                  r.listeners, r.listeners + other_descriptors, static_cast<std::size_t>(limit));
      continue;
    }
    print_row(r.listeners, measure(r.listeners, r.rounds));
  }
  return 0;
}

int run(const std::vector<std::string>& words) {
  if (words.size() != 5) return compare();
  raise_descriptor_limit();
  const auto network = graceful_bench::to_number<std::uint16_t>(words[3]);
  const auto count = graceful_bench::to_number<std::size_t>(words[4]);
  if (words[1] == "pass") return pass(words[2], network, count);
  if (words[1] == "take") return take(words[2], count);
  return serve(words[2], network, count, words[1] == "takeover");
}

}  // namespace

int main(int argc, char** argv) { return graceful_bench::bench_main(argc, argv, run); }
