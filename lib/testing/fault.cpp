// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing/fault.hpp>

#include "testing/fault_variable.hpp"
#include "testing/faulty_process.hpp"
#include "testing/guardian.hpp"
#include "testing/shim/fault_file.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include <system_error>
#include <unistd.h>

namespace graceful::testing {
namespace {

namespace fs = std::filesystem;

/// How long a new process may take to load the shim.
constexpr std::chrono::seconds loading_time{10};

std::string find_shim() {
  const char* told = std::getenv("GRACEFUL_TESTING_SHIM");
  std::string path = told == nullptr ? GRACEFUL_TESTING_SHIM_PATH : told;
  if (::access(path.c_str(), R_OK) != 0) {
    throw std::runtime_error{"the fault shim is not at " + path +
                             (told == nullptr ? ", where it was to be installed; "
                                              : ", as GRACEFUL_TESTING_SHIM says; ") +
                             "set GRACEFUL_TESTING_SHIM to the path of graceful-testing-shim.so"};
  }
  return path;
}

std::string make_directory() {
  std::string path = fs::temp_directory_path() / "graceful-faults-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    throw std::system_error{errno, std::system_category(), path};
  }
  return path;
}

shim::armed_word encoded(const fault& what) {
  const std::string text = what.to_string();
  const auto word = shim::parse_fault(text);
  if (word == 0) {
    throw std::invalid_argument{
        "no fault: " + text +
        "; is there such a call, is the count at least 1, and has what fails an error?"};
  }
  return word;
}

std::string describe(shim::armed_word word) {
  const auto where = shim::point_of(word);
  const auto what = static_cast<fault::action>(shim::action_of(word));
  const auto when = static_cast<fault::moment>(where.when);
  const auto count = shim::count_of(word);
  auto found = where.is_step
                   ? fault::at_step(static_cast<fault::step>(where.code), what, when, count)
                   : fault::at_call(shim::kind_names.at(where.code), count, what, when);
  found.error = shim::error_of(word);
  return found.to_string();
}

}  // namespace

std::string fault::to_string() const {
  const auto* at = std::get_if<step>(&where);
  std::string text{shim::action_names.at(static_cast<std::size_t>(what))};
  if (what == action::fail) text += ':' + std::to_string(error);
  text += ' ';
  text += shim::moment_names.at(static_cast<std::size_t>(when));
  text += at != nullptr ? " step " : " call ";
  text += at != nullptr ? shim::step_names.at(static_cast<std::size_t>(*at))
                        : std::string_view{std::get<std::string>(where)};
  return text + ' ' + std::to_string(count);
}

std::pair<std::string, std::string> variable_for(const fault& what) {
  (void)encoded(what);
  return {shim::fault_variable, what.to_string()};
}

fault_injector::fault_injector() : shim_{find_shim()}, directory_{make_directory()} {
  try {
    guardian_ = std::make_unique<guardian>(std::string{shim::directory_variable} + "=" + directory_,
                                           directory_);
  } catch (...) {
    ::rmdir(directory_.c_str());
    throw;
  }
}

fault_injector::~fault_injector() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

std::map<std::string, std::string> fault_injector::environment(
    std::map<std::string, std::string> added) const {
  const char* inherited = std::getenv("LD_PRELOAD");
  const auto given = added.find("LD_PRELOAD");
  const std::string others =
      given != added.end() ? given->second : std::string{inherited == nullptr ? "" : inherited};
  added["LD_PRELOAD"] = others.empty() ? shim_ : others + ":" + shim_;
  added[shim::directory_variable] = directory_;
  return added;
}

void fault_injector::arm(pid_t pid, const fault& what) {
  const auto word = encoded(what);
  process_of(pid, loading_time).arm(word);
}

bool fault_injector::disarm(pid_t pid) { return process_of(pid, loading_time).disarm(); }

std::optional<fault_hit> fault_injector::fired(pid_t pid, deadline until) {
  faulty_process& its = process_of(pid, until);
  if (!its.wait_until_struck(until) || !its.wait_until_done(until)) return std::nullopt;
  const auto& shared = its.shared();
  const auto word = shared.struck_fault.load();
  return fault_hit{.fault = describe(word),
                   .call = std::string{shim::kind_names.at(shared.struck_kind.load())},
                   .calls = shared.struck_call.load()};
}

call_trace fault_injector::calls(pid_t pid) {
  const auto& shared = process_of(pid, loading_time).shared();
  call_trace seen;
  seen.calls = shared.calls.load();
  seen.first = seen.calls - std::min<std::uint64_t>(seen.calls, shim::remembered_calls);
  for (auto number = seen.first; number < seen.calls; ++number) {
    const auto kind = shared.recent[number % shim::remembered_calls].load();
    seen.sequence.emplace_back(shim::kind_names.at(kind));
  }
  for (std::size_t kind = 0; kind < shim::kind_names.size(); ++kind) {
    const auto count = shared.calls_by_kind[kind].load();
    if (count > 0) seen.by_kind.emplace(shim::kind_names[kind], count);
  }
  for (std::size_t step = 0; step < shim::step_names.size(); ++step) {
    const auto count = shared.steps[step].load();
    if (count > 0) seen.by_step.emplace(static_cast<fault::step>(step), count);
  }
  return seen;
}

std::vector<pid_t> fault_injector::processes() const {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator{directory_}) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc{} && end == name.data() + name.size()) found.push_back(pid);
  }
  return found;
}

std::vector<std::string> fault_injector::kinds() {
  return {shim::kind_names.begin(), shim::kind_names.end()};
}

faulty_process& fault_injector::process_of(pid_t pid, deadline until) {
  auto& its = processes_[pid];
  if (its && its->superseded()) its.reset();
  if (!its) its = faulty_process::wait_for(directory_, pid, until);
  if (!its) {
    processes_.erase(pid);
    throw std::runtime_error{"process " + std::to_string(pid) +
                             " has not loaded the fault shim: is it statically linked, or was it "
                             "started without fault_injector::environment()?"};
  }
  return *its;
}

}  // namespace graceful::testing
