// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "control/control_session.hpp"
#include "control/varlink_link.hpp"
#include "drain/connections.hpp"
#include "os/log.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace graceful {

/// The drain of this process: tells its connections stage by stage, reports how many are left, and
/// ends what is left at the deadline. Lives on the control thread.
class drain {
 public:
  struct callbacks {
    std::function<void()> every_second;  ///< Called every second of the drain, and at the deadline.
    std::function<void()> cut_short;     ///< Called two seconds after the deadline, to end what is
                                         ///< left.
  };

  drain(asio::io_context& control, log& log, connections& all, std::string control_path,
        callbacks on);

  void begin();

  /// Starts the drain if it has not begun, and makes the deadline now.
  void hurry();

  /// Streams the progress of the drain to `from`. Before the drain begins, the reports show no time
  /// as passed. `finish` answers the call.
  void watch(control_session& from);

  /// Reports how many connections this process, of this generation, has left to the process that
  /// serves the control path now; if none does, to nobody. The answer may be that it has to hurry.
  void report_to_server(std::uint64_t generation);

  /// Ends the drain: everything is done.
  void finish();

 private:
  void advance();
  void tell_watchers(const char* phase);
  void on_reported(const std::optional<wire::reply>& reply);
  void expire();
  [[nodiscard]] wire::reply progress(const char* phase) const;
  void every_second();

  log& log_;
  connections& connections_;
  const callbacks callbacks_;
  std::optional<std::chrono::steady_clock::time_point> began_;
  bool hurried_ = false;
  bool expired_ = false;
  bool reporting_ = false;
  asio::steady_timer stage_timer_;
  asio::steady_timer report_timer_;
  std::vector<std::weak_ptr<control_session>> watchers_;
  const std::string control_path_;
  varlink_link server_;
  std::uint64_t cut_said_ = 0;    // in the last report
  std::uint64_t cut_heard_ = 0;   // in the last one that was answered
  std::uint64_t cut_before_ = 0;  // in reports that were answered on earlier connections
};

}  // namespace graceful
