// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/process.hpp>

#include "testing/scene.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace graceful_systemd {

using namespace graceful::testing;

/// Ends a test that hangs; nothing should take this long.
inline constexpr std::chrono::seconds patience{30};

/// PID 1, or the manager of a user.
enum class manager { system, user };

struct finished {
  exit_status status;
  std::string text;  ///< Both outputs.
};

/// A unit's properties from `systemctl show`.
struct unit_state {
  std::string active;  ///< "active", "reloading", "inactive", "failed", "activating"...
  std::string sub;     ///< "running", "dead", "stop-sigterm"...
  std::string status;  ///< The last STATUS= of the service.
  std::string result;  ///< "success", "exit-code", "watchdog"...
  pid_t main_pid{};    ///< As the host numbers it.
  int restarts{};
  int stored{};  ///< Descriptors in its fd store.
  [[nodiscard]] std::string to_string() const;
};

/// A process of a unit.
struct unit_process {
  pid_t pid{};      ///< As the host numbers it.
  pid_t outside{};  ///< As the test numbers it.
  bool child_of_manager{};
};

/// A machine, as systemd sees it, in the network of the test. Its processes and files end with this
/// object. The constructor throws if there can be none; main() checks that beforehand.
class host {
 public:
  explicit host(manager kind = manager::system);
  host(const host&) = delete;
  host& operator=(const host&) = delete;
  ~host();

  /// Why there can be no host here; empty if there can.
  static std::string obstacle();

  /// Where the test finds the host's file `path`.
  [[nodiscard]] std::string outside(std::string_view path) const;

  /// Writes a file of the host, and makes its directories.
  void write(std::string_view path, std::string_view text, unsigned mode = 0644) const;
  [[nodiscard]] std::string read(std::string_view path) const;

  /// Installs a unit's file, or a drop-in ("x.service.d/test.conf"), and tells systemd.
  void install_unit(std::string_view name, std::string_view text);

  /// Puts a program into /usr/local/bin, replacing an existing one in one step, as a deploy should.
  void install_program(std::string_view name, std::string_view built);  ///< A path in the build.
  void install_script(std::string_view name, std::string_view text);

  finished systemctl(std::vector<std::string> arguments);
  process& start_systemctl(std::vector<std::string> arguments);
  finished run(std::vector<std::string> command);

  unit_state state(std::string_view unit);
  std::string property(std::string_view unit, std::string_view name);

  /// The first state for which `wanted` is true; the last one at the end of the patience.
  unit_state wait_for(std::string_view unit, const std::function<bool(const unit_state&)>& wanted);

  /// All processes of the unit's control group.
  std::vector<unit_process> processes(std::string_view unit);

  /// The number outside of the process that is `pid` on the host; 0 if the unit has no such
  /// process.
  pid_t outside_pid(std::string_view unit, pid_t pid);

  /// What systemd has logged.
  [[nodiscard]] std::string log() { return room_->output(); }
  bool wait_for_log(std::string_view needle) { return room_->wait_for_output(needle, patience); }

 private:
  std::vector<std::string> inside(std::vector<std::string> command) const;

  manager kind_;
  scene scene_;
  process* room_;
  pid_t init_;
  pid_t manager_;
};

}  // namespace graceful_systemd
