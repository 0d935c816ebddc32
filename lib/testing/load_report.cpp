// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing/load_report.hpp>

#include <sstream>

namespace graceful::testing {
namespace {

const char* name_of(loss how) {
  switch (how) {
    case loss::refused:
      return "refused";
    case loss::reset:
      return "reset";
    case loss::cut_short:
      return "cut_short";
    case loss::timed_out:
      return "timed_out";
    case loss::other:
      break;
  }
  return "other";
}

}  // namespace

std::string load_failure::to_string() const {
  return std::string{name_of(how)} + ": " + why + " (after " + std::to_string(after.count()) +
         " ms, " + std::to_string(ok_before) + " ok)";
}

std::uint64_t load_report::lost() const { return refused + reset + cut_short + timed_out + other; }

std::uint64_t load_report::served_by(std::uint64_t generation) const {
  const auto found = by_generation.find(generation);
  return found == by_generation.end() ? 0 : found->second;
}

std::uint64_t load_report::served_by_latest() const {
  if (by_generation.empty()) return 0;
  const auto& [generation, requests] = *by_generation.rbegin();
  return generation == 0 ? 0 : requests;
}

std::string load_report::to_string() const {
  std::ostringstream text;
  text << "ok: " << ok << "\nlost: " << lost() << "\nrefused: " << refused << "\nreset: " << reset
       << "\ncut_short: " << cut_short << "\ntimed_out: " << timed_out << "\nother: " << other
       << "\nreconnects: " << reconnects << "\nunsent: " << unsent << "\np50_us: " << p50.count()
       << "\np90_us: " << p90.count() << "\np99_us: " << p99.count()
       << "\np999_us: " << p999.count() << "\nmax_us: " << max.count()
       << "\nlongest_silence_ms: " << longest_silence.count() << '\n';
  for (const auto& [generation, requests] : by_generation) {
    text << "generation_" << generation << ": " << requests << '\n';
  }
  if (!failures.empty()) text << "first_failure: " << failures.front().to_string() << '\n';
  return text.str();
}

}  // namespace graceful::testing
