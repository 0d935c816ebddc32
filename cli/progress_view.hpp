// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/control_client.hpp>

#include "style.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace graceful::cli {

/// How progress is shown: as the server's own JSON, in lines, or in lines with a live one below.
enum class form { json, lines, live };

/// The output of an upgrade or a drain: events, times and a width in, text out. No I/O and no
/// clock.
class progress_view {
 public:
  using time = std::chrono::steady_clock::time_point;

  /// The live line shows `awaited` until something else is awaited.
  progress_view(form f, style s, time begin, std::string awaited);

  // Each returns what is printed for good: a line, or nothing.
  std::string on(const upgrade_phase& phase, time now);
  std::string on(const drain_progress& progress, time now);
  std::string on(const std::optional<draining_process>& old, time now);  ///< None: it has ended.

  void await(std::string what);  ///< Empty: nothing more.

  /// The live line, without a line break and always shorter than `width`: after its last column a
  /// terminal may go to the next line. Empty in the other forms, and when everything is over.
  [[nodiscard]] std::string live(time now, std::size_t width) const;

  [[nodiscard]] form shown_as() const { return form_; }

 private:
  struct draining {
    std::uint64_t most;  // most connections at one time
    std::uint64_t left;
    std::uint64_t cut;
  };

  form form_;
  style style_;
  time begin_;
  std::string awaited_;
  std::string successor_ = "the new process";  // until its pid or generation is known
  std::optional<draining> drain_;
};

}  // namespace graceful::cli
