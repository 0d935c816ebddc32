// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CONTROL_CLIENT_HPP
#define GRACEFUL_CONTROL_CLIENT_HPP

#include <graceful/detail/api.hpp>
#include <graceful/error.hpp>
#include <graceful/phases.hpp>
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

/// A process of a server that no longer accepts and lets its connections end.
struct draining_process {
  std::uint64_t generation{};
  std::int64_t pid{};
  std::optional<std::uint64_t> connections{};  ///< How many are left; none before it has reported.
  bool hurried = false;                        ///< Told to cut them, see `options::max_draining`.
};

/// The status of a running server.
struct server_status {
  std::string name{};
  std::uint64_t generation{};
  std::int64_t pid{};
  std::chrono::milliseconds uptime{};
  std::string state{};          ///< "starting", "serving", "upgrading", "probation" or "draining".
  std::string version{};        ///< The library's, in the server.
  std::uint64_t connections{};  ///< How many it tracks, see `upgrader::track`.
  std::vector<listener_status> listeners{};
  std::vector<draining_process> draining{};     ///< Other generations that live, oldest first.
  std::optional<std::int64_t> successor_pid{};  ///< The pid of a successor in probation.
  std::string last_failure{};                   ///< Why the last upgrade failed; empty if none did.
  std::string json{};                           ///< The server's reply, unchanged: one line.
  std::vector<std::string> dropped{};  ///< Listeners of its predecessor that it has not asked for.
  std::vector<std::string> dropped_addresses{};  ///< Their addresses; empty if the server is older.
};

/// How to start the successor.
struct upgrade_request {
  std::vector<std::string> command{};                ///< Empty: the server's own start command.
  std::map<std::string, std::string> environment{};  ///< Added to the server's start environment.
  std::optional<std::chrono::milliseconds>
      timeout{};            ///< How long until ready. Default: the server's.
  std::string directory{};  ///< An absolute path, to start in. Empty: the server's own.
};

/// A reason why there can be no upgrade now.
struct upgrade_obstacle {
  std::string kind{};  ///< "busy", "not_ready", "permission", "supervisor", "directory", "program".
  std::string message{};  ///< A text for people.
};

/// The plan of an upgrade.
struct upgrade_plan {
  std::string
      program{};  ///< The path that would be executed; as it was given if it does not exist.
  std::vector<std::string> arguments{};  ///< All of them, including argv[0].
  std::string directory{};
  std::map<std::string, std::string>
      environment{};                    ///< The differences from the server's at its start.
  std::uint64_t generation{};           ///< The successor's.
  std::chrono::milliseconds timeout{};  ///< How long until it has to be ready.
  std::chrono::milliseconds probation{};
  std::vector<listener_status> listeners{};   ///< Listeners that would be passed.
  std::vector<upgrade_obstacle> obstacles{};  ///< Empty: none is known.
  std::string json{};                         ///< The server's reply, unchanged: one line.
};

/// A phase that an upgrade has reached.
struct upgrade_phase {
  std::string phase{};                  ///< One of `phases`; "committed" is the last.
  std::chrono::milliseconds elapsed{};  ///< Time since the upgrade began.
  std::optional<std::chrono::milliseconds> duration{};  ///< Time since the phase before.
  std::optional<std::int64_t> pid{};                    ///< The successor's.
  std::optional<std::uint64_t> generation{};            ///< The successor's.
  std::optional<std::uint64_t> sockets{};               ///< How many were passed.
  std::string json{};                  ///< The server's reply, unchanged: one line.
  std::vector<std::string> dropped{};  ///< Listeners that the successor leaves, at "committed".
  std::vector<std::string> dropped_addresses{};  ///< Their addresses; empty if the server is older.
};

/// The progress of a drain.
struct drain_progress {
  std::string phase{};  ///< One of `phases`; "drained" is the last.
  std::chrono::milliseconds elapsed{};
  std::uint64_t connections{};  ///< How many tracked ones are left.
  std::uint64_t cut{};          ///< How many the deadline has cut.
  std::string json{};           ///< The server's reply, unchanged: one line.
};

/// The metrics of a running server.
struct server_metrics {
  std::string text{};  ///< OpenMetrics 1.0, see `upgrader::metrics`.
  std::string json{};  ///< The server's reply, unchanged: one line.
};

/// An event of a server.
struct server_event {
  /// "watching" (the first), "spawned", "begun", "passed", "ready", "committed", "failed" (an
  /// upgrade, or rolled back), "draining", "hurried", "generation_ended"; "handed_over" or "ended"
  /// (the last).
  std::string event{};
  std::string message{};  ///< A text for people.
  std::uint64_t generation{};
  std::int64_t pid{};
  std::chrono::milliseconds time{};  ///< Time since the Unix epoch.
  std::string json{};                ///< The server's reply, unchanged: one line.
};

/// Talks to the control socket of a running server. Synchronous. Control characters in the server's
/// texts are replaced, except in `json`.
///
/// Make one call after the other, on one connection. A call that ends before its last answer has
/// come closes the connection: an upgrade for which `on_phase` returns false, `timed_out`,
/// `peer_gone`, `protocol_violation`, a callback that throws. Every later call then fails with
/// `boost::system::errc::not_connected`, and so does a call from within a callback: connect again.
///
/// **Errors** of every call, beside those named with it: `timed_out`, `peer_gone`,
/// `protocol_violation`, `permission_denied` (the server does not trust this user), `not_connected`
/// as above, and those of the system if the socket fails.
///
/// **Thread-safety.** Distinct objects: safe. Shared objects: unsafe.
class GRACEFUL_API control_client {
 public:
  /// Connects to the control socket at `path` and checks that a process of the same user or root
  /// listens there. If this process is root's, it accepts any user's. `deadline` bounds this call,
  /// and the calls below whose comment says so.
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

  /// Makes the server spawn a successor and hand over to it. Returns when the successor is
  /// committed, with the last phase. `on_phase` is called for each phase, including the last. If it
  /// returns false, this call waits no longer: it returns that phase, and closes the connection.
  /// That does not end the upgrade.
  ///
  /// The first phase comes within the deadline. "ready" comes within `request.timeout` plus 5 s for
  /// what a server does about a late successor. Without a `timeout` the server's own limit applies,
  /// which this client does not know: up to a day plus 5 s. From "ready" to "committed", too, it
  /// may take as long as that: the server's probation.
  ///
  /// **Errors.** `busy`, `not_ready`, `upgrade_failed` (the server still serves; the message says
  /// why the successor failed), `not_running` (it failed because the server ends),
  /// `invalid_argument` (the request is not UTF-8, or too long for a call; nothing was sent),
  /// `incompatible_version` (the request names a directory, which the server's older build would
  /// ignore; nothing was begun).
  result<upgrade_phase> upgrade(const upgrade_request& request,
                                const std::function<bool(const upgrade_phase&)>& on_phase = {});

  /// Tells what `upgrade` would do with this request, and what would prevent it. Changes nothing.
  /// The answer comes within the deadline.
  ///
  /// **Errors.** `invalid_argument`, as of `upgrade`; `incompatible_version` (the server is of an
  /// older build, which cannot tell).
  result<upgrade_plan> plan(const upgrade_request& request);

  /// Ends the probation of a successor: it stays, or its predecessor resumes serving. The answer
  /// comes within the deadline; the server may need 3 s to find that a successor is lost.
  ///
  /// **Errors.** `no_upgrade` (no successor is in probation), `upgrade_failed` (commit: the
  /// successor did not answer, and was rolled back).
  result<void> commit();
  result<void> rollback();

  /// Gives up the upgrade in progress, if it is not ready yet. The answer comes within the
  /// deadline.
  ///
  /// **Errors.** `no_upgrade` (there is none, or its successor is ready already).
  result<void> abort();

  /// Ends the server without a successor, at once if `now`. Returns when the server is about to
  /// exit, with the last report; `on_progress` is called for each report, about one a second. If
  /// the server drains already, this call watches it, and hurries it if `now`. Each report comes
  /// within the deadline plus a second; `options::drain_timeout` of the server limits how many
  /// there are.
  ///
  /// **Errors.** `busy` (a successor is in probation).
  result<drain_progress> drain(bool now,
                               const std::function<void(const drain_progress&)>& on_progress = {});

  /// Reports every event of the server, until it has handed over ("handed_over": connect again to
  /// watch its successor) or ends ("ended"); returns that last event. `on_event` is called for each
  /// event, including the last. Waits for as long as that takes: no deadline applies, and silence
  /// is never `timed_out`.
  result<server_event> monitor(const std::function<void(const server_event&)>& on_event);

  /// The answer comes within the deadline.
  result<server_metrics> metrics();

 private:
  class impl;
  explicit control_client(std::unique_ptr<impl> p) noexcept;
  std::unique_ptr<impl> impl_;
};

/// The control path of the server `name` of this user, unless the server chooses another. For root:
/// /run/graceful/NAME.sock. For others: DIRECTORY/graceful/NAME.sock, where DIRECTORY is
/// /run/user/UID or, if that does not exist, $XDG_RUNTIME_DIR; either counts only if this user owns
/// the directory. Without both: /tmp/graceful-UID/NAME.sock. UID is that of the effective user, and
/// a set-id program ignores the variable.
[[nodiscard]] GRACEFUL_API std::string default_control_path(std::string_view name);

/// The control sockets in that directory, sorted; none if there is no such directory. A server that
/// crashed may have left one.
///
/// **Errors.** `permission_denied` if users other than this one can write to the directory: anybody
/// may have put files there.
[[nodiscard]] GRACEFUL_API result<std::vector<std::string>> find_control_paths();

}  // namespace graceful

#endif
