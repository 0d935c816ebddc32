// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SUPERVISOR_KEEPER_HPP
#define GRACEFUL_SUPERVISOR_KEEPER_HPP

#include "os/child.hpp"
#include "supervisor/notification.hpp"

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <sys/types.h>

/// The supervisor's part in the life of a server, without I/O and without a clock: events and times
/// in, actions out.
namespace graceful::supervision {

using time = std::chrono::steady_clock::time_point;

using os::ending;

/// What a shell would say: 128 + n for a signal; 1 if it is not known.
int exit_code(const ending& how);

struct restart_limits {
  std::chrono::milliseconds first_delay;  ///< Doubled with each failure in a row.
  std::chrono::milliseconds longest_delay;
  unsigned failures;                        ///< In a row, the last of which ends it; 0: no limit.
  std::chrono::milliseconds good_while;     ///< Served so long: what failed before is forgiven.
  std::chrono::milliseconds ready_timeout;  ///< From the start of a program that speaks sd_notify.
};

namespace event {
struct begin {};  ///< Nothing runs yet.
struct adopt {    ///< The server runs already: a supervisor before this one had started it.
  pid_t pid;
};
struct started {
  pid_t pid;
};
struct not_started {  ///< `code` is what a shell would exit with.
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
  bool speaker_left = false;    ///< The speaker lives, and has lost its parent.
  std::optional<pid_t> heir{};  ///< Serves the control path, if that is another process by now.
  bool left_others = false;     ///< Processes that it has started live.
};
/// Another process than main has come to serve the control path: it has been upgraded, and may not
/// have been able to say so.
struct serves {
  pid_t pid;
};
struct told {  ///< This process got a signal that is meant for the server.
  int signal;
  bool to_all = false;  ///< By a terminal, which tells all processes of a group.
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
  bool to_group = false;  ///< To all of the process group that it leads, if it does.
};
/// Have `ended` told of this process; at once, if there is none.
struct follow {
  pid_t pid;
};
struct note {
  enum class kind { error, warning, info } what;
  std::string text;
};
/// Nobody is to accept any more: what is kept of the server is let go, since who connects would
/// wait for nobody; and nothing more is kept.
struct release {};
/// There is a server after all: what it deposits is kept as before.
struct keep {};
/// The supervisor ends.
struct finish {
  int code;
};
}  // namespace action

using keeper_action = std::variant<action::start, action::send, action::follow, action::note,
                                   action::release, action::keep, action::finish>;
using keeper_actions = std::vector<keeper_action>;

enum class phase { starting, serving, waiting, ending, over };
std::string_view to_string(phase p);

/// All that it remembers.
struct memory {
  phase now = phase::starting;
  std::optional<pid_t> main{};
  std::optional<pid_t> speaker{};  ///< Said that the server is ready; it may not be `main`.
  std::set<pid_t> formers{};       ///< Were main once, or a successor that went back, and live.
  /// Said that it is main, and when, while that lived for all that is known here.
  std::optional<std::pair<pid_t, time>> claimant{};
  bool ever_started = false;
  bool spoke = false;  ///< It speaks sd_notify.
  bool ready = false;
  bool overdue = false;       ///< Killed because it was not ready.
  bool stopping = false;      ///< It says that it ends.
  std::optional<time> due{};  ///< When it is started again, has to be ready, or is told to end.
  time begun{};               ///< When main was started, or ready.
  std::string status{};       ///< What it says of itself.
  std::string last_end{};     ///< How the last one ended that failed.
  int last_code = 0;
  unsigned failures = 0;  ///< In a row.
  unsigned restarts = 0;
  unsigned told = 0;  ///< How often to end.
};

class keeper {
 public:
  explicit keeper(const restart_limits& limits, memory m = {})
      : limits_{limits}, memory_{std::move(m)} {}

  keeper_actions resume(const keeper_event& e, time now);

  /// When to come with a tick; none if there is nothing to wait for.
  [[nodiscard]] std::optional<time> next() const { return memory_.due; }

  /// Whether that would be the end of the service, also if older processes are still waited for.
  [[nodiscard]] bool would_finish(const event::ended& e, time now) const;

  [[nodiscard]] const memory& remembered() const { return memory_; }
  [[nodiscard]] const restart_limits& limits() const { return limits_; }

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
  void note(action::note::kind what, std::string text);

  restart_limits limits_;
  memory memory_;
  keeper_actions actions_;
};

}  // namespace graceful::supervision

#endif
