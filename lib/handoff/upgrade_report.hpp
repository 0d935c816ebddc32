// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/control_client.hpp>

#include "control/control_session.hpp"
#include "handoff/statistics.hpp"
#include "os/log.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful {

/// A listener of this process on which the successor does not listen.
struct dropped_listener {
  std::string name;
  std::string address;
};

/// Reports the upgrades of this process to the operator who asked for one, to those who ended a
/// probation, to the log, to the monitors, and to the statistics. Lives on the control thread.
class upgrade_report {
 public:
  struct callbacks {
    std::function<void(const std::string& event, const std::string& message)> tell_monitors;
  };

  /// `successor` is the successor's generation.
  upgrade_report(log& log, statistics& measured, callbacks on, std::uint64_t successor)
      : log_{log}, measured_{measured}, callbacks_{std::move(on)}, generation_{successor} {}

  /// An upgrade begins. Without `operator_session` nobody has asked for it.
  void start(std::weak_ptr<control_session> operator_session = {});

  /// Answers `from` when the successor has been committed or rolled back.
  void await_decision(control_session& from) { deciders_.push_back(from.weak_from_this()); }

  void spawned(pid_t pid);
  void begun();
  void passed(std::uint64_t listeners);
  void ready(std::optional<pid_t> pid, std::chrono::milliseconds probation);
  /// `dropped`: the listeners of this process that no process accepts from any more.
  void committed(std::optional<pid_t> pid, const std::vector<dropped_listener>& dropped);
  /// `ends`: this process ends too.
  void failed(const std::string& reason, bool ends);

  [[nodiscard]] std::chrono::steady_clock::time_point started() const { return started_; }

  /// Why the last upgrade failed; empty if none did.
  [[nodiscard]] const std::string& last_failure() const { return last_failure_; }

 private:
  void tell(upgrade_phase phase, const std::string& message);
  void answer_deciders(const wire::reply& answer);
  [[nodiscard]] std::string successor() const;

  log& log_;
  statistics& measured_;
  const callbacks callbacks_;
  const std::uint64_t generation_;
  std::weak_ptr<control_session> operator_;
  std::vector<std::weak_ptr<control_session>> deciders_;
  std::chrono::steady_clock::time_point started_;
  std::string last_failure_;
};

}  // namespace graceful
