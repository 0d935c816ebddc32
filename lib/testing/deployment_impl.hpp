// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/census.hpp>
#include <graceful/testing/deployment.hpp>

#include "testing/event_stream.hpp"
#include "testing/generations.hpp"
#include "testing/scene.hpp"
#include "testing/timeline.hpp"
#include "testing/upgrade_run.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace graceful::testing {

class deployment::impl {
 public:
  explicit impl(deployment_params params);
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;
  [[nodiscard]] std::string expanded(std::string text) const;
  [[nodiscard]] result<control_client> connect() const;

  /// Calls the server on behalf of the test. The timeline records the call and an error.
  template <class Call>
  auto tell(const std::string& what, Call call) -> decltype(call(std::declval<control_client&>()));

  [[nodiscard]] upgrade_request to_request(const upgrade_params& with) const;
  std::shared_ptr<upgrade_run> start(const upgrade_params& with);

  // Defined in leaks.cpp.
  void take_reference();
  leak_report leaks(deadline until);

  [[nodiscard]] std::string report() const;

  /// What a process at rest holds, and the paths that exist.
  struct holdings {
    census held;
    std::size_t unmarked{};  ///< Descriptors without CLOEXEC.
    std::size_t children{};
    std::vector<pid_t> strays;  ///< Processes that are neither a generation nor a descendant of
                                ///< this process.
    std::set<std::string> paths;

    friend bool operator==(const holdings&, const holdings&) = default;
  };

  deployment_params params;
  timeline events;
  generations known{events};

 private:
  struct running_upgrade {
    std::shared_ptr<upgrade_run> run;
    std::jthread thread;
  };

  std::atomic<pid_t> committed_{};  // the newest one that serves because of an upgrade here
  std::mutex upgrades_mutex_;
  std::vector<running_upgrade> upgrades_;  // ended ones are removed when the next begins

 public:
  std::optional<event_stream> stream;
  // Declared after all threads that wait for servers, so that the servers end first.
  testing::scene scene;
  const std::string control;
  process* server = nullptr;
  server_status first;

 private:
  [[nodiscard]] holdings take_holdings(pid_t pid) const;
  std::optional<pid_t> at_rest(deadline until, std::string& why_not);
  holdings settled(pid_t pid, const holdings* wanted, deadline until) const;

  std::mutex reference_mutex_;
  holdings reference_;
};

template <class Call>
auto deployment::impl::tell(const std::string& what, Call call)
    -> decltype(call(std::declval<control_client&>())) {
  events.add("test", what);
  auto client = connect();
  if (!client) {
    events.add("test", what + ": " + client.error().message);
    return client.error();
  }
  auto outcome = call(*client);
  if (!outcome) events.add("test", what + ": " + outcome.error().message);
  return outcome;
}

}  // namespace graceful::testing
