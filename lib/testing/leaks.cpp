// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/deployment_impl.hpp"
#include "testing/process_table.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <stdexcept>

#include <poll.h>
#include <system_error>

namespace graceful::testing {
namespace {

constexpr int pause_ms = 5;  // /proc has no events

bool descends_from(pid_t process, pid_t ancestor, const std::map<pid_t, pid_t>& parents) {
  for (auto at = parents.find(process); at != parents.end(); at = parents.find(at->second)) {
    if (at->second == ancestor) return true;
  }
  return false;
}

std::map<pid_t, pid_t> parents_of_all() {
  std::map<pid_t, pid_t> parents;
  for (const process_entry& entry : process_table()) parents[entry.pid] = entry.parent;
  return parents;
}

void compare(leak_report& into, const char* what, std::size_t reference, std::size_t now) {
  if (now == reference) return;
  into.leaks.push_back(std::string{what} + ": " + std::to_string(now) + ", at first " +
                       std::to_string(reference));
}

}  // namespace

deployment::impl::holdings deployment::impl::take_holdings(pid_t pid) const {
  holdings result;
  result.held = take_census(pid);
  result.unmarked = descriptors_without_cloexec(pid).size();
  const auto parents = parents_of_all();
  for (const pid_t each : scene.living()) {
    if (descends_from(each, pid, parents)) {
      ++result.children;
    } else if (each != pid && !known.name_of(each).starts_with("generation ")) {
      result.strays.push_back(each);
    }
  }
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator{scene.directory(), ignored}) {
    result.paths.insert(entry.path().filename());
  }
  return result;
}

/// The serving process, once it is at rest apart from what it holds; none at the deadline.
std::optional<pid_t> deployment::impl::at_rest(deadline until, std::string& why_not) {
  for (;; ::poll(nullptr, 0, pause_ms)) {
    auto client = connect();
    const auto status = client ? client->status() : result<server_status>{client.error()};
    if (!status) {
      why_not = "no process serves: " + status.error().message;
      return {};
    }
    why_not = status->state == "probation" ? "the server is in the probation of an upgrade"
              : status->state != "serving" ? "the server is " + status->state
              : status->connections != 0
                  ? std::to_string(status->connections) +
                        (status->connections == 1 ? " connection is open" : " connections are open")
              : !status->draining.empty()
                  ? "generation " + std::to_string(status->draining[0].generation) + ", pid " +
                        std::to_string(status->draining[0].pid) + ", drains"
                  : std::string{};
    const auto pid = static_cast<pid_t>(status->pid);
    if (why_not.empty()) {
      if (stream->wait_watching(pid, until)) return pid;
      why_not = "Monitor does not run in pid " + std::to_string(pid);
    }
    if (until.passed()) return {};
  }
}

/// What a process holds, once that is as wanted, or has not changed for a while.
deployment::impl::holdings deployment::impl::settled(pid_t pid, const holdings* wanted,
                                                     deadline until) const {
  holdings last = take_holdings(pid);
  auto since = deadline::clock::now();
  while (!(wanted != nullptr && last == *wanted) && !until.passed() &&
         deadline::clock::now() - since < params.rest) {
    ::poll(nullptr, 0, pause_ms);
    holdings now = take_holdings(pid);
    if (now == last) continue;
    last = std::move(now);
    since = deadline::clock::now();
  }
  return last;
}

void deployment::impl::take_reference() {
  const deadline until{params.patience};
  std::string why_not;
  const auto pid = at_rest(until, why_not);
  if (!pid) throw std::runtime_error{"the server does not come to rest: " + why_not};
  holdings now = settled(*pid, nullptr, until);
  const std::lock_guard lock{reference_mutex_};
  reference_ = std::move(now);
}

leak_report deployment::impl::leaks(deadline until) {
  leak_report report;
  std::string why_not;
  const auto pid = at_rest(until, why_not);
  if (!pid) {
    report.leaks.push_back("the server does not come to rest: " + why_not);
    return report;
  }
  for (const auto& each : known.members()) {
    if (each.pid != *pid && !known.wait_ended(each.pid, until)) {
      report.leaks.push_back("generation " + std::to_string(each.number) + ", pid " +
                             std::to_string(each.pid) + ", still lives");
    }
  }
  const std::lock_guard lock{reference_mutex_};
  const holdings now = settled(*pid, &reference_, until);
  const auto before = report.leaks.size();
  compare(report, "descriptors", reference_.held.descriptors, now.held.descriptors);
  compare(report, "sockets", reference_.held.sockets, now.held.sockets);
  compare(report, "epoll entries", reference_.held.epoll_entries, now.held.epoll_entries);
  compare(report, "threads", reference_.held.threads, now.held.threads);
  compare(report, "zombies", reference_.held.zombies, now.held.zombies);
  compare(report, "child processes", reference_.children, now.children);
  if (report.leaks.size() > before) {
    std::string listing = "pid " + std::to_string(*pid) + " holds";
    for (const std::string& descriptor : now.held.listing) listing += "; " + descriptor;
    report.leaks.push_back(listing);
  }
  for (const int descriptor : descriptors_without_cloexec(*pid)) {
    report.leaks.push_back("descriptor " + std::to_string(descriptor) + " of pid " +
                           std::to_string(*pid) + " is not close-on-exec");
  }
  for (const std::string& path : now.paths) {
    if (!reference_.paths.contains(path)) report.leaks.push_back("the path " + path);
  }
  for (const pid_t each : now.strays) {
    report.leaks.push_back("the process " + std::to_string(each) + " still lives");
  }
  if (!report.leaks.empty()) events.add("test", "leaks: " + report.to_string());
  return report;
}

}  // namespace graceful::testing
