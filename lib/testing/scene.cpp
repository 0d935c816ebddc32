// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/scene.hpp"

#include "testing/owned_children.hpp"
#include "testing/process_table.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <utility>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace graceful::testing {
namespace {

constexpr const char* process_mark = "GRACEFUL_TEST_SCENE";
constexpr std::size_t reported = 8UL * 1024;  // of each process: the end matters most

void reap_orphans() {
  for (const process_entry& entry : process_table()) {
    if (entry.parent == ::getpid() && entry.state == 'Z') reap_orphan(entry.pid);
  }
}

}  // namespace

scene::scene() : directory_{std::filesystem::temp_directory_path() / "graceful-XXXXXX"} {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || ::mkdtemp(directory_.data()) == nullptr) {
    throw std::system_error{errno, std::system_category(), directory_};
  }
  try {
    guardian_.emplace(std::string{process_mark} + "=" + directory_, directory_);
  } catch (...) {
    ::rmdir(directory_.c_str());
    throw;
  }
}

scene::~scene() {
  end();
  processes_.clear();
  if (keep_directory_) return;
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void scene::end() noexcept {
  for (process& p : processes_) p.signal(SIGKILL);
  for (process& p : processes_) p.wait_exit(std::chrono::seconds{10});
  try {
    end_left_behind();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s: the guardian ends what is left: %s\n", directory_.c_str(), e.what());
    guardian_->act();
  }
}

void scene::end_left_behind() {
  const deadline until{std::chrono::seconds{10}};
  // Repeats: a process that is being killed may have started another a moment before.
  for (auto left = left_behind(); !left.empty() && !until.passed(); left = left_behind()) {
    for (const auto& pidfd : left) send_signal(pidfd, SIGKILL);
    for (const auto& pidfd : left) wait_readable(pidfd.get(), until);
  }
  if (until.passed()) std::fprintf(stderr, "%s: a process does not die\n", directory_.c_str());
  reap_orphans();
}

process& scene::start(std::vector<std::string> argv, process_options options) {
  options.environment[process_mark] = directory_;
  if (options.user && ::chmod(directory_.c_str(), 0711) != 0) {
    throw std::system_error{errno, std::system_category(), directory_};
  }
  return processes_.emplace_back(std::move(argv), options);
}

std::string scene::path(std::string_view name) const {
  return directory_ + "/" + std::string{name};
}

bool scene::wait_all_gone(deadline until) {
  for (process& p : processes_) {
    if (!p.wait_exit(until)) return false;
  }
  for (auto left = left_behind(); !left.empty(); left = left_behind()) {
    for (const auto& pidfd : left) {
      if (!wait_readable(pidfd.get(), until)) return false;
    }
  }
  reap_orphans();
  return true;
}

std::string scene::report() {
  std::string text;
  for (process& p : processes_) {
    const auto status = p.wait_exit(std::chrono::seconds{0});
    text += "--- " + p.program() + ", pid " + std::to_string(p.pid()) + ", " + status.to_string() +
            "\n";
    const std::string output = p.output();
    text += output.substr(output.size() - std::min(output.size(), reported));
  }
  return text;
}

struct scene::found {
  pid_t pid;
  graceful::unique_fd pidfd;
  bool leaving;
};

std::vector<scene::found> scene::marked() const {
  const std::string text = std::string{process_mark} + "=" + directory_ + '\0';
  std::vector<found> result;
  for (const process_entry& entry : process_table()) {
    // Opened before the environment is read: if the pid is reused in between, this pidfd means the
    // process that has gone, never another one. The pidfd of an ended process is readable; the
    // state 'Z' may mean only that the first thread has ended.
    graceful::unique_fd pidfd = open_pidfd(entry.pid);
    if (!pidfd && errno != ESRCH) {
      throw std::system_error{errno, std::system_category(), "pidfd_open"};
    }
    if (!pidfd || wait_readable(pidfd.get(), std::chrono::seconds{0})) continue;
    const std::string environment = environment_of(entry.pid);
    // An orphan that is exiting has released its memory, but may still hold its descriptors. An
    // empty environment alone does not make a process ours: a child of the test may have none, or
    // hide it.
    const bool leaving = environment.empty() && entry.parent == ::getpid() &&
                         !owns_child(entry.pid) && is_exiting(entry.pid);
    if (leaving || environment.find(text) != environment.npos) {
      result.push_back({entry.pid, std::move(pidfd), leaving});
    }
  }
  return result;
}

std::vector<pid_t> scene::living() const {
  std::vector<pid_t> result;
  for (const found& each : marked()) {
    if (!each.leaving) result.push_back(each.pid);
  }
  return result;
}

std::vector<graceful::unique_fd> scene::left_behind() const {
  std::vector<graceful::unique_fd> result;
  for (auto all = marked(); found & each : all) {
    if (!owns_child(each.pid)) result.push_back(std::move(each.pidfd));
  }
  return result;
}

}  // namespace graceful::testing
