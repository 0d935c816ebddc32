// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// A server that others wrote, after the few changes that tests/existing/edits.py makes, is upgraded
// ten times under load. Called with its name, its program, and the file that has the number of
// changed lines.
#include <graceful/testing.hpp>

#include "eventually.hpp"
#include "examples.hpp"
#include "processor_time.hpp"
#include "upgrade_and_commit.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

using namespace graceful::testing;
using namespace graceful_existing;
using namespace std::chrono_literals;

namespace {

constexpr int upgrades = 10;
constexpr std::uint64_t some_requests = 10;
constexpr int too_many_lines = 10;
constexpr double busy = 5;  // percent of a core
constexpr auto idle_window = 1500ms;
constexpr auto patience = 60s;

/// Limits the output: some servers write a line for each connection, with the place in Boost's
/// sources where it ended, and the library writes a few for each upgrade. A loop that spins writes
/// 30 MB within seconds.
constexpr std::uintmax_t output_of_a_run = 100'000;
constexpr std::uintmax_t output_of_a_request = 400;

std::string text_of(const std::string& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// An operator commits, or the probation ends by itself.
enum class commit { as_soon_as_ready, after_the_probation };

class trial {
 public:
  trial(const example& what, const std::string& program)
      : what_{what},
        site_{{.command = command(what, program),
               .environment = {{"CONTROL", "{control}"}},
               .patience = patience}} {
    std::ofstream{site_.directory() + "/index.html"} << "hello\n";
    port_ = port_of_first_listener();
  }

  void run();

  [[nodiscard]] bool good() const { return problems_.empty(); }
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] std::string report() { return site_.report() + text_of(output()).substr(0, 4'000); }
  void complain(const std::string& what) { problems_.push_back(what); }

 private:
  /// Writes the output to a file: all of it counts, and keeping it in memory would not survive a
  /// flood.
  static std::vector<std::string> command(const example& what, const std::string& program) {
    std::vector<std::string> words{"/bin/sh", "-c", R"(exec "$@" >>"$0" 2>&1)",
                                   "{directory}/output", program};
    words.insert(words.end(), what.arguments.begin(), what.arguments.end());
    return words;
  }
  [[nodiscard]] std::string output() const { return site_.directory() + "/output"; }

  std::uint16_t port_of_first_listener();
  bool upgrade_under_load();
  bool upgrade(commit by);
  void idle();
  void idle_while_held();
  void serve_a_probation();
  void roll_back();
  void drain();
  void look_at_output();
  double load_of_all();
  void add(const totals& seen, const std::string& which);
  bool expect(bool met, const std::string& what) {
    if (!met) complain(what);
    return met;
  }

  const example& what_;
  deployment site_;
  std::uint16_t port_ = 0;
  std::uint64_t generation_ = 1;
  int upgrades_ = 0;
  totals all_;
  double idle_ = 0, idle_while_held_ = 0;
  std::uintmax_t written_ = 0;
  std::vector<std::string> problems_;
};

/// A coroutine listens after the server has reported that it serves, and no event tells when.
std::uint16_t trial::port_of_first_listener() {
  std::vector<graceful::listener_status> listeners;
  const auto listens = [&] { return !(listeners = site_.status().listeners).empty(); };
  if (!graceful_test::eventually(listens, patience)) {
    throw std::runtime_error{"the server listens on nothing"};
  }
  const auto& address = listeners.front().address;
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

void trial::run() {
  const bool good = upgrade_under_load();
  idle();
  if (good) {
    idle_while_held();
    serve_a_probation();
    roll_back();
    drain();
  }
  look_at_output();
}

/// The clients that keep their connections start again for each upgrade, so that the process that
/// is replaced always has some.
bool trial::upgrade_under_load() {
  const auto connecting = what_.connecting(port_);
  bool good = expect(connecting->wait_for(some_requests, patience), "the server does not answer");
  while (good && upgrades_ < upgrades) {
    const auto predecessor = generation_;
    const auto kept = what_.kept ? what_.kept(port_) : nullptr;
    const auto goes_on = [&](const char* when) {
      return expect((!kept || kept->wait_for(some_requests, patience)) &&
                        connecting->wait_for(some_requests, patience),
                    std::string{"clients wait in vain, or lose a request, "} + when);
    };
    good = goes_on("before an upgrade") && upgrade(commit::as_soon_as_ready) &&
           goes_on("after an upgrade");
    if (kept) add(kept->stop(), "on a kept connection");
    good = good && expect(site_.wait_gone(predecessor),
                          "an old process does not end when its clients have gone");
  }
  add(connecting->stop(), "on a connection of its own");
  return good && all_.lost == 0;
}

bool trial::upgrade(commit by) {
  const auto outcome = by == commit::as_soon_as_ready ? graceful_test::upgrade_and_commit(site_)
                                                      : site_.start_upgrade().wait(patience);
  if (!expect(outcome.committed() && !outcome.failed(), outcome.to_string())) return false;
  generation_ = outcome.generation;
  ++upgrades_;
  return true;
}

void trial::idle() {
  idle_ = load_of_all();
  expect(idle_ < busy, "busy without any clients");
}

void trial::idle_while_held() {
  // Connections are accepted in order: when a later one has its answer, this one has left the
  // queue, from which the successor would take it.
  std::optional<http_connection> client{{resolve("127.0.0.1", port_, patience), 0}};
  const auto later = what_.connecting(port_);
  const bool accepted = expect(later->wait_for(some_requests, patience), "it does not answer");
  add(later->stop(), "after the upgrades");
  const auto predecessor = generation_;
  if (!accepted || !upgrade(commit::as_soon_as_ready)) return;
  idle_while_held_ = load_of_all();
  expect(!site_.wait_gone(predecessor, 0ms), "an old process ends although it has a client");
  expect(idle_while_held_ < busy, "busy while an idle client keeps an old process alive");
  client.reset();
  expect(site_.wait_gone(predecessor), "an old process does not end when its idle client has gone");
}

/// The successor must confirm by itself that it serves.
void trial::serve_a_probation() {
  const auto clients = what_.connecting(port_);
  expect(clients->wait_for(some_requests, patience) && upgrade(commit::after_the_probation) &&
             clients->wait_for(some_requests, patience),
         "a probation does not end well");
  add(clients->stop(), "in a probation");
}

void trial::roll_back() {
  const auto clients = what_.connecting(port_);
  const auto go_on = [&] { return clients->wait_for(some_requests, patience); };
  const auto run = site_.start_upgrade();
  expect(go_on() && run.wait_for("ready", patience) && go_on() && site_.rollback() &&
             run.wait(patience).rolled_back() && go_on() && site_.generation() == generation_,
         "a rollback does not end well");
  add(clients->stop(), "around a rollback");
}

void trial::drain() {
  // Some of Boost's servers do not join their threads, because they never end: std::terminate()
  // ends them before they have answered.
  const auto drained = site_.drain();
  expect((!drained || drained->cut == 0) && site_.wait_gone(generation_),
         "a drain does not end it");
}

double trial::load_of_all() {
  std::vector<pid_t> alive;
  for (std::uint64_t each = 1; each <= generation_; ++each) {
    if (!site_.wait_gone(each, 0ms)) alive.push_back(site_.pid(each));
  }
  return percent_of_a_core(alive, idle_window);
}

void trial::look_at_output() {
  written_ = std::filesystem::file_size(output());
  expect(written_ < output_of_a_run + output_of_a_request * all_.ok, "a flood of output");
}

void trial::add(const totals& seen, const std::string& which) {
  all_.ok += seen.ok;
  all_.lost += seen.lost;
  if (seen.lost > 0) complain("lost " + which + ": " + seen.first_loss);
}

std::string trial::to_string() const {
  std::ostringstream text;
  text.precision(1);
  text << std::fixed << upgrades_ << " upgrades, " << all_.ok << " requests, " << all_.lost
       << " lost, idle " << idle_ << " %, with an idle client of an old process "
       << idle_while_held_ << " % of a core, " << written_ / 1000 << " kB of output";
  for (const auto& problem : problems_) text << "; " << problem;
  return text.str();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 3 && argc != 4) {
      std::fprintf(stderr, "usage: %s NAME PROGRAM [CHANGES]\n", argv[0]);
      return 2;
    }
    const std::string name = argv[1];
    trial it{examples().at(name), argv[2]};
    it.run();
    std::cout << "existing: " << name << ": ";
    if (argc == 4) {
      int lines = too_many_lines;
      std::ifstream{argv[3]} >> lines;
      if (lines >= too_many_lines) it.complain("too many changed lines");
      std::cout << lines << " lines changed, ";
    }
    std::cout << it.to_string() << std::endl;
    if (!it.good()) std::cout << it.report() << std::endl;
    return it.good() ? 0 : 1;
  } catch (const std::exception& e) {
    std::cout << "existing: " << argv[1] << ": " << e.what() << std::endl;
    return 1;
  }
}
