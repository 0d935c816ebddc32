// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/phases.hpp>
#include <graceful/testing/http_connection.hpp>
#include <graceful/testing/scenario.hpp>

#include "testing/listener_host.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include <signal.h>

namespace graceful::testing::scenario {
namespace {

constexpr std::uint64_t some_requests = 20;
constexpr std::string_view request_ends = "Host: test\r\n\r\n";

/// A running scenario: its loads, and what has been expected so far.
class play {
 public:
  play(std::string name, deployment& site, const params& with)
      : site_{site}, with_{with}, result_{std::move(name)}, before_{site.generation()} {
    if (with.connections <= 0) return;
    for (const bool keep_alive : {true, false}) {
      loads_.push_back(site.start_http_load({.connections = with.connections,
                                             .keep_alive = keep_alive,
                                             .path = with.path,
                                             .served_by = with.served_by}));
    }
    for (load& each : loads_) expect(answers(each), "the server answers", "it does not");
    names_generations_ = loads_.back().wait_for_generation(before_, 1, std::chrono::seconds{0});
  }

  bool expect(bool met, const std::string& what, const std::string& seen) {
    return result_.expect(met, what, seen);
  }

  /// A deploy that must commit. Its probation is cut short: the new process serves by then.
  void deploy() {
    const std::uint64_t next = site_.generation() + 1;
    const auto run = site_.start_upgrade(with_.upgrade);
    if (run.wait_for(phases::ready, site_.patience())) {
      serves(next);
      if (!run.so_far().committed()) (void)site_.commit();  // unless it commits by itself meanwhile
    }
    const auto outcome = run.wait(site_.patience());
    expect(outcome.committed(), "the deploy of generation " + std::to_string(next) + " commits",
           outcome.to_string());
  }

  /// Expects that both loads go on, and that new clients reach this generation, if replies name
  /// theirs.
  void serves(std::uint64_t generation) {
    if (loads_.empty()) return;
    const std::string its_name = "generation " + std::to_string(generation);
    for (load& each : loads_) {
      expect(answers(each), "clients are answered while " + its_name + " serves", "they are not");
    }
    load who_comes = site_.start_http_load(
        {.connections = 1, .keep_alive = false, .path = with_.path, .served_by = with_.served_by});
    constexpr std::uint64_t nothing = 0;
    const bool met =
        names_generations_
            ? who_comes.wait_for_generation(generation, some_requests, site_.patience(), nothing)
            : who_comes.wait_for(some_requests, site_.patience(), nothing);
    const auto seen = who_comes.stop();
    site_.remember(seen, "new client");
    expect(met && seen.lost() == 0, its_name + " answers who comes", seen.to_string());
  }

  /// A successor that is ready, and in probation.
  std::optional<pending_upgrade> on_probation() {
    const auto run = site_.start_upgrade(with_.upgrade);
    const bool ready = run.wait_for(phases::ready, site_.patience());
    const auto so_far = run.so_far();
    if (!expect(ready, "the new process becomes ready", so_far.to_string())) return {};
    if (!expect(site_.status().state == "probation", "the new process is in probation",
                "it is not: start the server with one (options::probation) for this")) {
      return {};
    }
    return run;
  }

  /// Expects the upgrade `run` to fail, and the previous generation to keep serving.
  void serves_as_before() {
    serves(before_);
    const auto status = site_.status();
    expect(status.generation == before_ && status.state == "serving",
           "generation " + std::to_string(before_) + " keeps serving",
           "generation " + std::to_string(status.generation) + " is in the state '" + status.state +
               "'");
  }

  [[nodiscard]] std::uint64_t before() const { return before_; }

  /// `may_lose`: the number of requests that each load may lose.
  scenario_result end(std::uint64_t may_lose = 0) {
    for (load& each : loads_) {
      const auto seen = each.stop();
      site_.remember(seen, &each == &loads_.front() ? "kept load" : "connecting load");
      expect(seen.lost() <= may_lose && seen.refused == 0,
             may_lose == 0 ? "no request is lost"
                           : "at most " + std::to_string(may_lose) +
                                 " requests are lost, and none is refused",
             seen.to_string());
    }
    loads_.clear();
    const auto leaks = site_.leaks();
    expect(leaks == no_leaks, "nothing is left behind", leaks.to_string());
    return give_up();
  }

  scenario_result give_up() {
    loads_.clear();
    if (!result_.passed()) result_.explain(site_.report());
    return std::move(result_);
  }

 private:
  /// A load that has already lost more than any scenario allows need not be waited for.
  bool answers(load& clients) const {
    const auto may_lose = some_requests + static_cast<std::uint64_t>(with_.connections);
    return clients.wait_for(some_requests, site_.patience(), may_lose);
  }

  deployment& site_;
  const params& with_;
  scenario_result result_;
  std::uint64_t before_;
  bool names_generations_ = false;
  std::vector<load> loads_;
};

/// An exception breaks a promise too: the server does not answer any more.
template <class Body>
scenario_result act(const char* name, deployment& site, const params& with, Body body) {
  std::string why;
  try {
    play it{name, site, with};
    return body(it);
  } catch (const request_lost& failure) {
    why = failure.why;
  } catch (const std::exception& e) {
    why = e.what();
  }
  scenario_result result{name};
  result.expect(false, "the server answers", why);
  result.explain(site.report());
  return result;
}

std::string to_string(const result<void>& outcome) {
  return outcome ? "done" : outcome.error().message;
}

}  // namespace

scenario_result good_deploy(deployment& site, const params& with) {
  return act("good deploy", site, with, [&](play& it) {
    it.deploy();
    return it.end();
  });
}

scenario_result bad_binary(deployment& site, const params& with) {
  return act("bad binary", site, with, [&](play& it) {
    const auto outcome = site.upgrade({.command = {"/bin/false"}});
    it.expect(outcome.failed() && !outcome.ready() && !outcome.busy(),
              "the deploy of a bad program fails", outcome.to_string());
    it.serves_as_before();
    it.deploy();
    return it.end();
  });
}

scenario_result crash_in_probation(deployment& site, const params& with) {
  return act("crash in probation", site, with, [&](play& it) {
    const auto run = it.on_probation();
    if (!run) return it.give_up();
    it.serves(it.before() + 1);
    site.kill(it.before() + 1, SIGKILL);
    const auto outcome = run->wait(site.patience());
    it.expect(outcome.rolled_back(), "the deploy is rolled back", outcome.to_string());
    it.serves_as_before();
    return it.end(static_cast<std::uint64_t>(std::max(with.connections, 0)));
  });
}

scenario_result rollback(deployment& site, const params& with) {
  return act("rollback", site, with, [&](play& it) {
    const auto run = it.on_probation();
    if (!run) return it.give_up();
    it.serves(it.before() + 1);
    const auto asked = site.rollback();
    it.expect(asked.has_value(), "the server takes the order to roll back", to_string(asked));
    const auto outcome = run->wait(site.patience());
    it.expect(outcome.rolled_back(), "the deploy is rolled back", outcome.to_string());
    it.serves_as_before();
    return it.end();
  });
}

scenario_result double_deploy(deployment& site, const params& with) {
  return act("double deploy", site, with, [&](play& it) {
    const auto run = it.on_probation();
    if (!run) return it.give_up();
    const auto second = site.upgrade(with.upgrade);
    it.expect(second.busy(), "a second deploy is told that one runs", second.to_string());
    const auto asked = site.commit();
    it.expect(asked.has_value(), "the server takes the order to commit", to_string(asked));
    const auto outcome = run->wait(site.patience());
    it.expect(outcome.committed(), "the first deploy commits", outcome.to_string());
    it.serves(it.before() + 1);
    return it.end();
  });
}

scenario_result deploy_storm(deployment& site, const params& with) {
  return act("deploy storm", site, with, [&](play& it) {
    for (int i = 0; i < with.deploys; ++i) it.deploy();
    return it.end();
  });
}

scenario_result deploy_while_draining(deployment& site, const params& with) {
  return act("deploy while draining", site, with, [&](play& it) {
    // Stopped in the middle of its second request: its generation drains until that is answered.
    const std::string request_begins = "GET " + with.path + " HTTP/1.1\r\n";
    http_connection held{resolve(host_to_connect_to(site.address()), site.port(), site.patience()),
                         0};
    held.exchange(request_begins + std::string{request_ends});
    held.send(request_begins);
    it.deploy();
    const auto draining = site.status().draining;
    it.expect(!draining.empty(), "the first generation drains while it has a client",
              "it has ended");
    it.deploy();
    try {
      held.exchange(request_ends);
      it.expect(true, "the old generation's client gets its answer", {});
    } catch (const request_lost& failure) {
      it.expect(false, "the old generation's client gets its answer", failure.why);
    }
    it.expect(site.wait_gone(it.before()), "the old generation ends then", "it lives");
    return it.end();
  });
}

const std::vector<entry>& all() {
  static const std::vector<entry> table{
      {"good deploy", good_deploy},
      {"bad binary", bad_binary},
      {"crash in probation", crash_in_probation},
      {"rollback", rollback},
      {"double deploy", double_deploy},
      {"deploy storm", deploy_storm},
      {"deploy while draining", deploy_while_draining},
  };
  return table;
}

}  // namespace graceful::testing::scenario
