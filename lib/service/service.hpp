// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/control_client.hpp>

#include "listen/inventory.hpp"
#include "listen/roll_call.hpp"
#include "os/child.hpp"
#include "os/log.hpp"
#include "os/service_manager.hpp"
#include "os/start_command.hpp"
#include "service/notifier.hpp"
#include "service/supervisor_link.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace graceful {

/// This process as a service: when its manager, systemd or the supervisor, is told what, and which
/// sockets it keeps. Does nothing without a manager. Lives on the control thread.
class service {
 public:
  /// What the environment says about the service manager of this process.
  struct settings {
    /// Removes what is meant for this process alone (LISTEN_..., WATCHDOG_PID) from the environment
    /// and from the start command. The rest stays, because successors need it.
    static settings take(os::start_command& start);

    std::string notify_socket{};                 ///< NOTIFY_SOCKET; empty: there is no manager.
    std::string invocation{};                    ///< INVOCATION_ID: one run of a unit of systemd.
    std::vector<os::named_descriptor> passed{};  ///< LISTEN_FDS, with the names of listeners.
    std::uint64_t store = 0;                ///< FDSTORE: how many descriptors the fd store takes.
    std::chrono::microseconds watchdog{0};  ///< WATCHDOG_USEC; 0: none.
    std::string supervisor{};               ///< GRACEFUL_SUPERVISOR: a control socket.
    os::manager_process process{};          ///< The manager's process.
  };

  /// The manager's watchdog watches the threads of `application`.
  service(asio::io_context& control, log& log, inventory& sockets,
          asio::any_io_executor application, settings s);

  [[nodiscard]] bool managed() const { return role_ != role::unmanaged; }
  /// Whose child a successor is: the manager's, if that is the parent of this process and so waits
  /// for it too.
  [[nodiscard]] os::placement placement() const {
    const bool below = managed() && settings_.process.is_parent();
    return below ? os::placement::sibling : os::placement::child;
  }

  /// Identifies the manager of this process, for comparison: `wire::begin::manager`.
  [[nodiscard]] std::string manager() const;

  /// The service ends with this process: its manager, like a supervisor of ours, signals no other.
  [[nodiscard]] bool stopped_by_its_main() const {
    return role_ == role::main && settings_.supervisor.empty();
  }

  /// Before the control thread starts: the manager holds this listener of the predecessor's too.
  void keeps(std::string_view name, int fd);

  /// After that: puts what the manager has passed to this process into the inventory.
  void bring();

  /// The manager waits until this process is ready, and no other process speaks for it.
  void starts();

  /// This process is the main process from now on, as `generation`. `succeeds`: it replaces
  /// another.
  void serves(std::uint64_t generation, bool succeeds);

  /// This process was told to end before it was ready. A manager that waits for that is told both.
  void ends_unserved();

  /// Reports an upgrade of this process: an event of `upgrade_report`.
  void on_upgrade(const std::string& event, const std::string& message);

  /// Another process is the main one now. This process says so, since no other may, and then says
  /// nothing more. `to`: its pid; none if this manager does not manage it.
  void hands_over(std::optional<pid_t> to);

  /// Why the manager, which must manage the successor, would not learn of it, and would take the
  /// end of this process for that of the service; and what to do. None if it would. `watched`: a
  /// supervisor watches the control path, and can see the successor there.
  [[nodiscard]] std::optional<std::string> objection(bool watched) const;

  /// A supervisor watches which process serves the control path.
  void watched_by(const std::string& supervisor);

  /// This process was rolled back: its sockets are the predecessor's. A supervisor waits until it
  /// has drained.
  void goes_back();

  /// Called before this process ends: asks the supervisor whether it ends too, and has released the
  /// sockets that it kept. If so, the inventory no longer counts them as kept. `then` is called
  /// once.
  void ask_for_sockets(std::function<void()> then);

  /// This process ends without a successor, with `connections` left.
  void ends(std::uint64_t connections);

  /// Tells what other processes still have to finish.
  void others_drain(const std::vector<draining_process>& others);

  /// The set of sockets has changed.
  void sockets_changed();

  /// The last call: waits until the manager knows what it must know.
  void finish();

 private:
  enum class role { unmanaged, waiting, main, ending, over };

  void leaves();
  void say_status(const std::string& text);
  void announce(bool as_main);
  void store();
  void feed_watchdog();

  log& log_;
  inventory& inventory_;
  settings settings_;
  std::shared_ptr<const os::service_manager> manager_;
  std::optional<notifier> notifier_;
  std::optional<supervisor_link> supervisor_;
  roll_call roll_;
  asio::steady_timer watchdog_timer_;
  role role_ = role::unmanaged;
  bool reloading_ = false;
  bool told_stopping_ = false;
  bool watched_ = false;
  bool store_is_full_ = false;  // and the log has said so
  std::uint64_t generation_ = 0;
  std::vector<draining_process> others_;
  struct stored {
    std::uint64_t cookie;         // SO_COOKIE
    bool by_this_manager = true;  // false: the predecessor said so, which may have another manager
  };
  std::map<std::string, stored> stored_;  // what is kept, by its FDNAME
};

}  // namespace graceful
