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

/// The server that a supervisor runs, and how it looks after it.
struct supervisor_params {
  /// Program and arguments. A program without a slash is looked up in PATH. Required.
  std::vector<std::string> command{};

  /// The name of the server for `graceful-ctl`, which determines its default control path. Default:
  /// the base name of the program.
  std::string name{};

  /// The control path of the server. Default: `default_control_path(name)`. The server has to know
  /// it by itself.
  std::string control_path{};

  /// The supervisor's own socket. Default: `default_supervisor_path(control_path)`. Beside it are
  /// its lock, the socket of sd_notify(3) and a note of which process is the server: the same path
  /// with ".lock", ".notify" and ".main" appended.
  std::string socket_path{};

  /// How long to wait until a failed server is restarted, doubled with each failure in a row up to
  /// `longest_delay`. Defaults: 100 ms, 30 s.
  std::chrono::milliseconds first_delay{100};
  std::chrono::milliseconds longest_delay{30'000};

  /// After this many failures in a row it gives up, and closes the kept sockets; 0: never. Default:
  /// 10, which takes 51 s plus the time that the server itself takes.
  unsigned max_failures = 10;

  /// When a server has served for this long, earlier failures no longer count. Default: 10 s.
  std::chrono::milliseconds good_while{10'000};

  /// How long a server may take from its start until it is ready. Then it is killed, which counts
  /// as a failure. A server that, unlike those of this library, has sent nothing by sd_notify(3) by
  /// then is taken for one that never does: the supervisor does not wait for it. Default: 60 s.
  std::chrono::milliseconds ready_timeout{60'000};

  /// See `options`. Called on the thread of `run`.
  std::function<void(log_level, std::string_view)> log{};
  log_level log_threshold = log_level::info;
};

/// Runs a server and restarts it when it fails, as a service manager does, for containers and hosts
/// that have none. It speaks systemd's protocol, sd_notify(3), so it follows the server through
/// upgrades and keeps a duplicate of each listening socket. When the server dies, no client is
/// refused: connections wait for the next process. The supervisor never accepts from these sockets,
/// and never reads from them. It also runs servers that do not use this library.
///
/// If the supervisor itself is killed, the server keeps serving; another supervisor with the same
/// paths adopts it.
///
/// It forwards SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1 and SIGUSR2 to the server, which leads a
/// process group of its own. It blocks these signals in its thread from its construction on, and
/// leaves them blocked when it is destroyed. It reaps every child and orphan of the process, and
/// can be PID 1. So make only one in a process, which has no other threads and no children of its
/// own.
class GRACEFUL_API supervisor {
 public:
  /// Takes the paths. If it was executed again, it takes over from itself, see
  /// `supervisor_client::reexec`. Throws `error`: `already_running` if there is a supervisor,
  /// `invalid_argument`, `permission_denied`, `path_in_use`, `path_too_long`, or an error of the
  /// system.
  explicit supervisor(supervisor_params params);
  supervisor(const supervisor&) = delete;
  supervisor& operator=(const supervisor&) = delete;
  ~supervisor();

  /// Returns when the server and all its older processes have ended for good. The result is the
  /// exit code of the server, 128 + n if it was killed by signal n; 127 if there is no such
  /// program, 126 if it cannot be executed.
  int run();

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace graceful

#endif
