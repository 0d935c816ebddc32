// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "testing/shim/calls.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// What the shim and the kit share: a file for each process, which both map. Only headers, and
/// nothing that needs a C++ library at run time, because the shim is loaded into any program.
namespace graceful::testing::shim {

/// Names the directory of the files, each named by its pid. Successors inherit it.
inline constexpr const char* directory_variable = "GRACEFUL_TESTING_FAULTS";

/// A fault as text, for the process that is started with it. The shim removes it from the
/// environment, so that no successor inherits it.
inline constexpr const char* fault_variable = "GRACEFUL_TESTING_FAULT";

/// What a system call does; `any` counts all calls.
enum class kind : std::uint8_t {
  any,
#define GRACEFUL_SHIM_KIND(name, ...) name,
#define GRACEFUL_SHIM_NOTHING(...)
  GRACEFUL_SHIM_CALLS(GRACEFUL_SHIM_KIND, GRACEFUL_SHIM_NOTHING)
};

inline constexpr std::array kind_names{
    std::string_view{"any"},
#define GRACEFUL_SHIM_NAME(name, ...) std::string_view{#name},
    GRACEFUL_SHIM_CALLS(GRACEFUL_SHIM_NAME, GRACEFUL_SHIM_NOTHING)
#undef GRACEFUL_SHIM_KIND
#undef GRACEFUL_SHIM_NAME
#undef GRACEFUL_SHIM_NOTHING
};

/// A message of the handoff, by its name in wire/handoff_messages.hpp. Calls are even, and the
/// reply to each follows it.
enum class step : std::uint8_t { begin, begun, fetch, batch, ready, readied, settle, settled };

inline constexpr std::array<std::string_view, 8> step_names{
    "begin", "begun", "fetch", "batch", "ready", "readied", "settle", "settled"};

enum class action : std::uint8_t { kill, stop, crash, unreachable, fail };
inline constexpr std::array<std::string_view, 5> action_names{"kill", "stop", "crash",
                                                              "unreachable", "fail"};

enum class moment : std::uint8_t { before, after };
inline constexpr std::array<std::string_view, 2> moment_names{"before", "after"};

/// A point in the run of a process: a kind of call, or a step of the handoff.
struct point {
  bool is_step;
  std::uint8_t code;  // a kind or a step
  moment when;
};

/// A fault as one word, so that single atomic operations arm it, count it down and take it. 0: none
/// is armed. Otherwise, from the lowest bit on: how many times the point has yet to be passed (32
/// bits), the code (8), is_step (1), moment (1), action (3), armed (1), taken (1), errno (12).
using armed_word = std::uint64_t;

inline constexpr std::uint64_t most_error = 4095;  // MAX_ERRNO of the kernel

constexpr armed_word encode(point where, action what, std::uint32_t count, std::uint64_t error) {
  return armed_word{count} | armed_word{where.code} << 32 | armed_word{where.is_step} << 40 |
         static_cast<armed_word>(where.when) << 41 | static_cast<armed_word>(what) << 42 |
         armed_word{1} << 45 | armed_word{error} << 47;
}
constexpr std::uint32_t count_of(armed_word word) { return static_cast<std::uint32_t>(word); }
constexpr point point_of(armed_word word) {
  return {(word >> 40 & 1) != 0, static_cast<std::uint8_t>(word >> 32),
          static_cast<moment>(word >> 41 & 1)};
}
constexpr action action_of(armed_word word) { return static_cast<action>(word >> 42 & 7); }
constexpr int error_of(armed_word word) { return static_cast<int>(word >> 47 & most_error); }

/// What remains of a fault whose time has come, until another is armed: it strikes, or has struck,
/// and cannot be revoked. The operation that takes the fault writes this too, so that it is always
/// seen as either armed or struck.
constexpr armed_word taken(armed_word word) { return word | armed_word{1} << 46; }
constexpr bool is_taken(armed_word word) { return (word >> 46 & 1) != 0; }

template <std::size_t N>
constexpr std::size_t index_of(const std::array<std::string_view, N>& names,
                               std::string_view name) {
  std::size_t i = 0;
  while (i < N && names[i] != name) ++i;
  return i;
}

/// A number of at most nine digits; none otherwise.
constexpr bool read_number(std::string_view text, std::uint64_t& number) {
  number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return !text.empty() && text.size() < 10;
}

/// "kill before call accept4 3", "stop after step ready 1", "fail:24 before call socket 1"; 0 if
/// the text is not a fault.
constexpr armed_word parse_fault(std::string_view text) {
  std::array<std::string_view, 5> words{};
  for (std::string_view& word : words) {
    const auto end = std::min(text.find(' '), text.size());
    word = {text.data(), end};  // substr() may throw, which would need the C++ library
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const auto colon = std::min(words[0].find(':'), words[0].size());
  const auto what = index_of(action_names, {words[0].data(), colon});
  const auto when = index_of(moment_names, words[1]);
  const bool is_step = words[2] == "step";
  const auto code = is_step ? index_of(step_names, words[3]) : index_of(kind_names, words[3]);
  std::uint64_t count = 0;
  std::uint64_t error = 0;
  const bool fails = what == static_cast<std::size_t>(action::fail);
  if (colon < words[0].size()) {
    words[0].remove_prefix(colon + 1);
    if (!fails || !read_number(words[0], error) || error > most_error) return 0;
  }
  // A call that has been made cannot fail any more, and a step is not a call.
  if (fails != (error != 0) || (fails && (is_step || words[1] != moment_names[0]))) return 0;
  if (!read_number(words[4], count)) return 0;
  if (what == action_names.size() || when == moment_names.size() || count == 0 || !text.empty() ||
      (!is_step && words[2] != "call") || code == (is_step ? step_names.size() : kind_names.size()))
    return 0;
  return encode({is_step, static_cast<std::uint8_t>(code), static_cast<moment>(when)},
                static_cast<action>(what), static_cast<std::uint32_t>(count), error);
}

inline constexpr std::uint32_t striking = 1;
inline constexpr std::uint32_t done = 2;

inline constexpr std::uint64_t file_magic = 0x33'74'6c'75'61'66'72'67;  // "grfault3"

/// How many of the last calls are remembered.
inline constexpr std::size_t remembered_calls = 65536;

/// The file. Everything except the header may change at any time, each member on its own and in any
/// order, unless stated otherwise.
struct fault_file {
  // The header: written before the file gets its name.
  std::uint64_t magic;
  std::uint64_t start_time;  // of the process, proc_pid_stat(5): another process may have the same
                             // pid
  std::int64_t pid;

  /// Written by the kit, and by the shim, which counts it down and marks it as taken.
  std::atomic<armed_word> armed;

  /// The fault that has struck, as it was when it was taken, and after how many calls in all.
  /// Written before `struck`.
  std::atomic<armed_word> struck_fault;
  std::atomic<std::uint64_t> struck_call;
  std::atomic<std::uint32_t> struck_kind;
  /// 0: none has struck since the kit armed one; then `striking`, and `done` if the process goes
  /// on. A futex(2), which the shim wakes.
  std::atomic<std::uint32_t> struck;

  /// The number of all calls. The n-th, counted from 0, has left its kind in recent[n %
  /// remembered_calls].
  std::atomic<std::uint64_t> calls;
  std::array<std::atomic<std::uint64_t>, kind_names.size()> calls_by_kind;
  std::array<std::atomic<std::uint64_t>, step_names.size()> steps;
  std::array<std::atomic<std::uint8_t>, remembered_calls> recent;
};

static_assert(std::atomic<armed_word>::is_always_lock_free &&
              std::atomic<std::uint32_t>::is_always_lock_free &&
              std::atomic<std::uint8_t>::is_always_lock_free);

}  // namespace graceful::testing::shim
