// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/options.hpp>

#include "os/child.hpp"
#include "supervisor/notification.hpp"

#include <boost/json/fwd.hpp>

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <sys/types.h>

/// The supervisor's view of the life of a server. No I/O and no clock: events and times in, actions
/// out.
namespace graceful::supervision {

using time = std::chrono::steady_clock::time_point;

using os::ending;

struct restart_limits {
  std::chrono::milliseconds first_delay;  ///< Doubled with each failure in a row.
  std::chrono::milliseconds longest_delay;
  unsigned failures;  ///< In a row; the last of these ends the service; 0: no limit.
  std::chrono::milliseconds good_while;     ///< After this time of service, earlier failures are
                                            ///< forgiven.
  std::chrono::milliseconds ready_timeout;  ///< Counts from the start of a program that speaks
                                            ///< sd_notify.
};

namespace event {
struct begin {};  ///< No server runs yet.
struct adopt {    ///< The server already runs: an earlier supervisor has started it.
  pid_t pid;
};
struct started {
  pid_t pid;
};
struct not_started {  ///< `code` is the exit code that a shell would use.
  int code;
  std::string why;
};
struct said {
  pid_t by;  ///< 0: it is not visible from here.
  notification what;
};
struct ended {
  pid_t pid;
  ending how;
  bool speaker_left = false;    ///< The speaker is alive, and has lost its parent.
  std::optional<pid_t> heir{};  ///< The process that serves the control path, if that is another
                                ///< one by now.
  bool left_others = false;     ///< Processes that it has started are alive.
};
/// A process other than main has come to serve the control path: the server was upgraded, perhaps
/// without being able to say so.
struct serves {
  pid_t pid;
};
struct told {  ///< This process got a signal that is meant for the server.
  int signal;
  bool to_all = false;  ///< A terminal sent it to all processes of a group.
};
struct tick {};  ///< Time has passed.
}  // namespace event

using keeper_event =
    std::variant<event::begin, event::adopt, event::started, event::not_started, event::said,
                 event::ended, event::serves, event::told, event::tick>;

namespace action {
struct start {};
struct send {
  pid_t pid;
  int signal;
  bool to_group = false;  ///< To its whole process group, if it leads one.
};
/// Report `ended` for this process; at once if there is no such process.
struct follow {
  pid_t pid;
};
struct note {
  log_level level;
  std::string text;
};
/// No process will accept any more: release what is kept of the server, since a client that
/// connects would wait for ever; and keep nothing more.
struct release {};
/// There is a server after all: keep what it stores, as before.
struct keep {};
struct finish {
  int code;
};
}  // namespace action

using keeper_action = std::variant<action::start, action::send, action::follow, action::note,
                                   action::release, action::keep, action::finish>;
using keeper_actions = std::vector<keeper_action>;

enum class phase { starting, serving, waiting, ending, over };
std::string_view to_string(phase p);

/// Everything that the keeper remembers.
struct memory {
  phase now = phase::starting;
  std::optional<pid_t> main{};
  std::optional<pid_t> speaker{};  ///< The process that said that the server is ready; it may not
                                   ///< be `main`.
  std::set<pid_t> formers{};  ///< Live processes that were main once, or are successors that were
                              ///< rolled back.
  /// The process that said that it is main while main seemed to be alive, and when.
  std::optional<std::pair<pid_t, time>> claimant{};
  bool ever_started = false;
  bool spoke = false;  ///< The server speaks sd_notify.
  bool ready = false;
  bool overdue = false;       ///< Killed because it was not ready in time.
  bool stopping = false;      ///< It has said that it ends.
  std::optional<time> due{};  ///< When the server is started again, must be ready, or is told to
                              ///< end.
  time begun{};               ///< When main was started, or became ready.
  std::string status{};       ///< What the server says about itself.
  std::string last_end{};     ///< How the last server that failed ended.
  int last_code = 0;
  unsigned failures = 0;  ///< In a row.
  unsigned restarts = 0;
  unsigned told = 0;  ///< How often the server was told to end.
};

/// The same as text, for the next program that this process executes. Times count from the start of
/// the system, so they mean the same there.
boost::json::object to_json(const memory& m);

/// Values that are missing or have a wrong type are those of a new keeper: another build may have
/// written the text.
memory memory_from(const boost::json::object& o);

class keeper {
 public:
  explicit keeper(const restart_limits& limits, memory m = {})
      : limits_{limits}, memory_{std::move(m)} {}

  keeper_actions resume(const keeper_event& e, time now);

  /// When to send a tick; none if there is nothing to wait for.
  [[nodiscard]] std::optional<time> next() const { return memory_.due; }

  /// Whether this event would end the service, even if older processes still have to end.
  [[nodiscard]] bool would_finish(const event::ended& e, time now) const;

  [[nodiscard]] const memory& remembered() const { return memory_; }

 private:
  void on(const event::begin& e, time now);
  void on(const event::adopt& e, time now);
  void on(const event::started& e, time now);
  void on(const event::not_started& e, time now);
  void on(const event::said& e, time now);
  void on(const event::ended& e, time now);
  void on(const event::serves& e, time now);
  void on(const event::told& e, time now);
  void on(const event::tick& e, time now);

  [[nodiscard]] bool may_name_main(pid_t who) const;
  void become_main(pid_t pid, time now);
  void be_ready(pid_t who, time now);
  void leave_to_speaker(const event::ended& e, time now);
  void forgive(time now);
  void fail(const std::string& how, int code, time now);
  void finish(int code);
  void note(log_level level, std::string text);

  restart_limits limits_;
  memory memory_;
  keeper_actions actions_;
};

}  // namespace graceful::supervision
