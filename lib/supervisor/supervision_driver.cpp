// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/supervision_driver.hpp"

#include "control/await.hpp"
#include "os/process_identity.hpp"
#include "os/system_failure.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace graceful {

namespace {

namespace event = supervision::event;
namespace action = supervision::action;
using clock = std::chrono::steady_clock;

constexpr const char* takeover_variable = "GRACEFUL_TAKEOVER";

/// The exit codes of a shell.
constexpr int not_found = 127;
constexpr int not_executable = 126;

constexpr std::size_t most_recent = 64;

/// How long a successor may take after its predecessor's end until it listens on the control path.
/// Allows for a busy machine, and for a removed path that has to be put back.
constexpr std::chrono::seconds time_to_serve{5};
constexpr std::chrono::milliseconds ask_again_after{20};  // no event tells that another process
                                                          // listens

constexpr std::chrono::seconds follow_again_after{1};

bool has_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

bool is_live_child(pid_t pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == 0;
}

os::ending ending_of(const siginfo_t& info) {
  using kind = os::ending::kind;
  return {info.si_code == CLD_EXITED ? kind::exited : kind::signalled, info.si_status};
}

}  // namespace

supervision_driver::supervision_driver(asio::io_context& context, log& log, deposit& kept,
                                       settings s, supervision::memory remembered, callbacks on)
    : context_{context},
      log_{log},
      kept_{kept},
      server_{std::move(s.server)},
      keeper_{s.limits, std::move(remembered)},
      callbacks_{std::move(on)},
      timer_{context},
      ask_again_{context},
      follow_again_{context} {}

void supervision_driver::adopt(named_process server) {
  server_.unset(takeover_variable);
  const pid_t pid = server.pid;
  introduce(std::move(server));
  apply(event::adopt{pid});
}

void supervision_driver::resume() {
  server_.unset(takeover_variable);
  kept_.read();  // a process that has gone may have named its successor
  auto processes = remembered().formers;
  for (const auto& who : {remembered().main, remembered().speaker}) {
    if (who) processes.insert(*who);
  }
  for (const pid_t pid : processes) follow(pid);
  reap();
  arm();
}

void supervision_driver::said(speaker by, supervision::notification what) {
  if (const auto number = std::exchange(what.main_pid, {})) {
    auto named = named_main(by, *number);
    if (named) {
      what.main_pid = named->pid;
      introduce(std::move(*named));
    } else {
      log_.warning(
          "pid " + std::to_string(by.pid) + " says that pid " + std::to_string(*number) +
          " is the main process; ignored, since the supervisor sees no process of that number "
          "that could be the server (in the PID namespace of the one that says so, and below the "
          "supervisor or of the same user)");
    }
  }
  introduce({.pid = by.pid, .pidfd = std::move(by.pidfd)});
  apply(event::said{by.pid, std::move(what)});
}

void supervision_driver::serves(named_process who) {
  const pid_t pid = who.pid;
  introduce(std::move(who));
  apply(event::serves{pid});
}

void supervision_driver::introduce(named_process who) {
  if (who.pidfd || who.gone) introduced_.insert_or_assign(who.pid, std::move(who.pidfd));
}

void supervision_driver::forget_introduced() {
  std::erase_if(introduced_,
                [this](const auto& each) { return !unfollowed_.contains(each.first); });
}

/// None if it has ended; errno is then that of pidfd_open(2).
std::optional<os::child> supervision_driver::held(pid_t pid) {
  const auto found = introduced_.find(pid);
  if (found == introduced_.end()) return os::child::of(pid);
  unique_fd pidfd{std::move(found->second)};
  introduced_.erase(found);
  errno = ESRCH;
  return pidfd ? std::optional{os::child::held(pid, std::move(pidfd))} : std::nullopt;
}

void supervision_driver::apply(supervision::keeper_event event) {
  events_.push_back(std::move(event));
  if (std::exchange(applying_, true)) return;
  // Runs after an exception too: later events must not wait for ever.
  const std::unique_ptr<bool, void (*)(bool*)> at_last{&applying_,
                                                       [](bool* applying) { *applying = false; }};
  const auto before = remembered().main;
  while (!events_.empty()) {
    auto next = std::move(events_.front());
    events_.pop_front();
    if (auto* e = std::get_if<event::ended>(&next); e != nullptr && put_off(*e)) continue;
    for (const auto& each : keeper_.resume(next, clock::now())) perform(each);
  }
  forget_introduced();
  if (remembered().main && remembered().main != before) callbacks_.main_is(*remembered().main);
  arm();
}

/// The end of main ends the service only if no process serves in its place: the server may have
/// been upgraded without being able to say so. True if that is not known yet.
bool supervision_driver::put_off(event::ended& e) {
  const bool meanwhile = undecided_ && undecided_->what.pid == e.pid && e.pid != remembered().main;
  if (meanwhile) undecided_.reset();  // another process has become main
  if (e.pid != remembered().main || (e.speaker_left && remembered().speaker)) return false;
  const auto now = clock::now();
  auto next = callbacks_.after(e.pid);
  e.heir = next.heir;
  if (e.heir) introduce({.pid = *e.heir, .pidfd = std::move(next.pidfd)});
  const bool wait = !e.heir && next.may_come && !remembered().stopping &&
                    keeper_.would_finish(e, now) && (!undecided_ || now < undecided_->until);
  if (!wait) {
    undecided_.reset();
    return false;
  }
  if (!undecided_) undecided_ = {e, now + time_to_serve};
  call_after(ask_again_, ask_again_after, [this] {
    if (undecided_) apply(undecided_->what);
  });
  return true;
}

void supervision_driver::perform(const supervision::keeper_action& action) {
  if (std::holds_alternative<action::start>(action)) return start();
  if (const auto* it = std::get_if<action::send>(&action)) return signal(*it);
  if (const auto* it = std::get_if<action::follow>(&action)) return follow(it->pid);
  if (std::holds_alternative<action::release>(action)) return kept_.release();
  if (std::holds_alternative<action::keep>(action)) return kept_.keep_again();
  if (const auto* it = std::get_if<action::finish>(&action)) return callbacks_.finished(it->code);
  const auto& note = std::get<action::note>(action);
  log_.write(note.level, note.text);
}

void supervision_driver::start() {
  // The server gets its own process group. Signals are passed on, so a signal that a terminal or
  // kill(2) sends to this process's group would reach the server twice, and a second SIGTERM means
  // impatience.
  auto started = os::child::spawn(server_, os::placement::leader, kept_.for_start());
  // A later start must not take over: the server that failed was this supervisor's own.
  server_.unset(takeover_variable);
  if (started) {
    const pid_t pid = started->pid();
    known_.insert_or_assign(pid, known{std::move(*started), {}});
    return apply(event::started{pid});
  }
  const auto& why = started.error();
  const bool absent = why.code == os::system_code(ENOENT);
  apply(event::not_started{absent ? not_found : not_executable,
                           why.message + "; check the command behind --"});
}

void supervision_driver::follow(pid_t pid) {
  if (known_.contains(pid)) return;
  const auto failed = try_to_follow(pid);
  if (!failed) return;
  // Do not take it for dead: it may be the server. The end of a child is reported in any case.
  if (unfollowed_.insert(pid).second) {
    log_.error("cannot watch pid " + std::to_string(pid) + ": " + failed.message() +
               os::remedy(failed) + "; the supervisor tries again every second");
  }
  call_after(follow_again_, follow_again_after, [this] {
    for (const pid_t each : std::exchange(unfollowed_, {})) follow(each);
    forget_introduced();
  });
}

/// Succeeds also if the process has ended.
boost::system::error_code supervision_driver::try_to_follow(pid_t pid) {
  auto process = held(pid);
  if (!process) {
    const int why = errno;
    const bool thread = why == EINVAL || why == ENOENT;  // the number is that of a thread
    if (why != ESRCH && !thread) return os::system_code(why);
    const auto recent = recent_.find(pid);
    apply(event::ended{pid, recent == recent_.end() ? os::ending{} : recent->second});
    return {};
  }
  std::optional<asio::posix::stream_descriptor> watched;
  const bool child = os::is_child(pid);  // SIGCHLD reports its end
  if (!child) {
    unique_fd copy{::fcntl(process->pidfd(), F_DUPFD_CLOEXEC, 0)};
    boost::system::error_code failed = os::system_code(copy ? 0 : errno);
    if (copy) watched.emplace(context_).assign(copy.get(), failed);
    if (failed) {
      introduced_.insert_or_assign(pid, std::move(*process).let_go());  // its number may be reused
      return failed;
    }
    (void)copy.release();
  }
  known_.emplace(pid, known{std::move(*process), std::move(watched)});
  if (!child) watch(pid);
  return {};
}

void supervision_driver::watch(pid_t pid) {
  auto& descriptor = *known_.at(pid).watch;
  await_readable(descriptor, [this, pid] {
    const auto found = known_.find(pid);
    if (found == known_.end() || !found->second.watch) return;
    const auto how = found->second.process.reap();
    if (!how) return watch(pid);  // the wake-up was spurious
    kept_.read();
    ended(pid, *how);
  });
}

void supervision_driver::reap() {
  for (;;) {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
      if (errno == EINTR) continue;
      return;
    }
    if (info.si_pid == 0) return;
    // Read its messages before its end is reported: it sent them first.
    kept_.read();
    ::waitid(P_PID, static_cast<id_t>(info.si_pid), &info, WEXITED | WNOHANG);
    ended(info.si_pid, ending_of(info));
  }
}

void supervision_driver::ended(pid_t pid, const os::ending& how) {
  if (known_.erase(pid) == 0) {
    if (recent_.size() >= most_recent) recent_.clear();
    recent_.insert_or_assign(pid, how);
  }
  const auto speaker = remembered().speaker;
  apply(event::ended{.pid = pid,
                     .how = how,
                     .speaker_left = speaker && *speaker != pid && is_live_child(*speaker),
                     .left_others = has_children()});
}

void supervision_driver::signal(const supervision::action::send& what) {
  const pid_t group = what.to_group ? ::getpgid(what.pid) : 0;
  if (group > 0 && group == ::getpgrp()) return;  // the terminal has already told it
  const auto failed = tell(what);
  // Log whatever is not passed on: its sender waits for an effect.
  if (!failed || failed == os::system_code(ESRCH)) return;
  const char* const name = ::sigabbrev_np(what.signal);
  log_.error("cannot send signal " + std::to_string(what.signal) +
             (name == nullptr ? "" : std::string{" (SIG"} + name + ")") + " to pid " +
             std::to_string(what.pid) + ": " + failed.message() +
             (failed == os::system_code(EPERM)
                  ? "; it runs as another user than the supervisor: send it as root, and run "
                    "graceful-ctl run as root, or as that user"
                  : "; send it with kill(1)"));
}

boost::system::error_code supervision_driver::tell(const supervision::action::send& what) {
  const auto found = known_.find(what.pid);
  if (found == known_.end()) {
    // It could not be followed. The number of a child is its own until it is reaped.
    if (!os::is_child(what.pid))
      return os::system_code(unfollowed_.contains(what.pid) ? EMFILE : ESRCH);
    return os::system_code(::kill(what.pid, what.signal) == 0 ? 0 : errno);
  }
  auto& process = found->second.process;
  // Only in a group that it leads are all processes known to be the server's.
  if (!what.to_group || ::getpgid(what.pid) != what.pid) return process.signal(what.signal);
  const auto failed = process.signal(0);
  // Without a pidfd the number may belong to another process by now, unless it is a child of this
  // one.
  if (failed && (failed == os::system_code(ESRCH) || !os::is_child(what.pid))) return failed;
  const int told = ::kill(-what.pid, what.signal) == 0 ? 0 : errno;
  return failed ? failed : os::system_code(told);
}

void supervision_driver::arm() {
  timer_.cancel();
  const auto due = keeper_.next();
  if (due) call_at(timer_, *due, [this] { apply(event::tick{}); });
}

}  // namespace graceful
