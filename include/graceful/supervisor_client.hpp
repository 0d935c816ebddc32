// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SUPERVISOR_CLIENT_HPP
#define GRACEFUL_SUPERVISOR_CLIENT_HPP

#include <graceful/detail/api.hpp>
#include <graceful/error.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace graceful {

/// A socket of the server that its supervisor keeps open too.
struct kept_socket {
  std::string name{};
  std::string address{};  ///< "127.0.0.1:80"; empty if it is no TCP socket.
};

/// The status of a supervisor.
struct supervisor_status {
  std::int64_t pid{};
  std::chrono::milliseconds uptime{};
  /// "starting" (the server), "serving", "waiting" (to restart it), "ending" (waiting for older
  /// processes of the server).
  std::string state{};
  std::string version{};                   ///< The library's, in the supervisor.
  std::optional<std::int64_t> main_pid{};  ///< The server's pid, if it runs.
  std::string said{};                      ///< The STATUS that the server sent: sd_notify(3).
  std::uint64_t restarts{};       ///< Restarts after failures, since the supervisor started.
  std::uint64_t failures{};       ///< Failures in a row.
  std::uint64_t failure_limit{};  ///< Failures in a row that end the supervisor; 0: none.
  std::string last_failure{};     ///< How the server last failed.
  std::optional<std::chrono::milliseconds> wait{};  ///< Time until it is restarted.
  std::vector<kept_socket> kept{};
  std::string json{};  ///< The supervisor's reply, unchanged: one line.
};

/// Talks to a supervisor, see `supervisor`. Synchronous. Control characters in its texts are
/// replaced, except in `json`.
///
/// **Thread-safety.** Distinct objects: safe. Shared objects: unsafe.
class GRACEFUL_API supervisor_client {
 public:
  /// The same as `control_client::connect`.
  ///
  /// **Errors.** `not_running`, `permission_denied`, `path_in_use` (the path is no socket),
  /// `path_too_long`, `timed_out`.
  static result<supervisor_client> connect(const std::string& path,
                                           std::chrono::milliseconds deadline);

  supervisor_client(supervisor_client&&) noexcept;
  supervisor_client& operator=(supervisor_client&&) noexcept;
  ~supervisor_client();

  /// **Errors.** `timed_out`, `peer_gone`, `protocol_violation`.
  result<supervisor_status> status();

  /// Makes the supervisor execute its own program again, which may be another build by now. Its
  /// pid, the server, and the kept sockets stay. Returns when the new program is in charge.
  ///
  /// **Errors.** `upgrade_failed` (the program cannot be executed, or does not start as a
  /// supervisor in a first trial: the running supervisor continues as it is), `timed_out`,
  /// `peer_gone` (the new program has failed: the server keeps serving without a supervisor, start
  /// one), `protocol_violation`.
  result<void> reexec();

 private:
  class impl;
  explicit supervisor_client(std::unique_ptr<impl> p) noexcept;
  std::unique_ptr<impl> impl_;
};

/// The default path of the supervisor's socket, for the server with this control path.
[[nodiscard]] GRACEFUL_API std::string default_supervisor_path(std::string_view control_path);

}  // namespace graceful

#endif
