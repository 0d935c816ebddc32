// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "os/child.hpp"
#include "os/log.hpp"
#include "os/start_command.hpp"
#include "supervisor/deposit.hpp"
#include "supervisor/keeper.hpp"
#include "supervisor/server_process.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include <sys/types.h>

namespace graceful {

namespace asio = boost::asio;

/// Does what the keeper decides: starts processes, signals them, and reports their ends.
class supervision_driver {
 public:
  struct settings {
    os::start_command server;
    supervision::restart_limits limits;
  };
  struct callbacks {
    std::function<void(pid_t)> main_is;
    std::function<serving_watch::after(pid_t)> after;  ///< Which process serves after this one has
                                                       ///< ended.
    std::function<void(int)> finished;
  };

  /// `kept`: what the server says, which is read before the ends of processes are reported, and
  /// stores: a new process gets that.
  supervision_driver(asio::io_context& context, log& log, deposit& kept, settings s,
                     supervision::memory remembered, callbacks on);

  // Call one of these, once.
  void begin() { apply(supervision::event::begin{}); }
  void adopt(named_process server);
  void resume();  ///< Goes on with what is remembered.

  void said(speaker by, supervision::notification what);
  /// `to_all`: a terminal sent it to the whole group.
  void told(int signal, bool to_all) { apply(supervision::event::told{signal, to_all}); }

  /// This process has come to serve in place of main.
  void serves(named_process who);

  /// Main has ended, and it is not decided yet whether another process is about to serve.
  [[nodiscard]] bool undecided() const { return undecided_.has_value(); }

  /// Reaps all processes that have ended, even unknown ones.
  void reap();

  [[nodiscard]] const supervision::memory& remembered() const { return keeper_.remembered(); }

 private:
  struct known {
    os::child process;
    std::optional<asio::posix::stream_descriptor> watch;  ///< For a process that is not a child.
  };

  struct undecided_end {
    supervision::event::ended what;
    supervision::time until;
  };

  void apply(supervision::keeper_event event);
  void introduce(named_process who);
  void forget_introduced();
  [[nodiscard]] std::optional<os::child> held(pid_t pid);
  [[nodiscard]] bool put_off(supervision::event::ended& e);
  void perform(const supervision::keeper_action& action);
  void start();
  void ended(pid_t pid, const os::ending& how);
  void follow(pid_t pid);
  [[nodiscard]] boost::system::error_code try_to_follow(pid_t pid);
  void watch(pid_t pid);
  void signal(const supervision::action::send& what);
  boost::system::error_code tell(const supervision::action::send& what);
  void arm();

  asio::io_context& context_;
  log& log_;
  deposit& kept_;
  os::start_command server_;
  supervision::keeper keeper_;
  const callbacks callbacks_;
  std::map<pid_t, known> known_;
  /// Processes that are named by pending events; empty: ended. Held from then on, because a number
  /// may belong to another process when the keeper follows it.
  std::map<pid_t, unique_fd> introduced_;
  std::map<pid_t, os::ending> recent_;  ///< How children ended that were not known yet.
  std::deque<supervision::keeper_event> events_;
  bool applying_ = false;
  asio::steady_timer timer_;
  std::optional<undecided_end> undecided_;
  asio::steady_timer ask_again_;
  std::set<pid_t> unfollowed_;  ///< For lack of descriptors.
  asio::steady_timer follow_again_;
};

}  // namespace graceful
