// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// Kills the predecessor and the successor of an upgrade under load at each of their system calls,
// or has each of these fail, one upgrade for each, and looks whether the promises hold. See
// docs/design.md.
#include "trial.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>

namespace po = boost::program_options;
using namespace graceful_stress;

namespace {

constexpr int recorded_upgrades = 3;

struct arguments {
  std::string server;
  bool errors = false;
  std::uint64_t seed = std::random_device{}();
  std::size_t points = 0;
  std::string from;
  double minutes = 0;
  std::string at;
  int times = 1;
  bool list = false;
};

std::optional<arguments> parse(int argc, char** argv) {
  arguments args;
  bool help = false;
  if (const char* server = std::getenv("HTTP_SERVER")) args.server = server;
  po::options_description all{"Kills the processes of upgrades under load. Options"};
  all.add_options()  //
      ("server", po::value(&args.server)->value_name("PATH"),
       "the example http_server (default: $HTTP_SERVER)")                              //
      ("errors", po::bool_switch(&args.errors), "have calls fail, in place of kills")  //
      ("seed", po::value(&args.seed)->value_name("N"),
       "of the order of the points (default: any; it is printed)")                            //
      ("points", po::value(&args.points)->value_name("N"), "how many to try (default: all)")  //
      ("from", po::value(&args.from)->value_name("FILE"),
       "those of a file, one a line as --list prints them")  //
      ("minutes", po::value(&args.minutes)->value_name("N"),
       "stop after so long (default: when all are done)")  //
      ("at", po::value(&args.at)->value_name("POINT"),
       "only this one, as it is printed: 'successor before call accept4 1'")           //
      ("times", po::value(&args.times)->value_name("N"), "... so often (default: 1)")  //
      ("list", po::bool_switch(&args.list), "print the points, and exit")              //
      ("help,h", po::bool_switch(&help), "print this, and exit");
  po::variables_map values;
  po::store(po::parse_command_line(argc, argv, all), values);
  po::notify(values);
  if (help) {
    std::cout << all;
    return {};
  }
  if (args.server.empty()) throw std::runtime_error{"--server or HTTP_SERVER is needed"};
  return args;
}

/// The results of all trials.
class summary {
 public:
  void add(const point& where, const trial& seen) {
    ++tried_;
    if (!seen.broken.empty()) {
      ++failed_;
    } else if (seen.went == course::not_reached) {
      ++not_reached_;
    } else {
      ++passed_;
    }
    auto& row = rows_[seen.went];
    ++row.trials;
    row.ok += seen.ok;
    row.lost += seen.lost - seen.refused;
    row.refused += seen.refused;
    row.most_lost = std::max(row.most_lost, seen.lost - seen.refused);
    row.longest_silence = std::max(row.longest_silence, seen.longest_silence);
    if (!seen.struck.empty()) struck_[where.victim].insert(seen.struck);
  }

  void print(std::size_t of) const {
    for (const auto what : courses) {
      const auto found = rows_.find(what);
      if (found == rows_.end()) continue;
      const row& its = found->second;
      std::cout << to_string(what) << ": " << its.trials << " points; " << its.ok
                << " requests answered, " << its.lost << " lost (at most " << its.most_lost
                << " at a point), " << its.refused << " refused; longest silence "
                << its.longest_silence.count() << " ms\n";
    }
    for (const auto& [victim, kinds] : struck_) {
      std::cout << "the " << (victim == side::predecessor ? "predecessor" : "successor")
                << " was struck in calls of " << kinds.size() << " kinds:";
      for (const std::string& kind : kinds) std::cout << ' ' << kind;
      std::cout << '\n';
    }
    std::cout << tried_ << " points tried of " << of << ", " << passed_ << " passed, " << failed_
              << " failed, " << not_reached_ << " not reached"
              << (tried_ < of ? ": not the whole" : "") << std::endl;
  }

  /// A few calls do not occur in every upgrade. If many are not reached, the matrix has not covered
  /// what it should.
  [[nodiscard]] bool good() const {
    constexpr std::size_t one_in = 10;
    return tried_ > 0 && failed_ == 0 && not_reached_ * one_in <= tried_;
  }

 private:
  struct row {
    std::size_t trials{};
    std::uint64_t ok{}, lost{}, refused{}, most_lost{};
    std::chrono::milliseconds longest_silence{};
  };
  std::size_t tried_ = 0, passed_ = 0, failed_ = 0, not_reached_ = 0;
  std::map<course, row> rows_;
  std::map<side, std::set<std::string>> struck_;
};

void tell(const point& where, const trial& seen, const std::string& program) {
  std::cout << "FAILED: " << where.to_string() << ", where " << to_string(seen.went) << '\n';
  for (const std::string& each : seen.broken) std::cout << "  broken: " << each << '\n';
  std::cout << seen.details << "again: HTTP_SERVER=... " << program << " --times 20 --at '"
            << where.to_string() << "'" << std::endl;
}

std::uint64_t total(const call_counts& calls) {
  std::uint64_t sum = 0;
  for (const auto& [kind, count] : calls) sum += count;
  return sum;
}

point parsed(const std::string& text) {
  const auto one = point::parse(text);
  if (!one) throw std::runtime_error{"there is no point '" + text + "'"};
  return *one;
}

std::vector<point> points_in(const std::string& path) {
  std::ifstream file{path};
  if (!file) throw std::runtime_error{"cannot read " + path};
  std::vector<point> points;
  for (std::string line; std::getline(file, line);) points.push_back(parsed(line));
  return points;
}

std::vector<point> recorded_points(server_fixture& on, const arguments& args) {
  const auto recorded = record(on, recorded_upgrades);
  auto points = points_of(recorded.predecessor, recorded.successor,
                          args.errors ? harm::errors : harm::kills, args.seed);
  std::cerr << "an upgrade is " << total(recorded.predecessor) << " calls of the predecessor and "
            << total(recorded.successor) << " of the successor: " << points.size()
            << " points; seed " << args.seed << std::endl;
  return points;
}

int run(const arguments& args, const std::string& program) {
  const auto began = std::chrono::steady_clock::now();
  auto on = std::make_unique<server_fixture>(args.server);
  auto points = !args.at.empty()
                    ? std::vector<point>(static_cast<std::size_t>(args.times), parsed(args.at))
                : !args.from.empty() ? points_in(args.from)
                                     : recorded_points(*on, args);
  const std::size_t all = points.size();
  if (args.points > 0 && args.points < points.size()) points.resize(args.points);
  if (args.list) {
    for (const point& each : points) std::cout << each.to_string() << '\n';
    return 0;
  }
  summary sum;
  std::size_t done = 0;
  for (const point& each : points) {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - began;
    if (args.minutes > 0 && elapsed.count() > args.minutes * 60) break;
    if (!on) on = std::make_unique<server_fixture>(args.server);
    const trial seen = try_point(*on, each);
    sum.add(each, seen);
    if (!seen.broken.empty()) tell(each, seen, program);
    if (!seen.fixture_is_good) on.reset();
    if (++done % 50 == 0) std::cout << done << " points, " << elapsed.count() << " s" << std::endl;
  }
  sum.print(all);
  return sum.good() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto args = parse(argc, argv);
    return args ? run(*args, argv[0]) : 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "kill_matrix: %s\n", e.what());
    return 2;
  }
}
