// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "trial.hpp"

#include "testing/process_table.hpp"

#include <exception>
#include <utility>

#include <sys/types.h>

namespace graceful_stress {

using namespace graceful::testing;
using namespace std::chrono_literals;

namespace {

class attempt {
 public:
  attempt(server_fixture& on, const point& where) : on_{on}, where_{where} {}

  trial run() {
    try {
      strike_an_upgrade();
      if (result_.went != course::not_reached || !result_.broken.empty()) look_afterwards();
    } catch (const std::exception& e) {
      expect(false, std::string{"the server answers; instead: "} + e.what());
    }
    result_.fixture_is_good = result_.broken.empty() && result_.went != course::ended;
    if (!result_.broken.empty()) result_.details += on_.report();
    return std::move(result_);
  }

 private:
  bool expect(bool met, std::string what) {
    if (!met) result_.broken.push_back(std::move(what));
    return met;
  }

  void strike_an_upgrade();
  std::optional<fault_hit> hit(pid_t victim);
  std::uint64_t spawned_by_predecessor();
  void judge_predecessor(const fault_hit& how);
  void judge_successor();
  void judge_error();
  void judge_losses(both_loads::totals seen);
  void look_afterwards();

  server_fixture& on_;
  const point& where_;
  trial result_;
  graceful::server_status before_;
  std::uint64_t spawned_before_ = 0;
  upgrade_outcome outcome_;
  std::uint64_t serving_ = 0;  // the generation that serves afterwards
};

std::uint64_t attempt::spawned_by_predecessor() {
  const auto calls = on_.faults().calls(static_cast<pid_t>(before_.pid)).by_kind;
  const auto found = calls.find("clone");
  return found == calls.end() ? 0 : found->second;
}

void attempt::strike_an_upgrade() {
  before_ = on_.site().status();
  const auto pid = static_cast<pid_t>(before_.pid);
  const auto pidfd = open_pidfd(pid);
  both_loads loads{on_.site()};
  if (!expect(loads.go_on(patience), "the server answers before the upgrade")) return;
  spawned_before_ = spawned_by_predecessor();

  upgrade_params with;
  if (where_.victim == side::predecessor) {
    on_.faults().arm(pid, where_.fault);
  } else {
    with.fault = where_.fault;
  }
  outcome_ = on_.site().start_upgrade(with).wait(patience);
  if (outcome_.committed()) {
    expect(wait_readable(pidfd.get(), patience), "the predecessor ends after the commit");
  }
  const auto how = hit(where_.victim == side::predecessor ? pid : outcome_.pid);
  if (!how) {
    expect(outcome_.committed(),
           "an upgrade that nobody disturbs commits; it " + outcome_.to_string());
    expect(loads.reach(before_.generation + 1, patience), "the successor answers both kinds");
  } else {
    result_.struck = how->call;
    if (!where_.kills()) {
      judge_error();
    } else if (where_.victim == side::predecessor) {
      judge_predecessor(*how);
    } else {
      judge_successor();
    }
    if (result_.went != course::cold && result_.went != course::ended) {
      expect(loads.go_on(patience), "clients of both kinds are answered afterwards");
    }
  }
  judge_losses(loads.stop());
}

/// None if the victim has not reached the point; the fault will not strike any more then.
std::optional<fault_hit> attempt::hit(pid_t victim) {
  if (victim == 0) {
    expect(false, "the successor is spawned; the upgrade " + outcome_.to_string());
    return {};
  }
  const auto at_once = on_.faults().fired(victim, 0s);
  if (at_once || on_.faults().disarm(victim)) return at_once;
  return on_.faults().fired(victim, patience);
}

void attempt::judge_predecessor(const fault_hit& how) {
  // The kill may have hit that very call.
  const bool spawned = spawned_by_predecessor() > spawned_before_ &&
                       !(how.call == "clone" && where_.fault.when == fault::moment::before);
  const deadline until{patience};
  const auto now = on_.who_serves(until);
  if (!now) {
    result_.went = course::ended;
    expect(!until.passed(), "a process serves, or none is left");
    // A call is counted before it is made, and the kill may have come in between, in another
    // thread. A successor that was reported certainly exists.
    const bool certain = outcome_.pid != 0 || how.call == "clone";
    expect(!spawned || !certain, "the successor, which had been spawned, serves");
    return;
  }
  serving_ = now->generation;
  result_.went = serving_ == 1 ? course::cold : course::taken_over;
  expect(spawned, "only a successor that was spawned can serve");
  expect(now->pid != before_.pid, "the killed process does not serve");
  if (result_.went == course::cold) {
    const auto its = on_.faults().calls(static_cast<pid_t>(now->pid)).by_step;
    expect(!its.contains(fault::step::batch), "a successor with every socket does not start cold");
  } else {
    expect(serving_ == before_.generation + 1, "the next generation serves");
  }
}

void attempt::judge_successor() {
  const deadline until{patience};
  const auto now = on_.who_serves(until);
  if (!now) {
    result_.went = course::ended;
    expect(!until.passed(), "a process serves, or none is left");
    expect(outcome_.committed(),
           "the predecessor of a successor that was not committed keeps serving");
    return;
  }
  serving_ = now->generation;
  result_.went = course::kept;
  expect(!outcome_.committed(), "nobody serves whose successor was committed");
  expect(now->pid == before_.pid && serving_ == before_.generation,
         "the predecessor keeps serving");
  expect(outcome_.failed(), "the upgrade is reported as failed");
}

void attempt::judge_error() {
  const deadline until{patience};
  const auto now = on_.who_serves(until);
  if (!expect(now.has_value(), "a process serves, whatever call fails")) {
    result_.went = course::ended;
    return;
  }
  serving_ = now->generation;
  // If the failed call was part of the report, the report says only that.
  const bool told = outcome_.code != graceful::errc::peer_gone;
  const bool committed = told ? outcome_.committed() : serving_ > before_.generation;
  expect(committed || outcome_.failed(), "the upgrade goes on, or is reported as failed");
  expect(serving_ == before_.generation + (committed ? 1 : 0), "that one serves that is said to");
  if (!committed) expect(now->pid == before_.pid, "the predecessor keeps serving");
  const bool ended = where_.victim == side::successor && !committed;
  result_.went = ended ? course::gave_up : course::coped;
}

void attempt::judge_losses(both_loads::totals seen) {
  result_.ok = seen.ok;
  result_.lost = seen.lost;
  result_.refused = seen.refused;
  result_.longest_silence = seen.longest_silence;
  const auto broken_before = result_.broken.size();
  if (result_.went == course::not_reached ||
      ((result_.went == course::kept || result_.went == course::gave_up) && !outcome_.ready())) {
    expect(seen.lost == 0, "nothing is lost");
  }
  const bool socket_lives = result_.went != course::cold && result_.went != course::ended;
  if (socket_lives) expect(seen.refused == 0, "nothing is refused");
  const auto most = result_.went == course::coped ? 1 : both_loads::clients;
  expect(seen.lost - seen.refused <= most,
         where_.kills() ? "at most one request of each client is lost with the killed process"
                        : "at most the request is lost whose call failed");
  if (result_.broken.size() > broken_before) {
    result_.details += outcome_.to_string() + "\n" + seen.to_string();
  }
}

void attempt::look_afterwards() {
  if (result_.went == course::ended) {
    if (!expect(on_.start_afresh(patience), "a server can be started on the same paths")) return;
    serving_ = 1;
  }
  both_loads loads{on_.site()};
  expect(loads.go_on(patience), "clients that come afterwards are answered");
  const auto next = on_.upgrade();
  if (expect(next.committed() && !next.failed(),
             "the next upgrade works; it " + next.to_string())) {
    expect(next.generation == serving_ + 1, "the next upgrade has the next generation");
    expect(loads.reach(next.generation, patience), "the next generation answers both kinds");
  }
  const auto seen = loads.stop();
  if (!expect(seen.lost == 0, "the next upgrade loses nothing"))
    result_.details += seen.to_string();
  const auto leaks = on_.site().leaks();
  expect(leaks == no_leaks, "nothing is left behind; but: " + leaks.to_string());
}

}  // namespace

const char* to_string(course what) {
  switch (what) {
    case course::not_reached:
      return "not reached";
    case course::coped:
      return "the process copes with the error";
    case course::gave_up:
      return "the successor gives up";
    case course::kept:
      return "the predecessor keeps serving";
    case course::taken_over:
      return "the successor serves";
    case course::cold:
      return "the successor starts cold";
    case course::ended:
      return "the only process that held the sockets is gone";
  }
  return "";
}

trial try_point(server_fixture& on, const point& where) { return attempt{on, where}.run(); }

}  // namespace graceful_stress
