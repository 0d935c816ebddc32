// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>
#include <graceful/options.hpp>

#include "control/control_thread.hpp"
#include "control/path_keeper.hpp"
#include "drain/connections.hpp"
#include "drain/drain.hpp"
#include "drain/drain_waiters.hpp"
#include "drain/older_generations.hpp"
#include "handoff/predecessor_driver.hpp"
#include "handoff/predecessor_watch.hpp"
#include "handoff/statistics.hpp"
#include "handoff/takeover.hpp"
#include "listen/inventory.hpp"
#include "listen/last_call.hpp"
#include "os/log.hpp"
#include "os/spare_descriptors.hpp"
#include "os/start_command.hpp"
#include "server/caretaker.hpp"
#include "server/confirmation.hpp"
#include "server/control_server.hpp"
#include "server/life.hpp"
#include "server/signal_actions.hpp"
#include "service/service.hpp"
#include "wire/varlink.hpp"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace graceful {

/// The command that starts a successor, unless an operator asks for something else.
result<os::start_command> start_command_of(const options& opts);

/// Limits durations: none is negative, and each can be added to a time without an overflow.
options bounded(options opts);

/// Does what `life` decides: starts alone or takes over, serves, hands over, goes back, ends. Owns
/// the control path, and runs the thread that serves it.
class lifecycle {
 public:
  struct callbacks {
    std::function<void()> stop_context;  ///< Empty: there is none that could be stopped.
  };

  /// Starts cold or takes over, see `upgrader`. Throws `error`.
  lifecycle(asio::any_io_executor application, options opts, callbacks on);
  ~lifecycle();

  /// Ends the control thread. After that, the lifecycle posts nothing to other executors. The
  /// destructor does it too; call it to destroy something earlier that the control thread uses.
  void end_control();

  // What the application's objects work with; they may outlive this one.
  [[nodiscard]] const asio::any_io_executor& application() const { return application_; }
  [[nodiscard]] log& messages() { return log_; }
  [[nodiscard]] const std::shared_ptr<inventory>& sockets() const { return sockets_; }
  [[nodiscard]] connections& tracked() const { return *tracked_; }
  [[nodiscard]] caretaker& plain_acceptors() { return caretaker_; }
  [[nodiscard]] drain_waiters& waiters() const { return *waiters_; }
  [[nodiscard]] drain_waiters& commit_waiters() const { return *commit_waiters_; }

  // Thread-safe.
  void ready();
  void drain(bool now);
  void handle_signals();
  /// Notes why this process will probably not become ready.
  void note_failure(const std::string& why);
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  [[nodiscard]] bool draining() const { return drains_; }
  [[nodiscard]] std::string metrics() const;

 private:
  life::actions take(life::event e);
  void decide(life::event e);
  void perform_queued();
  void perform(life::action a);
  [[nodiscard]] life now() const;
  life::actions announce();
  [[noreturn]] void refuse_ready();
  void open();
  [[nodiscard]] predecessor_driver::callbacks driver_callbacks();
  [[nodiscard]] predecessor_driver::settings driver_settings(os::start_command start) const;
  [[nodiscard]] control_server::callbacks server_callbacks();
  void serve_control();
  giving_up_watch::seen look_at_predecessor();
  void watch_predecessor();
  void confirm(predecessor_watch::callbacks::vouch vouch);
  void say_serves();
  void give_back();
  void settle_upgrade();
  void stay();
  void roll_back(const std::string& why);
  void go_back();
  void hand_over(const inventory::names& ours);
  void end(bool now);
  void end_alone();
  [[nodiscard]] std::set<pid_t> other_generations() const;
  void begin_drain();
  void hurry();
  void stop_accepting();
  void on_report(control_session& from, const wire::report& said);
  void on_reporter_gone(const control_session& from);
  void on_predecessor_ended();
  void tell_end(const draining_process& process);
  [[nodiscard]] bool is_predecessor(const draining_process& process) const;
  void report_drain();
  void conclude_monitors();
  void cut_short();
  void remove_paths() const;
  [[nodiscard]] std::optional<wire::reply> refusal() const;
  [[nodiscard]] std::optional<std::string> objection(bool spawned) const;
  [[nodiscard]] std::vector<offered_descriptor> offer();
  [[nodiscard]] server_status status() const;
  [[nodiscard]] const char* state() const;
  [[nodiscard]] std::string state_in_words() const;
  [[nodiscard]] std::vector<listener_status> listeners() const;

  const asio::any_io_executor application_;
  asio::any_io_executor work_;  // keeps the application's context running until this process drains
  const options options_;
  log log_;
  const std::shared_ptr<inventory> sockets_;
  const std::shared_ptr<connections> tracked_;
  const std::shared_ptr<drain_waiters> waiters_;
  const std::shared_ptr<drain_waiters> commit_waiters_;
  const callbacks callbacks_;
  const std::string control_path_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  ownership owned_;
  std::uint64_t generation_ = 1;

  mutable std::mutex life_mutex_;    // never held while anything waits
  std::optional<life> life_;         // from the takeover on
  std::atomic<bool> drains_{false};  // of it; takes no lock: a child of fork(2) may ask
  std::deque<life::action> queued_;  // for the control thread
  std::mutex ready_mutex_;           // whose holder may talk to the predecessor, before ready()
  std::string last_failure_;         // of listen()
  std::optional<failure> ready_failure_;  // final: the predecessor keeps serving
  statistics statistics_;

  const os::spare_descriptors spare_;

  // Used on the control thread only, from its start to its end.
  control_thread control_;
  std::optional<predecessor_driver> driver_;
  std::optional<control_server> server_;
  std::optional<path_keeper> path_keeper_;  // from the commit to the handover
  std::optional<predecessor_watch> predecessor_;
  confirmation confirmation_;
  older_generations older_;
  std::optional<service> service_;
  giving_up_watch giving_up_;         // until ready()
  asio::steady_timer late_listens_;   // of a cold start: until they are over
  inventory::names ours_;             // what the successor does not have
  bool predecessor_reports_ = false;  // that it drains
  bool predecessor_ended_ = false;    // and so it was told
  class drain drain_;
  last_call last_call_;
  caretaker caretaker_;
  std::once_flag signals_once_;
  std::optional<signal_actions> signals_;
};

}  // namespace graceful
