// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OPTIONS_HPP
#define GRACEFUL_OPTIONS_HPP

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace graceful {

/// The severity of a log message, the most severe first.
enum class log_level { error, warning, info };

/// How an `upgrader` finds its control socket and how long it waits for other processes. A duration
/// of more than a day counts as a day, a negative one as 0.
struct options {
  /// Name of the server: letters, digits, '.', '_' and '-', not starting with '.' or '-'.
  /// `graceful-ctl upgrade NAME` finds the control socket by it, and no two running servers of
  /// one user share it. Required unless `control_path` is given, whose file name then serves.
  std::string name{};

  /// Path of the control socket. Default: `default_control_path(name)`; in a successor, that of its
  /// predecessor. The lock that guards it is beside it, at the same path with ".lock" appended. If
  /// either, or their directory, is removed, the server puts it back within a few seconds, or as
  /// soon as it can.
  ///
  /// If each release has a directory of its own, the path has to be absolute: a relative one is a
  /// different path in the next release. In a set-id program a relative path is an error
  /// (`errc::invalid_argument`), because its caller chose the directory.
  std::string control_path{};

  /// Program and arguments of a successor. A program without a slash is looked up in PATH; a
  /// relative path counts from `directory`. Default (empty): as this process was started, by the
  /// path that it was given, looked up again, so that a replaced file takes effect. A set-id
  /// program executes the very same file again. Otherwise it executes only a program that is named
  /// by an absolute path, or found in /bin or /usr/bin: its caller chooses its path and PATH.
  std::vector<std::string> command{};

  /// The directory in which a successor starts; a relative path counts from the default. Default
  /// (empty): the directory in which this process was started, with the symbolic links that led
  /// there, as far as they are known. The first of these counts: $PWD, if it names this directory;
  /// a directory on the way to the program, if that was started by an absolute path; the only
  /// symbolic link that leads to this directory, or to one of the two above it, that is beside its
  /// target, and that no stranger has made. If the link leads elsewhere by then, to the next
  /// release, it is followed.
  std::string directory{};

  /// Whether callers that order an upgrade of this process may not choose what the successor
  /// executes. If true, COMMAND, --env and --directory of `graceful-ctl upgrade` are refused; a new
  /// build has to be put at the path of the old one. Default: false. Then they are refused only to
  /// a process that lacks a capability which this one has, see capabilities(7).
  bool fixed_command = false;

  /// Take over from a server that already runs under this control path, even though it did not
  /// start this process. Default: false, so that a second copy started by accident ends with
  /// `errc::already_running`. The environment variable GRACEFUL_TAKEOVER=1 sets it too, but not in
  /// a set-id program. A process spawned by `graceful-ctl upgrade` needs neither.
  bool takeover = false;

  /// How long a successor of this process may take from its start to `ready()`. Then a successor
  /// that this process spawned is killed. Default: 30 s.
  std::chrono::milliseconds ready_timeout{30'000};

  /// How long this process keeps its sockets after its successor is ready, so that it can resume
  /// accepting if the successor dies or an operator rolls back. 0: only until the successor
  /// confirms, as soon as it is ready, that it serves. Default: 5 s.
  std::chrono::milliseconds probation{5'000};

  /// How long the successor may take before a commit to confirm that it serves. The application has
  /// to confirm: every executor on which it accepts, and the upgrader's. The predecessor rolls a
  /// successor back if its threads hang (a deadlock, a handler that blocks, a full pipe), or if it
  /// was handed listeners and listens on nothing. A successor gives up by itself, and says why,
  /// after three quarters of its own `confirm_timeout`. Default: 3 s.
  std::chrono::milliseconds confirm_timeout{3'000};

  /// How long the predecessor of this process may take to answer each step. Default: 10 s.
  std::chrono::milliseconds handoff_timeout{10'000};

  /// How long the connections have from the start of the drain; those that are left then are cut. A
  /// successor that this process spawned, and that an order rolls back, has this long plus 5 s to
  /// end, whatever its own option says; then it is killed. Default: 5 min.
  std::chrono::milliseconds drain_timeout{300'000};

  /// How long nothing may happen on the application's threads, in a drain, before the context is
  /// stopped. This applies when the application owns an acceptor (`upgrader::listen` of one), and
  /// counts once the last accepted connection has been closed. It ends what would keep `run()` from
  /// returning although no client is served: accept loops that go on after any error, signal sets,
  /// timers. Set a longer time if the application waits for something without any activity after
  /// its clients have disconnected. Default: 2 s.
  std::chrono::milliseconds linger{2'000};

  /// How long a connection that says it is idle stays open after it has been told of the drain, so
  /// that a request that is already on its way still arrives. Default: 5 s.
  std::chrono::milliseconds idle_grace{5'000};

  /// The time over which a drain tells the connections, one after the other, so that their peers do
  /// not all reconnect at once. Default: 1 s.
  std::chrono::milliseconds drain_spread{1'000};

  /// How many processes of earlier generations may drain at the same time. Beyond that the oldest
  /// is told to cut its connections, and the log says so. Default: 8.
  std::size_t max_draining = 8;

  /// Receives each log message that `log_threshold` lets pass. Called from the upgrader's own
  /// thread and from threads that call into the library, one call at a time; must not call back
  /// into the upgrader. Default (empty): one line on standard error for each message. If that is
  /// the journal's, see JOURNAL_STREAM in systemd.exec(5), the line has a priority as of
  /// sd-daemon(3).
  std::function<void(log_level, std::string_view)> log{};

  /// The least severe level that is logged. Default: `info`.
  log_level log_threshold = log_level::info;
};

}  // namespace graceful

#endif
