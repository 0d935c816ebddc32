// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CONTROL_CLIENT_HPP
#define GRACEFUL_CONTROL_CLIENT_HPP

#include <graceful/detail/api.hpp>
#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace graceful {

/// A listening socket of a running server, as `control_client::status` reports it.
struct listener_status {
  std::string name{};
  std::string address{};    ///< "127.0.0.1:80" or "[::1]:80".
  std::uint64_t queue{};    ///< Connections that wait to be accepted.
  std::uint64_t backlog{};  ///< How many may wait.
};

/// A process of a server that serves no more and lets its connections end.
struct draining_process {
  std::uint64_t generation{};
  std::int64_t pid{};
  std::optional<std::uint64_t> connections{};  ///< That are left; none before it has reported.
  bool hurried = false;                        ///< Told to cut them, see `options::max_draining`.
};

/// What a running server says of itself.
struct server_status {
  std::string name{};
  std::uint64_t generation{};
  std::int64_t pid{};
  std::chrono::milliseconds uptime{};
  std::string state{};          ///< "starting", "serving", "upgrading", "probation" or "draining".
  std::string version{};        ///< Of the library in the server.
  std::uint64_t connections{};  ///< That it tracks, see `upgrader::track`.
  std::vector<listener_status> listeners{};
  std::vector<draining_process> draining{};     ///< Other generations that live, oldest first.
  std::optional<std::int64_t> successor_pid{};  ///< Of the successor that is in probation.
  std::string last_failure{};                   ///< Why the last upgrade failed; empty if none did.
  std::string json{};                           ///< The server's reply as it came: one line.
  std::vector<std::string> dropped{};  ///< Listeners of its predecessor that it has not asked for.
  std::vector<std::string> dropped_addresses{};  ///< Of these; empty if the server is older.
};

/// What the successor is started with.
struct upgrade_request {
  std::vector<std::string> command{};                  ///< Empty: the server's own start command.
  std::map<std::string, std::string> environment{};    ///< Added to the server's start environment.
  std::optional<std::chrono::milliseconds> timeout{};  ///< Until ready. Default: the server's.
  std::string directory{};  ///< Where it starts, an absolute path. Empty: the server's own.
};

/// What would keep an upgrade from being done now.
struct upgrade_obstacle {
  std::string kind{};  ///< "busy", "not_ready", "permission", "supervisor", "directory", "program".
  std::string message{};  ///< For a person.
};

/// What an upgrade would do.
struct upgrade_plan {
  std::string
      program{};  ///< The path of what would be executed; as it was given if it is not there.
  std::vector<std::string> arguments{};  ///< With the name, argv[0].
  std::string directory{};
  std::map<std::string, std::string>
      environment{};                    ///< What differs from the server's at its start.
  std::uint64_t generation{};           ///< Of the successor.
  std::chrono::milliseconds timeout{};  ///< Until it has to be ready.
  std::chrono::milliseconds probation{};
  std::vector<listener_status> listeners{};   ///< That would be passed.
  std::vector<upgrade_obstacle> obstacles{};  ///< Empty: none is known.
  std::string json{};                         ///< The server's reply as it came: one line.
};

/// One step of an upgrade that has been reached.
struct upgrade_phase {
  std::string phase{};  ///< "spawned", "begun", "passed", "ready" or, as the last one, "committed".
  std::chrono::milliseconds elapsed{};                  ///< Since the upgrade began.
  std::optional<std::chrono::milliseconds> duration{};  ///< Since the phase before.
  std::optional<std::int64_t> pid{};                    ///< Of the successor.
  std::optional<std::uint64_t> generation{};            ///< Of the successor.
  std::optional<std::uint64_t> sockets{};               ///< How many were passed.
  std::string json{};                  ///< The server's reply as it came: one line.
  std::vector<std::string> dropped{};  ///< At "committed": listeners that the successor leaves.
  std::vector<std::string> dropped_addresses{};  ///< Of these; empty if the server is older.
};

/// How a drain goes on.
struct drain_progress {
  std::string phase{};  ///< "draining" or, as the last one, "drained".
  std::chrono::milliseconds elapsed{};
  std::uint64_t connections{};  ///< That are left, of those that are tracked.
  std::uint64_t cut{};          ///< How many the deadline has ended.
  std::string json{};           ///< The server's reply as it came: one line.
};

/// What a running server measures.
struct server_metrics {
  std::string text{};  ///< OpenMetrics 1.0, see `upgrader::metrics`.
  std::string json{};  ///< The server's reply as it came: one line.
};

/// Something that has happened in a server.
struct server_event {
  /// "watching" (the first), "spawned", "begun", "passed", "ready", "committed", "failed" (an
  /// upgrade, or rolled back), "draining", "hurried", "generation_ended"; "handed_over" or "ended"
  /// (the last).
  std::string event{};
  std::string message{};  ///< For a person.
  std::uint64_t generation{};
  std::int64_t pid{};
  std::chrono::milliseconds time{};  ///< Since the epoch of Unix.
  std::string json{};                ///< The server's reply as it came: one line.
};

/// Talks to the control socket of a running server. Synchronous. Control characters in what the
/// server says are replaced, but in `json`.
///
/// One call after the other, on one connection. A call that ends before its last answer has come
/// closes it: an upgrade that `on_phase` does not wait for, `timed_out`, `peer_gone`,
/// `protocol_violation`, a callback that throws. Every later call fails with
/// `boost::system::errc::not_connected`, and so does one that is made from within a callback:
/// connect again.
///
/// **Errors** of every call, beside those named with it: `timed_out`, `peer_gone`,
/// `protocol_violation`, `permission_denied` (the server does not trust this user), `not_connected`
/// as above, and those of the system where the socket fails.
///
/// **Thread-safety.** Distinct objects: safe. Shared objects: unsafe.
class GRACEFUL_API control_client {
 public:
  /// Connects to the control socket at `path` and checks that a process of the same user or root
  /// listens there, or anybody's if this process is root's. `deadline` bounds this call, and what
  /// is said so of below.
  ///
  /// **Errors.** `not_running`, `not_ready` (a process that holds the lock of the path did not
  /// listen there by the deadline), `permission_denied`, `path_in_use` (the path is no socket),
  /// `path_too_long`, `timed_out`, or those of the system.
  static result<control_client> connect(const std::string& path,
                                        std::chrono::milliseconds deadline);

  control_client(control_client&&) noexcept;
  control_client& operator=(control_client&&) noexcept;
  ~control_client();

  /// The answer comes within the deadline.
  result<server_status> status();

  /// Has the server spawn a successor and hand over to it. Returns when the successor is committed,
  /// with the last phase; `on_phase` sees every one, the last included, and returns false to wait
  /// no longer: that phase is then returned, and the connection closed. That does not end the
  /// upgrade.
  ///
  /// The first phase comes within the deadline; "ready" within `request.timeout` and 5 s for what
  /// a server does about a successor that is late. Without a `timeout` the server's own limit
  /// holds, which is not known here: up to a day and 5 s. So long may it take from "ready" to
  /// "committed", too: the server's probation.
  ///
  /// **Errors.** `busy`, `not_ready`, `upgrade_failed` (the server still serves; the message says
  /// why the successor failed), `not_running` (it failed because the server ends),
  /// `invalid_argument` (the request is no UTF-8, or too long for a call; nothing was sent),
  /// `incompatible_version` (it names a directory, and the server is of an older build, which would
  /// ignore that; nothing was begun).
  result<upgrade_phase> upgrade(const upgrade_request& request,
                                const std::function<bool(const upgrade_phase&)>& on_phase = {});

  /// What `upgrade` would do with this request, and what would keep it from that. Changes nothing.
  /// The answer comes within the deadline.
  ///
  /// **Errors.** `invalid_argument`, as `upgrade`; `incompatible_version` (the server is of an
  /// older build, which cannot say).
  result<upgrade_plan> plan(const upgrade_request& request);

  /// Ends the probation of a successor: it stays, or its predecessor serves again. The answer
  /// comes within the deadline; the server may need 3 s to find that a successor is lost.
  ///
  /// **Errors.** `no_upgrade` (none is in probation), `upgrade_failed` (commit: the successor did
  /// not answer, and was rolled back).
  result<void> commit();
  result<void> rollback();

  /// Gives up the upgrade that is under way, if it is not ready yet. The answer comes within the
  /// deadline.
  ///
  /// **Errors.** `no_upgrade` (none is under way, or its successor is ready already).
  result<void> abort();

  /// Ends the server without a successor, at once if `now`. Returns when it is about to exit, with
  /// the last report; `on_progress` sees every one, about one a second. A server that drains
  /// already is watched, and hurried if `now`. Each report comes within the deadline and a second;
  /// how many there are, `options::drain_timeout` of the server decides.
  ///
  /// **Errors.** `busy` (a successor is in probation).
  result<drain_progress> drain(bool now,
                               const std::function<void(const drain_progress&)>& on_progress = {});

  /// Tells everything that happens in the server, until it has handed over ("handed_over":
  /// connect again to watch its successor) or ends ("ended"); returns that last event. `on_event`
  /// sees every one, the last included. Waits for as long as that takes: nothing bounds it, and no
  /// silence is `timed_out`.
  result<server_event> monitor(const std::function<void(const server_event&)>& on_event);

  /// The answer comes within the deadline.
  result<server_metrics> metrics();

 private:
  class impl;
  explicit control_client(std::unique_ptr<impl> p) noexcept;
  std::unique_ptr<impl> impl_;
};

/// Where the server `name` of this user has its control socket, unless it says otherwise:
/// /run/graceful/NAME.sock for root. For others DIRECTORY/graceful/NAME.sock, where DIRECTORY is
/// /run/user/UID or, if that is not there, $XDG_RUNTIME_DIR; either counts only if it is a
/// directory of this user. Without both it is /tmp/graceful-UID/NAME.sock. UID is the effective
/// user's, and a set-id program does not look at the variable.
[[nodiscard]] GRACEFUL_API std::string default_control_path(std::string_view name);

/// The control sockets in that directory, sorted; none if there is no such directory. A server that
/// crashed may have left one.
///
/// **Errors.** `permission_denied` if others than this user can write to the directory: what is in
/// it may be anybody's.
[[nodiscard]] GRACEFUL_API result<std::vector<std::string>> find_control_paths();

}  // namespace graceful

#endif
