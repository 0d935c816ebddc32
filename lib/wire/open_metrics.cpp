// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/open_metrics.hpp"

#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

namespace graceful::wire {

namespace {

constexpr std::array<std::string_view, 5> states{"starting", "serving", "upgrading", "probation",
                                                 "draining"};

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\' || c == '"') result += '\\';
    if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result;
}

std::string labelled(std::string_view label, std::string_view value) {
  return '{' + std::string{label} + "=\"" + escaped(value) + "\"}";
}

std::string in_seconds(std::chrono::microseconds duration) {
  std::array<char, 32> text{};
  const auto us = static_cast<long long>(duration.count());
  std::snprintf(text.data(), text.size(), "%lld.%06lld", us / 1'000'000, us % 1'000'000);
  return text.data();
}

/// Collects the text: a family, then its samples.
class exposition {
 public:
  void family(std::string name, std::string_view type, std::string_view unit,
              std::string_view help) {
    name_ = std::move(name);
    text_ += "# TYPE " + name_ + ' ' + std::string{type} + '\n';
    if (!unit.empty()) text_ += "# UNIT " + name_ + ' ' + std::string{unit} + '\n';
    text_ += "# HELP " + name_ + ' ' + std::string{help} + '\n';
  }

  void sample(const std::string& suffix_and_labels, const std::string& value) {
    text_ += name_ + suffix_and_labels + ' ' + value + '\n';
  }
  void sample(const std::string& suffix_and_labels, std::uint64_t value) {
    sample(suffix_and_labels, std::to_string(value));
  }

  /// A family of one sample.
  void single(std::string name, std::string_view help, std::uint64_t value) {
    family(std::move(name), "gauge", "", help);
    sample("", value);
  }

  std::string end() { return std::move(text_) + "# EOF\n"; }

 private:
  std::string text_;
  std::string name_;
};

void describe_process(exposition& out, const metrics& m) {
  out.family("graceful_build", "info", "", "The version of the library.");
  out.sample("_info" + labelled("version", m.version), 1);
  out.single("graceful_generation",
             "1 for a cold start, else the generation of the predecessor plus 1.", m.generation);
  out.family("graceful_state", "stateset", "", "What the server does.");
  for (const auto state : states) out.sample(labelled("graceful_state", state), m.state == state);
}

void describe_upgrades(exposition& out, const metrics& m) {
  out.family("graceful_upgrades", "counter", "", "Upgrades that have ended, over all generations.");
  out.sample("_total" + labelled("outcome", "committed"), m.so_far.committed);
  out.sample("_total" + labelled("outcome", "failed"), m.so_far.failed);
  out.sample("_total" + labelled("outcome", "rolled_back"), m.so_far.rolled_back);
  if (m.last_upgrade.empty()) return;
  out.family("graceful_upgrade_phase_seconds", "gauge", "seconds",
             "How long the phases of the upgrade that runs, or of the last one, took.");
  for (const auto phase : upgrade_phases) {
    const auto found = m.last_upgrade.find(phase);
    if (found != m.last_upgrade.end()) {
      out.sample(labelled("phase", phase), in_seconds(found->second));
    }
  }
}

void describe_connections(exposition& out, const metrics& m) {
  out.single("graceful_connections", "Tracked connections of this process.", m.connections);
  out.single(
      "graceful_connections_draining",
      "Tracked connections that are left to end, of earlier generations that drain and of this "
      "process if it does.",
      m.connections_draining);
  out.family("graceful_connections_cut", "counter", "",
             "Connections that the deadline of a drain has ended, over all generations.");
  out.sample("_total", m.so_far.cut);
}

void describe_listeners(exposition& out, const metrics& m) {
  out.single("graceful_listeners_dropped",
             "Listeners of the generation before on which this one does not listen.",
             m.listeners_dropped);
  if (m.listeners.empty()) return;
  out.family("graceful_listener_accept_queue", "gauge", "", "Connections that wait for accept.");
  for (const auto& l : m.listeners) out.sample(labelled("listener", l.name), l.queue);
  out.family("graceful_listener_accept_queue_limit", "gauge", "",
             "How many connections may wait for accept.");
  for (const auto& l : m.listeners) out.sample(labelled("listener", l.name), l.backlog);
}

}  // namespace

std::string to_open_metrics(const metrics& m) {
  exposition out;
  describe_process(out, m);
  describe_upgrades(out, m);
  describe_connections(out, m);
  describe_listeners(out, m);
  return out.end();
}

}  // namespace graceful::wire
