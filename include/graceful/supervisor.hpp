// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SUPERVISOR_HPP
#define GRACEFUL_SUPERVISOR_HPP

#include <graceful/detail/api.hpp>
#include <graceful/options.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace graceful {

/// The server that a supervisor runs, and how it takes care of it.
struct supervisor_params {
  /// Program and arguments. Looked up in PATH if the program has no slash. Required.
  std::vector<std::string> command{};

  /// What `graceful-ctl` calls the server: where its control socket is by default. Default: the
  /// base name of the program.
  std::string name{};

  /// The control path of the server. Default: `default_control_path(name)`. The server has to know
  /// it by itself.
  std::string control_path{};

  /// The supervisor's own socket. Default: `default_supervisor_path(control_path)`. Beside it lie
  /// its lock, the socket of sd_notify(3) and a note of which process is the server: the same path
  /// with ".lock", ".notify" and ".main" appended.
  std::string socket_path{};

  /// How long to wait until a server that failed is started again, doubled with each failure in a
  /// row up to `longest_delay`. Defaults: 100 ms, 30 s.
  std::chrono::milliseconds first_delay{100};
  std::chrono::milliseconds longest_delay{30'000};

  /// After so many failures in a row it gives up, and lets the sockets go; 0: never. Default: 10,
  /// which takes 51 s and what the server itself takes.
  unsigned max_failures = 10;

  /// A server that has served for so long has done well: failures before it count no more. Default:
  /// 10 s.
  std::chrono::milliseconds good_while{10'000};

  /// How long a server may take from its start until it is ready; then it is killed, and has
  /// failed. One that has not spoken sd_notify(3) at all by then, as those of this library do, is
  /// taken to be one that never does, and is not waited for. Default: 60 s.
  std::chrono::milliseconds ready_timeout{60'000};

  /// See `options`. Called on the thread of `run`.
  std::function<void(log_level, std::string_view)> log{};
  log_level log_threshold = log_level::info;
};

/// Runs a server and starts it again when it fails, as a service manager does, for containers and
/// hosts that have none. It speaks systemd's protocol, sd_notify(3), so it follows the server
/// through upgrades, and keeps a duplicate of each listening socket: when the server dies, nobody
/// is refused, and what connects waits for the next one. It never accepts, and never reads from
/// them. A server that is not of this library is run too.
///
/// If the supervisor itself is killed, the server serves on; another supervisor with the same
/// paths takes care of it.
///
/// It forwards SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1 and SIGUSR2 to the server, which leads a
/// process group of its own; blocks them in the thread from its construction on, also after its
/// end; reaps every child and orphan of the process; and is fit to be PID 1. So there is one in a
/// process, which has no other threads and no children of its own.
class GRACEFUL_API supervisor {
 public:
  /// Takes the paths, and over from itself if it was executed again, see
  /// `supervisor_client::reexec`. Throws `error`: `already_running` if there is a supervisor,
  /// `invalid_argument`, `permission_denied`, `path_in_use`, `path_too_long`, or of the system.
  explicit supervisor(supervisor_params params);
  supervisor(const supervisor&) = delete;
  supervisor& operator=(const supervisor&) = delete;
  ~supervisor();

  /// Returns when the server has ended for good, and all its older processes: the exit code of the
  /// server, 128 + n if it was killed by signal n; 127 if there is no such program, 126 if it
  /// cannot be executed.
  int run();

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace graceful

#endif
