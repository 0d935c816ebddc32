// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "progress_view.hpp"

#include <graceful/phases.hpp>

#include "report.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace graceful::cli {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t longest_bar = 30;
constexpr std::size_t shortest_bar = 5;

struct piece {
  std::string text;
  tone painted = tone::plain;
};

bool starts_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }

/// How many columns it takes: each character is one column wide.
std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

std::size_t columns(const std::vector<piece>& pieces) {
  std::size_t sum = 0;
  for (const piece& p : pieces) sum += columns(p.text);
  return sum;
}

/// As many characters as fit.
std::string cut_to(const std::string& text, std::size_t limit) {
  std::size_t taken = 0;
  const auto end = std::find_if(text.begin(), text.end(), [&](char byte) {
    return starts_character(byte) && ++taken > limit;
  });
  return {text.begin(), end};
}

std::string joined(const std::vector<piece>& pieces, std::size_t limit, const style& s) {
  std::string line;
  for (const piece& p : pieces) {
    const std::string shown = cut_to(p.text, limit);
    limit -= columns(shown);
    line += paint(shown, p.painted, s);
  }
  return line;
}

std::string repeated(const char* character, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += character;
  return text;
}

/// "[####------]", or made of blocks.
std::vector<piece> bar(std::uint64_t done, std::uint64_t all, std::size_t width, const style& s) {
  const std::size_t frame = s.utf8 ? 0 : 2;
  const auto share = static_cast<double>(done) / static_cast<double>(all);
  const auto full = static_cast<std::size_t>(share * static_cast<double>(width - frame));
  const std::string begun = repeated(s.utf8 ? "█" : "#", full);
  const std::string open = repeated(s.utf8 ? "░" : "-", width - frame - full);
  if (s.utf8) return {{begun, tone::success}, {open, tone::dim}};
  return {{"["}, {begun, tone::success}, {open}, {"]"}};
}

/// "+12.3 s": in tenths while the time is short.
std::string running_for(milliseconds elapsed) {
  if (elapsed >= std::chrono::minutes{1}) return '+' + in_short(elapsed);
  const auto tenths = std::max(elapsed.count(), milliseconds::rep{0}) / 100;
  return '+' + std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) + " s";
}

/// What to wait for after a phase; nothing after the last one.
std::string awaited_after(const upgrade_phase& phase, const std::string& successor) {
  if (phase.phase == phases::spawned) return "waiting for " + successor + " to connect";
  if (phase.phase == phases::begun) return "waiting for " + successor + " to take the sockets";
  if (phase.phase == phases::passed) return "waiting for " + successor + " to be ready";
  if (phase.phase == phases::ready) {
    return successor + " is in probation; graceful-ctl rollback takes it back";
  }
  return {};
}

}  // namespace

progress_view::progress_view(form f, style s, time begin, std::string awaited)
    : form_{f}, style_{s}, begin_{begin}, awaited_{std::move(awaited)} {}

std::string progress_view::on(const upgrade_phase& phase, time now) {
  if (form_ == form::json) return phase.json + '\n';
  begin_ = now - phase.elapsed;
  if (phase.generation) {
    successor_ = "generation " + std::to_string(*phase.generation);
  } else if (phase.pid) {
    successor_ = "pid " + std::to_string(*phase.pid);
  }
  await(awaited_after(phase, successor_));
  return describe(phase, style_);
}

std::string progress_view::on(const drain_progress& progress, time now) {
  if (form_ == form::json) return progress.json + '\n';
  begin_ = now - progress.elapsed;
  if (progress.phase == phases::drained) {
    await({});
    return describe(progress, style_);
  }
  const bool first = !drain_;
  const std::uint64_t most = std::max(first ? 0 : drain_->most, progress.connections);
  drain_ = draining{most, progress.connections, progress.cut};
  // The live line shows how many are left, so no line is needed every second.
  const bool told = form_ == form::live && !first;
  return told ? std::string{} : describe(progress, style_);
}

std::string progress_view::on(const std::optional<draining_process>& old, time /*now*/) {
  const auto most = std::max(drain_ ? drain_->most : 0, old ? old->connections.value_or(0) : 0);
  if (old && old->connections && most > 0) {
    drain_ = draining{most, *old->connections, 0};
    return {};
  }
  if (old) {
    await("waiting for the old process (pid " + std::to_string(old->pid) +
          ") to end what it serves");
    return {};
  }
  await({});
  if (form_ == form::json) return "{\"phase\":\"drained\"}\n";
  return paint("the old process has ended", tone::success, style_) + '\n';
}

void progress_view::await(std::string what) {
  awaited_ = std::move(what);
  drain_.reset();
}

std::string progress_view::live(time now, std::size_t width) const {
  if (form_ != form::live || width < 2 || (awaited_.empty() && !drain_)) return {};
  const std::size_t room = width - 1;
  const auto elapsed = std::chrono::duration_cast<milliseconds>(now - begin_);
  std::vector<piece> line{{elapsed_column(running_for(elapsed)), tone::dim}};
  if (!drain_) {
    line.push_back({awaited_});
    return joined(line, room, style_);
  }
  if (drain_->most == 0) {
    line.push_back({std::string{tracks_nothing}});
    return joined(line, room, style_);
  }
  line.push_back({"draining "});
  // Padded to the initial width, so that the bar keeps its length.
  const std::string most = std::to_string(drain_->most);
  const std::string left = std::to_string(drain_->left);
  std::vector<piece> counts{{std::string(most.size() - left.size(), ' ') + left + " of " + most +
                             (drain_->most == 1 ? " connection left" : " connections left")}};
  if (drain_->cut > 0)
    counts.push_back({", " + std::to_string(drain_->cut) + " cut", tone::failure});
  const std::size_t taken = columns(line) + columns(counts) + 1;
  if (taken + shortest_bar <= room) {
    auto drawn =
        bar(drain_->most - drain_->left, drain_->most, std::min(room - taken, longest_bar), style_);
    line.insert(line.end(), drawn.begin(), drawn.end());
    line.push_back({" "});
  }
  line.insert(line.end(), counts.begin(), counts.end());
  return joined(line, room, style_);
}

}  // namespace graceful::cli
