// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// Many upgrades in a row, under load: nothing is lost, and no generation holds more than the one
// before.
#include <graceful/testing.hpp>

#include "both_loads.hpp"
#include "flatness.hpp"
#include "upgrade_and_commit.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace po = boost::program_options;
using namespace graceful::testing;
using namespace graceful_stress;
using namespace std::chrono_literals;

namespace {

constexpr int clients_of_each = 4;
constexpr std::uint64_t some_requests = 10;
constexpr int upgrades_between_rests = 20;  // under an uninterrupted load

/// The growth of the memory over the whole run, as a share of it. One page for each generation
/// would be three times as much in 1,000.
constexpr double much_memory = 0.05;
/// One descriptor for each generation would be as many as there are upgrades.
constexpr double many_descriptors = 1;

/// What a generation holds: averages would hide one that holds ten times as much.
struct holdings {
  std::vector<double> descriptors, threads, rss, anonymous;

  void add(pid_t pid) {
    const auto held = take_census(pid);
    descriptors.push_back(static_cast<double>(held.descriptors));
    threads.push_back(static_cast<double>(held.threads));
    std::ifstream file{"/proc/" + std::to_string(pid) + "/smaps_rollup"};
    std::map<std::string, double> kilobytes;
    for (std::string line; std::getline(file, line);) {
      const auto colon = line.find(':');
      if (line.ends_with(" kB"))
        kilobytes[line.substr(0, colon)] = std::stod(line.substr(colon + 1));
    }
    rss.push_back(kilobytes.at("Rss"));
    // Not Pss, nor Private_Clean: these depend on which other processes map the same libraries.
    anonymous.push_back(kilobytes.at("Anonymous"));
  }
};

class soak {
 public:
  explicit soak(const std::string& server)
      : site_{{.command = {server, "--listen", "127.0.0.1:0", "--control", "{control}", "--threads",
                           "2", "--probation", "1min"}}} {}

  /// False as soon as something is wrong, which is printed.
  bool run(int upgrades);
  void print() const;
  bool flat() const;
  std::string report() { return site_.report(); }

 private:
  upgrade_outcome upgrade();
  bool stretch(int upgrades);
  bool rest();
  bool expect(bool met, const std::string& what) {
    if (!met) std::cout << "FAILED after " << done_ << " upgrades: " << what << std::endl;
    return met;
  }

  deployment site_;
  int done_ = 0;
  std::uint64_t ok_ = 0, lost_ = 0;
  std::chrono::milliseconds longest_silence_{};
  std::chrono::duration<double> upgrading_{};
  holdings loaded_, at_rest_;
};

bool soak::run(int upgrades) {
  while (done_ < upgrades) {
    if (!stretch(std::min(upgrades_between_rests, upgrades - done_)) || !rest()) return false;
    if (done_ % 200 == 0) {
      std::cout << done_ << " upgrades, " << static_cast<int>(upgrading_.count()) << " s of them"
                << std::endl;
    }
  }
  return true;
}

upgrade_outcome soak::upgrade() {
  const auto predecessor = site_.generation();
  auto outcome = graceful_test::upgrade_and_commit(site_);
  if (outcome.committed() && !site_.wait_gone(predecessor)) {
    outcome.code = graceful::errc::timed_out;
    outcome.message = "the predecessor has not ended";
  }
  return outcome;
}

bool soak::stretch(int upgrades) {
  both_loads loads{site_, {.connections = clients_of_each}};
  bool good = true;
  for (int i = 0; i < upgrades && good; ++i) {
    const auto began = std::chrono::steady_clock::now();
    const auto outcome = upgrade();
    upgrading_ += std::chrono::steady_clock::now() - began;
    good = expect(outcome.committed() && !outcome.failed(), "the upgrade " + outcome.to_string()) &&
           expect(loads.reach(outcome.generation, site_.patience(), some_requests),
                  "the new generation does not answer both kinds of clients");
    if (!good) break;
    ++done_;
    loaded_.add(outcome.pid);
  }
  const auto seen = loads.stop();
  ok_ += seen.ok;
  lost_ += seen.lost;
  longest_silence_ = std::max(longest_silence_, seen.longest_silence);
  return expect(seen.lost == 0, "requests are lost:\n" + seen.to_string()) && good;
}

/// Exactly what the first generation held.
bool soak::rest() {
  // Asked first, because the server holds the connection of the question for a moment longer.
  const auto who = site_.pid(site_.generation());
  const auto leaks = site_.leaks();
  at_rest_.add(who);
  return expect(leaks == no_leaks, leaks.to_string());
}

void soak::print() const {
  std::cout << done_ << " upgrades, " << ok_ << " requests answered, " << lost_
            << " lost; longest silence of a kind of clients " << longest_silence_.count()
            << " ms; an upgrade and its drain took "
            << static_cast<int>(upgrading_.count() * 1000 / std::max(done_, 1)) << " ms\n";
  for (const auto& [when, held] : {std::pair{"under load", &loaded_}, {"at rest", &at_rest_}}) {
    if (held->rss.size() < 3) continue;
    for (const auto& [what, values] : {std::pair{"descriptors", &held->descriptors},
                                       {"threads", &held->threads},
                                       {"RSS/kB", &held->rss},
                                       {"anonymous/kB", &held->anonymous}}) {
      std::cout << "  " << when << ", " << what << ": " << flatness_of(*values).to_string() << '\n';
    }
  }
  std::cout << std::flush;
}

/// Measures each generation under load: there are enough of them to average out the noise.
bool soak::flat() const {
  bool good = true;
  const auto check = [&](const char* what, const std::vector<double>& values, double much) {
    const auto line = flatness_of(values);
    if (!line.grows_by(much)) return;
    std::cout << "FAILED: " << what << " grow from generation to generation: " << line.to_string()
              << std::endl;
    good = false;
  };
  check("descriptors", loaded_.descriptors, many_descriptors);
  check("threads", loaded_.threads, many_descriptors);
  check("kB of RSS", loaded_.rss, much_memory * flatness_of(loaded_.rss).median);
  check("kB of anonymous memory", loaded_.anonymous,
        much_memory * flatness_of(loaded_.anonymous).median);
  return good;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    int upgrades = 1000;
    std::string server;
    if (const char* known = std::getenv("HTTP_SERVER")) server = known;
    po::options_description all{"Upgrades a server under load, again and again. Options"};
    all.add_options()                                                                      //
        ("server", po::value(&server), "the example http_server (default: $HTTP_SERVER)")  //
        ("upgrades", po::value(&upgrades), "how many (default: 1000; at least 3)");
    po::variables_map values;
    po::store(po::parse_command_line(argc, argv, all), values);
    po::notify(values);
    if (server.empty()) throw std::runtime_error{"--server or HTTP_SERVER is needed"};
    if (upgrades < 3) throw std::runtime_error{"--upgrades is 3 at least"};
    soak it{server};
    const bool kept = it.run(upgrades);
    if (!kept) std::cout << it.report();
    it.print();
    const bool good = kept && it.flat();
    std::cout << (good ? "passed" : "failed") << std::endl;
    return good ? 0 : 1;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "soak: %s\n", e.what());
    return 2;
  }
}
