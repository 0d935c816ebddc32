// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OPTIONS_HPP
#define GRACEFUL_OPTIONS_HPP

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace graceful {

/// How much a log message matters, the most severe first.
enum class log_level { error, warning, info };

/// How an `upgrader` finds its control socket and how long it waits for others. Every duration is a
/// day at most: what is longer counts as that, and what is negative as 0.
struct options {
  /// Name of the server: letters, digits, '.', '_' and '-', not starting with '.' or '-'.
  /// `graceful-ctl upgrade NAME` finds the control socket by it, and no two running servers of
  /// one user share it. Required unless `control_path` is given, whose file name then serves.
  std::string name{};

  /// Path of the control socket. Default: `default_control_path(name)`; in a successor, that of its
  /// predecessor. The lock that guards it lies beside it, at the same path with ".lock" appended.
  /// If either, or their directory, is removed, the server puts it back within a few seconds, or as
  /// soon as it can.
  /// Where each release has a directory of its own the path has to be absolute: a relative one is
  /// another in the next release. In a set-id program a relative one is an error
  /// (`errc::invalid_argument`), as whoever started it chose the directory.
  std::string control_path{};

  /// Program and arguments of a successor. A program without a slash is looked up in PATH, a
  /// relative path from `directory` on. Default (empty): how this process was started, by the path
  /// that it was given, looked up again; so a replaced file is picked up. A set-id program executes
  /// the same file again, and otherwise only what is named by an absolute path, or found in /bin or
  /// /usr/bin: its path and PATH are chosen by whoever started it.
  std::vector<std::string> command{};

  /// The directory in which a successor starts; a relative path is one below the default. Default
  /// (empty): where this process was started, with the symbolic links that led there, as far as
  /// they are known: $PWD if it names this directory; else a directory on the way to the program,
  /// if that was started by an absolute path; else the only symbolic link beside this directory, or
  /// one of the two above, that leads to it and that no stranger has made. A link that leads
  /// elsewhere by then, to the next release, is followed.
  std::string directory{};

  /// As predecessor: what a successor executes is for nobody to choose who gives the order for an
  /// upgrade: COMMAND, --env and --directory of `graceful-ctl upgrade` are refused. A new build is
  /// put at the path of the old one. Default: false; then they are refused only to a process that
  /// lacks a capability which this one has, see capabilities(7).
  bool fixed_command = false;

  /// Take over from a server that already runs under this control path, even though it did not
  /// start this process. Default: false, so that a second copy started by accident ends with
  /// `errc::already_running`. The environment variable GRACEFUL_TAKEOVER=1 sets it too, but not in
  /// a set-id program. A process spawned by `graceful-ctl upgrade` needs neither.
  bool takeover = false;

  /// As predecessor: how long a successor may take from its start to `ready()`. A successor that
  /// this process spawned is killed when it is over. Default: 30 s.
  std::chrono::milliseconds ready_timeout{30'000};

  /// As predecessor: how long it keeps its sockets after a successor is ready, so that it can go on
  /// accepting if the successor dies or an operator wants it back. 0: no longer than the successor
  /// takes to confirm, as soon as it is ready, that it is there. Default: 5 s.
  std::chrono::milliseconds probation{5'000};

  /// Before a commit: how long the successor may take to confirm that it serves. That is asked of
  /// the application: of every executor on which it accepts, and of the upgrader's. A successor
  /// whose threads hang (a deadlock, a handler that blocks, a full pipe), or that listens on
  /// nothing of what it was handed, is rolled back. As successor: it gives up by itself, and says
  /// why, after three quarters of that. Default: 3 s.
  std::chrono::milliseconds confirm_timeout{3'000};

  /// As successor: how long the predecessor may take to answer each step. Default: 10 s.
  std::chrono::milliseconds handoff_timeout{10'000};

  /// In drain: how long the connections have, from its begin on; what is left then is cut. As
  /// predecessor: a successor that this process spawned, and that an order rolls back, has so long
  /// and 5 s more to end, whatever it grants itself; then it is killed. Default: 5 min.
  std::chrono::milliseconds drain_timeout{300'000};

  /// In drain, where the application owns an acceptor (`upgrader::listen` of one): when the last
  /// connection that was accepted has been closed, and nothing has happened on its threads for this
  /// long, the context is stopped. That ends what would keep `run()` from returning although nobody
  /// is served: accept loops that go on after any error, signal sets, timers. A longer time for an
  /// application that waits in silence for something when its clients have gone. Default: 2 s.
  std::chrono::milliseconds linger{2'000};

  /// In drain: how long a connection that says it is idle stays open after it has been told, so
  /// that a request that is under way to it still arrives. Default: 5 s.
  std::chrono::milliseconds idle_grace{5'000};

  /// In drain: the time over which the connections are told one after the other, so that their
  /// peers do not all connect again at once. Default: 1 s.
  std::chrono::milliseconds drain_spread{1'000};

  /// How many processes of earlier generations may drain at the same time. Beyond it the oldest is
  /// told to cut its connections, and the log says so. Default: 8.
  std::size_t max_draining = 8;

  /// Receives each log message that `log_threshold` lets pass. Called from the upgrader's own
  /// thread and from threads that call into the library, one call at a time; must not call back
  /// into the upgrader. Default (empty): one line on standard error for each; if that is the
  /// journal's, see JOURNAL_STREAM in systemd.exec(5), with a priority as of sd-daemon(3).
  std::function<void(log_level, std::string_view)> log{};

  /// The least severe level that is logged. Default: `info`.
  log_level log_threshold = log_level::info;
};

}  // namespace graceful

#endif
