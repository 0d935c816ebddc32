// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/generations.hpp"

#include <graceful/testing/process.hpp>

#include "testing/blocked_signals.hpp"
#include "testing/owned_children.hpp"
#include "testing/process_table.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <system_error>

namespace graceful::testing {
namespace {

constexpr int descriptor_look_interval = 50;  // ms: no event reports that a descriptor is free

/// Only a child's end is known. An orphan has become a child, unless its parent is alive or has
/// reaped it. Reaps it here, as thousands of upgrades would otherwise leave as many zombies; but
/// never a child that an object owns.
std::string end_of(pid_t pid) {
  const auto how = reap_orphan(pid);
  if (!how) return "ended";
  return exit_status{how->si_code != CLD_EXITED, how->si_status}.to_string();
}

bool is_stopped(pid_t pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
  const std::string stat{std::istreambuf_iterator<char>{file}, {}};
  const auto end_of_name = stat.rfind(") ");
  return end_of_name != stat.npos && stat.compare(end_of_name + 2, 1, "T") == 0;
}

}  // namespace

generations::generations(timeline& into) : into_{into}, changed_{::eventfd(0, EFD_CLOEXEC)} {
  if (!changed_) throw std::system_error{errno, std::system_category(), "eventfd"};
  const blocked_signals in_the_thread;
  watcher_ = std::jthread{[this] { watch(); }};
}

generations::~generations() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  ::eventfd_write(changed_.get(), 1);
}

void generations::add(std::uint64_t number, pid_t pid) {
  const std::lock_guard lock{mutex_};
  const bool known = std::any_of(watched_.begin(), watched_.end(), [&](const watched& each) {
    return each.who.pid == pid && each.who.number == number;
  });
  if (known) return;
  graceful::unique_fd pidfd = open_pidfd(pid);
  const bool gone = !pidfd && errno == ESRCH;
  into_.add("generation " + std::to_string(number),
            "is pid " + std::to_string(pid) + (gone ? ", which has ended" : ""));
  watched_.push_back({{number, pid, gone ? "ended" : ""}, std::move(pidfd)});
  ::eventfd_write(changed_.get(), 1);
}

const generations::watched& generations::newest(std::uint64_t number) const {
  const auto found = std::find_if(watched_.rbegin(), watched_.rend(),
                                  [&](const watched& each) { return each.who.number == number; });
  if (found == watched_.rend()) {
    throw std::out_of_range{"there is no generation " + std::to_string(number)};
  }
  return *found;
}

pid_t generations::pid(std::uint64_t number) const {
  const std::lock_guard lock{mutex_};
  return newest(number).who.pid;
}

bool generations::signal(std::uint64_t number, int signal) {
  const std::lock_guard lock{mutex_};
  const watched& target = newest(number);
  return target.who.end.empty() && send_signal(target.pidfd, signal);
}

bool generations::wait_stopped(std::uint64_t number, deadline until) {
  const pid_t its_pid = pid(number);
  // Only a parent is told of a stop, and /proc has no events.
  while (!is_stopped(its_pid)) {
    if (until.passed() || wait_ended(its_pid, std::chrono::milliseconds{5})) return false;
  }
  return true;
}

bool generations::wait_ended(pid_t pid, deadline until) {
  std::unique_lock lock{mutex_};
  return ended_.wait_until(lock, until.when(), [&] {
    return std::all_of(watched_.begin(), watched_.end(), [&](const watched& each) {
      return each.who.pid != pid || !each.who.end.empty();
    });
  });
}

std::vector<generations::member> generations::members() const {
  const std::lock_guard lock{mutex_};
  std::vector<member> result;
  for (const watched& each : watched_) result.push_back(each.who);
  return result;
}

std::string generations::name_of(pid_t pid) const {
  const std::lock_guard lock{mutex_};
  // The newest one: the pid of a reaped process may be reused.
  const auto found = std::find_if(watched_.rbegin(), watched_.rend(),
                                  [&](const watched& each) { return each.who.pid == pid; });
  return found != watched_.rend() ? "generation " + std::to_string(found->who.number)
                                  : "pid " + std::to_string(pid);
}

void generations::watch() {
  for (;;) {
    std::vector<pollfd> entries{{changed_.get(), POLLIN, 0}};
    std::vector<std::size_t> places{0};  // in watched_, of each entry but the first
    bool blind = false;                  // there was no free descriptor for one
    {
      const std::lock_guard lock{mutex_};
      if (stopping_) return;
      for (std::size_t i = 0; i < watched_.size(); ++i) {
        auto& [who, pidfd] = watched_[i];
        if (!who.end.empty()) continue;
        if (!pidfd) pidfd = open_pidfd(who.pid);
        if (!pidfd && errno == ESRCH) {
          ended(watched_[i]);
        } else if (!pidfd) {
          blind = true;
        } else {
          entries.push_back({pidfd.get(), POLLIN, 0});
          places.push_back(i);
        }
      }
    }
    if (::poll(entries.data(), entries.size(), blind ? descriptor_look_interval : -1) < 0) continue;
    if (entries[0].revents != 0) {
      eventfd_t ignored{};
      ::eventfd_read(changed_.get(), &ignored);
    }
    const std::lock_guard lock{mutex_};
    for (std::size_t i = 1; i < entries.size(); ++i) {
      if (entries[i].revents != 0) ended(watched_[places[i]]);
    }
  }
}

void generations::ended(watched& which) {
  auto& [who, pidfd] = which;
  who.end = end_of(who.pid);
  pidfd.reset();
  into_.add("generation " + std::to_string(who.number),
            "pid " + std::to_string(who.pid) + " " + who.end);
  ended_.notify_all();
}

}  // namespace graceful::testing
