// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SERVICE_SERVICE_HPP
#define GRACEFUL_SERVICE_SERVICE_HPP

#include <graceful/control_client.hpp>

#include "listen/inventory.hpp"
#include "os/launch.hpp"
#include "os/log.hpp"
#include "service/notifier.hpp"
#include "service/service_settings.hpp"
#include "service/supervisor_link.hpp"
#include "service/watchdog.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace graceful {

/// This process as a service: what its manager, systemd or the supervisor, hears of it and when,
/// and which sockets it keeps. Does nothing where there is no manager. Lives on the control thread.
class service {
 public:
  struct surroundings {
    asio::io_context& control;
    log& messages;
    inventory& sockets;
    asio::any_io_executor application;  // whose threads the watchdog watches
  };

  service(service_settings settings, surroundings around);

  [[nodiscard]] bool managed() const { return notifier_.has_value(); }
  /// Where a successor belongs: under the manager, if that is the parent of this process, and so
  /// waits for it too.
  [[nodiscard]] os::placement placement() const {
    const bool below = managed() && settings_.process.is_parent();
    return below ? os::placement::sibling : os::placement::child;
  }

  /// Who looks after this process, to be compared: `wire::begin::manager`.
  [[nodiscard]] std::string manager() const;

  /// With this process the service ends: its manager tells the others nothing, as a supervisor of
  /// ours does.
  [[nodiscard]] bool stopped_by_its_main() const {
    return managed() && role_ == role::main && settings_.supervisor.empty();
  }

  /// Before the control thread starts: the manager holds this listener of the predecessor's too.
  void keeps(std::string_view name, int fd);

  /// After that: puts what the manager has passed to this process into the inventory.
  void bring();

  /// The manager waits for this process to become ready: nobody speaks for it.
  void starts();

  /// It is the main process from now on, as `generation`; `succeeds`: in the place of another.
  void serves(std::uint64_t generation, bool succeeds);

  /// It has been told to end before it was ready: a manager that waits for that hears both.
  void ends_unserved();

  /// What happens to an upgrade of this process: an event of `upgrade_report`.
  void on_upgrade(const std::string& event, const std::string& message);

  /// Another process is the main one. This one says so, since nobody else may, and nothing more.
  /// `to`: its pid; none if the manager has nothing to do with it.
  void hands_over(std::optional<pid_t> to);

  /// Why its manager, which has to look after the successor, would not hear of it, and would take
  /// the end of this process for that of the service: with what to do. None if it would. `watched`:
  /// the successor can be seen on the control path, by a supervisor that looks there.
  [[nodiscard]] std::optional<std::string> objection(bool watched) const;

  /// A supervisor looks who serves the control path.
  void watched_by(const std::string& supervisor);

  /// It goes back: what it had is its predecessor's. A supervisor waits until it has drained.
  void goes_back();

  /// Before it ends: asks the supervisor whether it ends too, and has let go of the sockets that it
  /// kept; then the inventory does not take them for kept any more. `then` is called once.
  void ask_for_sockets(std::function<void()> then);

  /// It ends, and nobody succeeds it: `connections` are left.
  void ends(std::uint64_t connections);

  /// What other processes have yet to finish.
  void others_drain(const std::vector<draining_process>& others);

  /// There are other sockets than before.
  void sockets_changed();

  /// The last: waits until the manager knows what it has to.
  void finish();

 private:
  enum class role { waiting, main, ending, over };

  void leaves();
  void say_status(const std::string& text);
  void announce();
  void store();

  const surroundings around_;
  log& log_;
  service_settings settings_;
  std::shared_ptr<const os::service_manager> manager_;
  std::optional<notifier> notifier_;
  std::optional<watchdog> watchdog_;
  std::optional<supervisor_link> supervisor_;
  role role_ = role::waiting;
  bool reloading_ = false;
  bool told_stopping_ = false;
  bool watched_ = false;
  bool store_is_full_ = false;  // and the log says so
  std::uint64_t generation_ = 0;
  std::vector<draining_process> others_;
  struct stored {
    std::uint64_t cookie;         // SO_COOKIE
    bool by_this_manager = true;  // false: the predecessor said so, whose manager may be another
  };
  std::map<std::string, stored> stored_;  // what is kept, by its FDNAME
};

}  // namespace graceful

#endif
