// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "server_fixture.hpp"

#include "testing/process_table.hpp"
#include "upgrade_and_commit.hpp"

#include <algorithm>
#include <cerrno>
#include <random>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>

namespace graceful_stress {

using namespace graceful::testing;
using namespace std::chrono_literals;

namespace {

constexpr int pause_ms = 2;  // /proc has no events

/// Below the range from which connect(2) takes ports, so that a cold start finds it free.
std::uint16_t free_port() {
  std::random_device random;
  for (int attempt = 0; attempt < 100; ++attempt) {
    const auto port = static_cast<std::uint16_t>(20'000 + random() % 10'000);
    const graceful::unique_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      return port;
    }
  }
  throw std::runtime_error{"no port is free from 20000 to 30000"};
}

void keep_most(call_counts& most, const call_counts& now, const call_counts& earlier = {}) {
  for (const auto& [kind, count] : now) {
    const auto before = earlier.find(kind);
    auto& known = most[kind];
    known = std::max(known, count - (before == earlier.end() ? 0 : before->second));
  }
  std::erase_if(most, [](const auto& each) { return each.second == 0; });
}

}  // namespace

server_fixture::server_fixture(std::string server)
    : server_{std::move(server)}, port_{free_port()} {
  site_.emplace(deployment_params{
      .command = command("{control}"), .environment = faults_.environment(), .patience = patience});
}

std::vector<std::string> server_fixture::command(const std::string& control) const {
  return {server_,     "--listen",    "127.0.0.1:" + std::to_string(port_),
          "--control", control,       "--threads",
          "2",         "--probation", "200ms",
          "--drain",   "5s",          "--idle-grace",
          "1s"};
}

bool server_fixture::somebody_lives() const {
  const std::string mark = "GRACEFUL_TEST_SCENE=" + site_->directory() + '\0';
  const auto table = process_table();
  return std::any_of(table.begin(), table.end(), [&](const process_entry& each) {
    return each.state != 'Z' && environment_of(each.pid).find(mark) != std::string::npos;
  });
}

std::optional<graceful::server_status> server_fixture::who_serves(deadline until) {
  for (; !until.passed(); ::poll(nullptr, 0, pause_ms)) {
    // Checked first: a process that starts another one exists until the other one does.
    const bool lives = somebody_lives();
    auto client = graceful::control_client::connect(site_->control(), patience);
    if (client) {
      if (auto status = client->status(); status && status->state == "serving") return *status;
    }
    if (!lives) return {};
  }
  return {};
}

bool server_fixture::start_afresh(deadline until) {
  // Like the deployment, so that it has the same descriptors.
  process_options how{.environment = faults_.environment(), .attribute_output = true};
  how.environment["GRACEFUL_TEST_SCENE"] = site_->directory();
  afresh_.emplace(command(site_->control()), how);
  return afresh_->wait_for_output("ready: generation 1 ", until);
}

upgrade_outcome server_fixture::upgrade() {
  const auto predecessor = open_pidfd(static_cast<pid_t>(site_->status().pid));
  auto outcome = graceful_test::upgrade_and_commit(*site_);
  if (outcome.committed() && !wait_readable(predecessor.get(), patience)) {
    outcome.code = graceful::errc::timed_out;
    outcome.message = "the predecessor has not ended";
  }
  return outcome;
}

std::string server_fixture::report() {
  return site_->report() +
         (afresh_ ? "--- output of the server that was started afresh\n" + afresh_->output() : "");
}

recording record(server_fixture& on, int upgrades) {
  recording most;
  for (int i = 0; i < upgrades; ++i) {
    both_loads loads{on.site()};
    const auto before = static_cast<pid_t>(on.site().status().pid);
    const auto predecessor = open_pidfd(before);
    if (!loads.go_on(patience)) throw std::runtime_error{"the server does not answer"};
    const auto earlier = on.faults().calls(before).by_kind;
    const auto outcome = on.site().upgrade();
    if (!outcome.committed() || !wait_readable(predecessor.get(), patience)) {
      throw std::runtime_error{"an upgrade that nobody disturbs fails: " + outcome.to_string()};
    }
    keep_most(most.successor, on.faults().calls(outcome.pid).by_kind);
    keep_most(most.predecessor, on.faults().calls(before).by_kind, earlier);
    if (const auto seen = loads.stop(); seen.lost != 0) {
      throw std::runtime_error{"an upgrade that nobody disturbs loses requests:\n" +
                               seen.to_string()};
    }
  }
  return most;
}

}  // namespace graceful_stress
