// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "service/service.hpp"

#include <graceful/phases.hpp>

#include "control/await.hpp"
#include "os/at_start.hpp"
#include "os/control_path.hpp"
#include "os/listening_socket.hpp"
#include "os/system_failure.hpp"
#include "os/text.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include <time.h>
#include <unistd.h>

namespace graceful {

namespace {

/// How much more time this process asks for, every second while it ends.
constexpr std::chrono::seconds extension{10};

/// How long this process waits at its end for a manager that does not read.
constexpr std::chrono::seconds patience{5};

std::string monotonic_usec() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::to_string(static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000);
}

std::string extend_timeout() {
  return "EXTEND_TIMEOUT_USEC=" + std::to_string(std::chrono::microseconds{extension}.count());
}

std::string counted(std::uint64_t connections) {
  return std::to_string(connections) + (connections == 1 ? " connection" : " connections");
}

/// "generation 3 serves", or "generation 3 serves, 41 connections draining on 812" where others
/// drain.
std::string serving_text(std::uint64_t generation, const std::vector<draining_process>& others) {
  std::string text = "generation " + std::to_string(generation) + " serves";
  for (const auto& process : others) {
    if (!process.connections) continue;
    const auto pid = std::to_string(process.pid);
    text += *process.connections > 0 ? ", " + counted(*process.connections) + " draining on " + pid
                                     : ", pid " + pid + " drains";
  }
  return text;
}

/// "ends, 1 connection left"; no number where none is tracked.
std::string ending_text(std::uint64_t connections) {
  if (connections == 0) return "ends, waiting for what still runs";  // it may not track any
  return "ends, " + counted(connections) + " left";
}

/// `main_pid`: 0 if the main process stays the same.
std::string ready_text(const std::string& status, pid_t main_pid = 0) {
  return (main_pid > 0 ? "MAINPID=" + std::to_string(main_pid) + '\n' : std::string{}) +
         "READY=1\nSTATUS=" + status;
}

/// A longer time-out is not meant seriously, and could not be added to a time.
constexpr std::uint64_t longest_watchdog = 365ULL * 24 * 3600 * 1'000'000;

std::uint64_t number(const char* name) {
  return os::whole_number<std::uint64_t>(os::trusted_variable(name)).value_or(0);
}

}  // namespace

service::settings service::settings::take(os::start_command& start) {
  const auto supervisor = os::trusted_variable("GRACEFUL_SUPERVISOR");
  // systemd names exactly the process that it means: sd_listen_fds(3).
  const auto whom = supervisor.empty() ? os::addressee::itself : os::addressee::or_ancestor;
  settings s{.notify_socket = os::trusted_variable("NOTIFY_SOCKET"),
             .invocation = os::trusted_variable("INVOCATION_ID"),
             .passed = os::take_listen_fds(start, whom),
             .store = number("FDSTORE"),
             .supervisor = supervisor,
             .process = {.supervisor = os::trusted_variable("GRACEFUL_SUPERVISOR_PROCESS"),
                         .socket = supervisor,
                         .user_manager = os::trusted_variable("MANAGERPID"),
                         .executed = os::trusted_variable("SYSTEMD_EXEC_PID")}};
  for (auto& [name, fd] : s.passed) name = os::from_fd_name(name);
  // A successor gets none: the variable named its predecessor.
  const auto meant = start.take("WATCHDOG_PID");
  const auto period = number("WATCHDOG_USEC");
  if ((meant.empty() || meant == std::to_string(::getpid())) && period <= longest_watchdog) {
    s.watchdog = std::chrono::microseconds{period};
  }
  return s;
}

service::service(asio::io_context& control, log& log, inventory& sockets,
                 asio::any_io_executor application, settings s)
    : log_{log},
      inventory_{sockets},
      settings_{std::move(s)},
      roll_{control, sockets, std::move(application)},
      watchdog_timer_{control} {
  if (settings_.notify_socket.empty()) return;
  auto manager = os::service_manager::at(settings_.notify_socket);
  if (!manager) {
    log_.warning("the service manager will not hear of this process: " + manager.error().message);
    return;
  }
  manager_ = std::make_shared<const os::service_manager>(std::move(*manager));
  role_ = role::waiting;
  notifier_.emplace(control, log_, manager_);
  supervisor_.emplace(control, settings_.supervisor, supervisor_link::callbacks{[this] {
                        if (role_ != role::main) return;
                        stored_.clear();  // as far as it knows
                        announce(true);
                      }});
}

/// All units of systemd share one socket, and the sockets in two containers may have the same name.
/// The bytes of a path need not be text.
std::string service::manager() const {
  if (!managed()) return {};
  const auto file = os::identify(settings_.notify_socket);
  return os::to_fd_name(settings_.notify_socket) +
         (file ? ' ' + std::to_string(file->device) + ':' + std::to_string(file->inode) : "") +
         (settings_.invocation.empty() ? "" : ' ' + os::to_fd_name(settings_.invocation));
}

void service::keeps(std::string_view name, int fd) {
  stored_.emplace(os::to_fd_name(name), stored{os::cookie_of(fd), false});
}

void service::bring() {
  const auto from = settings_.supervisor.empty() ? origin::service_manager : origin::supervisor;
  for (auto& [name, fd] : std::exchange(settings_.passed, {})) {
    stored_.emplace(os::to_fd_name(name), stored{os::cookie_of(fd.get())});
    inventory_.inherit(std::move(name), std::move(fd), from);
  }
  if (managed() || !stored_.empty()) inventory_.tell_origins();
}

void service::starts() { say_status("starting"); }

void service::serves(std::uint64_t generation, bool succeeds) {
  if (role_ != role::waiting) return;
  role_ = role::main;
  generation_ = generation;
  announce(succeeds);
  feed_watchdog();
  supervisor_->start();
}

void service::ends_unserved() {
  if (role_ != role::waiting) return;
  role_ = role::ending;
  told_stopping_ = true;
  notifier_->say("READY=1\nSTOPPING=1\nSTATUS=" + ending_text(0));
}

/// `as_main`: also tells a manager that knows another main process, or none.
void service::announce(bool as_main) {
  notifier_->say(ready_text(serving_text(generation_, others_), as_main ? ::getpid() : 0));
  store();
}

void service::on_upgrade(const std::string& event, const std::string& message) {
  if (role_ != role::main) return;
  if (event == "failed") {
    reloading_ = false;
    notifier_->say(ready_text(printable(message)));
  } else if (event == phases::spawned || event == phases::begun || event == phases::passed ||
             event == phases::ready) {
    if (std::exchange(reloading_, true)) return say_status(message);
    notifier_->say("RELOADING=1\nMONOTONIC_USEC=" + monotonic_usec() +
                   "\nSTATUS=" + printable(message));
  }
}

void service::hands_over(std::optional<pid_t> to) {
  if (role_ != role::main) return;
  // 0: this process cannot see the successor, and perhaps the manager cannot either.
  const auto text = ready_text(serving_text(generation_ + 1, {}), to.value_or(0));
  // A supervisor puts its socket back.
  settings_.supervisor.empty() ? notifier_->say(text) : notifier_->insist(text);
  notifier_->barrier();
  leaves();
}

std::optional<std::string> service::objection(bool watched) const {
  if (settings_.supervisor.empty() || role_ == role::over || (watched && watched_)) return {};
  const auto reached =
      manager_ ? manager_->reach()
               : result<void>{failure{errc::invalid_argument,
                                      "NOTIFY_SOCKET is not in the environment, or wrong"}};
  if (reached) return {};
  // A supervisor that has died manages nothing; the next one asks which process serves.
  const bool dead = supervisor_ && supervisor_->met()
                        ? !supervisor_->connected()
                        : reached.error().code == os::system_code(ECONNREFUSED);
  if (dead) return {};
  const bool forbidden = reached.error().code == os::system_code(EACCES);
  return "the supervisor (" + settings_.supervisor +
         ") would not hear of a successor, and would end with this process: " +
         reached.error().message +
         (forbidden
              ? "; run graceful-ctl run as the user that the server serves as, and with the "
                "server's control socket (--control)"
              : "; a supervisor puts its sockets back within a second: try again, and if that "
                "does not help, restart the supervisor with the server's control socket "
                "(--control)");
}

void service::watched_by(const std::string& supervisor) {
  if (supervisor == settings_.supervisor) watched_ = true;
}

void service::goes_back() {
  if (managed() && !settings_.supervisor.empty()) notifier_->say("X_GRACEFUL_WENT_BACK=1");
  leaves();
}

void service::leaves() {
  if (!managed()) return;
  role_ = role::over;
  watchdog_timer_.cancel();
  roll_.dismiss();
  supervisor_->stop();
}

/// Proves to the manager, twice in the time within which it expects that, that the application's
/// own threads run: says so when they have answered.
void service::feed_watchdog() {
  const auto interval = settings_.watchdog / 2;
  if (interval.count() == 0 || (role_ != role::main && role_ != role::ending)) return;
  // One at a time: an application that hangs must not find a heap of them when it resumes.
  if (!roll_.under_way()) {
    // Lost if the manager is behind; the next one will arrive.
    roll_.call([this] { (void)manager_->notify("WATCHDOG=1"); });
  }
  call_after(watchdog_timer_, interval, [this] { feed_watchdog(); });
}

void service::ask_for_sockets(std::function<void()> then) {
  if (role_ == role::main) role_ = role::ending;  // what is kept stays as it is
  if (!managed() || inventory_.kept().empty()) return then();
  supervisor_->ask_release([this, then = std::move(then)](bool released) {
    if (released) inventory_.keep_none();
    then();
  });
}

void service::ends(std::uint64_t connections) {
  if (role_ != role::main && role_ != role::ending) return;
  role_ = role::ending;
  notifier_->say((std::exchange(told_stopping_, true) ? "" : "STOPPING=1\n") + extend_timeout() +
                 "\nSTATUS=" + ending_text(connections));
}

void service::others_drain(const std::vector<draining_process>& others) {
  if (role_ != role::main) return;
  const auto before = serving_text(generation_, others_);
  others_ = others;
  const auto now = serving_text(generation_, others_);
  if (now != before && !reloading_) say_status(now);
}

void service::sockets_changed() {
  if (role_ == role::main) store();
}

void service::say_status(const std::string& text) {
  if (managed()) notifier_->say_status(text);
}

/// Makes the manager keep exactly what this process listens on. Sockets that the manager already
/// keeps, as the predecessor has said, count only if it is the predecessor's manager too.
void service::store() {
  if (settings_.store == 0) return;
  std::map<std::string, std::shared_ptr<const listening_socket>> wanted;
  for (auto& socket : inventory_.sockets()) wanted.emplace(os::to_fd_name(socket->name), socket);
  std::erase_if(stored_, [&](const auto& item) {
    const auto& [name, what] = item;
    const auto found = wanted.find(name);
    if (found != wanted.end() && os::cookie_of(found->second->fd.get()) == what.cookie)
      return false;
    notifier_->say("FDSTOREREMOVE=1\nFDNAME=" + name);
    return true;
  });
  // Sockets that the manager may already have come first: there may be no room for new ones.
  std::vector<std::pair<std::string, std::shared_ptr<const listening_socket>>> in_turn{
      wanted.begin(), wanted.end()};
  std::stable_partition(in_turn.begin(), in_turn.end(),
                        [this](const auto& item) { return stored_.contains(item.first); });
  auto places =
      std::ranges::count_if(stored_, [](const auto& item) { return item.second.by_this_manager; });
  inventory::names held;
  for (const auto& [name, socket] : in_turn) {
    const auto known = stored_.find(name);
    if (known == stored_.end() || !known->second.by_this_manager) {
      if (static_cast<std::uint64_t>(places) >= settings_.store) {
        if (!std::exchange(store_is_full_, true)) {
          log_.warning("the service manager keeps " + std::to_string(settings_.store) +
                       " descriptors at most, so the other listeners do not survive this "
                       "process (under systemd, raise FileDescriptorStoreMax=)");
        }
        continue;
      }
      notifier_->say("FDSTORE=1\nFDNAME=" + name, socket);
      stored_.insert_or_assign(name, stored{os::cookie_of(socket->fd.get())});
      ++places;
    }
    held.push_back(socket->name);
  }
  inventory_.keep(held);
}

void service::finish() {
  if (!managed()) return;
  leaves();
  notifier_->finish(patience);
}

}  // namespace graceful
