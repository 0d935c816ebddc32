// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/supervisor.hpp>
#include <graceful/supervisor_client.hpp>
#include <graceful/version.hpp>

#include "control/await.hpp"
#include "control/path_keeper.hpp"
#include "control/session_host.hpp"
#include "os/at_start.hpp"
#include "os/blocked_signals.hpp"
#include "os/channel.hpp"
#include "os/close_aside.hpp"
#include "os/home_process.hpp"
#include "os/log.hpp"
#include "os/peer.hpp"
#include "os/service_manager.hpp"
#include "os/socket_address.hpp"
#include "os/start_command.hpp"
#include "os/system_failure.hpp"
#include "supervisor/deposit.hpp"
#include "supervisor/reexec.hpp"
#include "supervisor/server_process.hpp"
#include "supervisor/supervision_driver.hpp"
#include "supervisor/supervisor_place.hpp"
#include "wire/control_messages.hpp"
#include "wire/interfaces.hpp"
#include "wire/supervisor_messages.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace graceful {

namespace {

using clock = std::chrono::steady_clock;

/// The interval at which it checks which process serves the control path.
constexpr std::chrono::seconds look_interval{1};

constexpr std::array passed_on{SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};

sigset_t taken_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int number : passed_on) ::sigaddset(&signals, number);
  ::sigaddset(&signals, SIGCHLD);
  return signals;
}

supervisor_params checked(supervisor_params params) {
  if (params.command.empty() || params.command.front().empty()) {
    throw error{{errc::invalid_argument, "there is no command to run"}};
  }
  return params;
}

}  // namespace

class supervisor::impl {
 public:
  /// `own`: how this process was started.
  impl(supervisor_params params, os::start_command own)
      : params_{checked(std::move(params))},
        paths_{supervisor_paths::of(params_).value()},
        log_{params_.log, params_.log_threshold},
        own_{std::move(own)},
        legacy_{take_legacy(own_).value()},
        place_{legacy_ ? supervisor_place{paths_, std::move(legacy_->open)}
                       : supervisor_place::take(paths_).value()},
        watch_{paths_.control, paths_.socket},
        deposit_{context_,
                 log_,
                 {.heard =
                      [this](speaker by, supervision::notification what) {
                        driver_->said(std::move(by), std::move(what));
                      }}},
        sessions_{
            context_,
            log_,
            "supervisor's socket",
            {.call = [this](control_session& from, const wire::call& call) { on_call(from, call); },
             .closed = [](const control_session&) {},
             .needed = [this](const control_session& s) { return of_server(s); }}},
        path_keeper_{context_,
                     log_,
                     place_.owned(),
                     {.path = paths_.socket,
                      .called = "supervisor's socket",
                      .by_default = params_.control_path.empty() && params_.socket_path.empty()},
                     path_callbacks()},
        look_timer_{context_} {
    if (legacy_) {
      own_.signals = legacy_->signals;
      started_ = legacy_->started;
    }
    driver_.emplace(
        context_, log_, deposit_,
        supervision_driver::settings{.server = server_command(),
                                     .limits = {.first_delay = params_.first_delay,
                                                .longest_delay = params_.longest_delay,
                                                .failures = params_.max_failures,
                                                .good_while = params_.good_while,
                                                .ready_timeout = params_.ready_timeout}},
        legacy_ ? legacy_->memory : supervision::memory{},
        supervision_driver::callbacks{
            .main_is =
                [this](pid_t pid) {
                  const auto noted = place_.note_main(pid);
                  if (!noted) log_.warning(noted.error().message);
                },
            .after = [this](pid_t ended) { return watch_.end_of(ended, driver_->remembered()); },
            .finished = [this](int code) { finish(code); }});
  }

  int run();

  [[nodiscard]] bool at_home() const { return home_.is_this(); }

 private:
  os::start_command server_command();
  path_keeper::callbacks path_callbacks();
  result<void> put_rest_back();
  void look();
  void start();
  void take_signals();
  void await_signals();
  void on_call(control_session& from, const wire::call& call);
  void reexec(control_session& from);
  void finish(int code);
  [[nodiscard]] supervisor_status status() const;
  /// True if the server itself is the peer.
  [[nodiscard]] bool of_server(const control_session& session) const {
    const auto& known = driver_->remembered();
    return known.main == session.peer_pid() || known.speaker == session.peer_pid();
  }

  const os::home_process home_;
  supervisor_params params_;
  supervisor_paths paths_;
  log log_;
  os::start_command own_;
  std::optional<legacy> legacy_;
  supervisor_place place_;
  serving_watch watch_;
  clock::time_point started_ = clock::now();
  asio::io_context context_{1};
  deposit deposit_;
  std::optional<supervision_driver> driver_;
  session_host sessions_;
  asio::posix::stream_descriptor signals_{context_};
  path_keeper path_keeper_;
  asio::steady_timer look_timer_;
  int code_ = 0;
};

os::start_command supervisor::impl::server_command() {
  if (params_.command.front().starts_with('/')) {
    own_.directory = os::with_links(os::directory_at_start(), params_.command.front());
  }
  auto server = own_;
  server.file = params_.command.front();
  server.arguments = params_.command;
  server.set("PWD", server.directory);
  // Unblocked, because the server would never get signals that the parent process has blocked.
  for (const int number : passed_on) ::sigdelset(&server.signals.blocked, number);
  for (const char* variable :
       {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID", "WATCHDOG_USEC",
        "GRACEFUL_UPGRADE", "GRACEFUL_CHANNEL", "GRACEFUL_CONTROL_PATH"}) {
    server.unset(variable);  // meant for this process, or for nobody
  }
  server.set("NOTIFY_SOCKET", place_.paths().notify());
  server.set("FDSTORE", std::to_string(deposit_.limit()));
  server.set("GRACEFUL_SUPERVISOR", place_.paths().socket);
  server.set("GRACEFUL_SUPERVISOR_PROCESS", os::own_process_text());
  return server;
}

path_keeper::callbacks supervisor::impl::path_callbacks() {
  return {.serve =
              [this](int listener) {
                sessions_.stop_accepting();
                sessions_.start(listener);
              },
          .rest_in_place =
              [this] {
                return place_.hears() &&
                       (place_.has_note() || driver_->undecided() || !driver_->remembered().main);
              },
          .put_rest_back = [this] { return put_rest_back(); }};
}

/// Puts back the socket for notifications, and the note. Messages that were sent meanwhile are
/// lost, but servers repeat everything to a supervisor to which they connect again.
result<void> supervisor::impl::put_rest_back() {
  if (!place_.hears()) {
    auto back = place_.hear_again([this](int notify) { deposit_.move_to(notify); });
    if (!back) return back;
    sessions_.hang_up();
  }
  const auto& main = driver_->remembered().main;
  return main ? place_.note_main(*main) : result<void>{};
}

/// The process that serves may be another one by now.
void supervisor::impl::look() {
  call_after(look_timer_, look_interval, [this] {
    if (auto heir = watch_.look(driver_->remembered())) driver_->serves(std::move(*heir));
    look();
  });
}

int supervisor::impl::run() {
  ::signal(SIGCHLD, SIG_DFL);  // if it were ignored, the kernel would reap children and nobody
                               // would know how they ended
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  take_signals();
  deposit_.start(place_.open().notify);
  sessions_.start(place_.open().control);
  start();
  path_keeper_.start();
  look();
  context_.run();
  place_.leave();
  return code_;
}

void supervisor::impl::start() {
  if (!legacy_) {
    auto left_behind = place_.find_main();
    return left_behind ? driver_->adopt(std::move(*left_behind)) : driver_->begin();
  }
  std::vector<unique_fd> rest;  // what is not kept
  for (auto& each : legacy_->sockets) {
    deposit_.keep(each.name, each.fd);
    rest.push_back(std::move(each.fd));
  }
  os::close_aside(std::move(rest));
  log_.info("the supervisor goes on in a new program, and has kept " +
            std::to_string(legacy_->sockets.size()) +
            (legacy_->sockets.size() == 1 ? " socket" : " sockets"));
  // A new socket's buffer has room for it.
  if (legacy_->caller) (void)os::send_now(legacy_->caller.get(), wire::to_message(wire::reply{}));
  legacy_.reset();
  driver_->resume();
}

/// Hears signals one after the other: signalfd(2). They are blocked, so none is lost, not even
/// across an execve(2), and PID 1 gets them too.
void supervisor::impl::take_signals() {
  const auto signals = taken_signals();
  const int fd = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) throw error{os::system_failure("cannot take signals (signalfd)")};
  signals_.assign(fd);
  await_signals();
}

void supervisor::impl::await_signals() {
  await_readable(signals_, [this] {
    signalfd_siginfo info{};
    while (::read(signals_.native_handle(), &info, sizeof info) == sizeof info) {
      const auto number = static_cast<int>(info.ssi_signo);
      if (number == SIGCHLD) {
        driver_->reap();
      } else {
        driver_->told(number, info.ssi_code == SI_KERNEL);
      }
    }
    await_signals();
  });
}

void supervisor::impl::finish(int code) {
  code_ = code;
  path_keeper_.stop();
  sessions_.stop();
  context_.stop();
}

void supervisor::impl::on_call(control_session& from, const wire::call& call) {
  if (auto answer = wire::answer_service_call(call, wire::role::supervisor)) {
    return from.reply(*answer);
  }
  if (call.method == wire::supervisor_status_method) return from.reply(wire::to_reply(status()));
  if (call.method == wire::release_method) {
    deposit_.read();  // the caller may have become the server just now, and have stored something
    const bool released = of_server(from);
    if (released) deposit_.release();
    return from.reply(wire::to_reply(wire::release_reply{released}));
  }
  if (call.method == wire::reexec_method) {
    if (!from.caller_gone()) return reexec(from);
    log_.warning("the order " + call.method + " is dropped: its caller has given up");
    return from.close();
  }
  from.reply(wire::unknown_method(call, wire::role::supervisor));
}

void supervisor::impl::reexec(control_session& from) {
  if (driver_->undecided()) {
    return from.reply(wire::to_error(
        wire::reexec_failed_error,
        "the server has just ended, and it is not known yet which process serves in its place; the "
        "supervisor goes on unchanged; try again"));
  }
  bequest left{.memory = driver_->remembered(),
               .started = started_,
               .signals = own_.signals,
               .open = place_.open(),
               .sockets = {},
               .caller = from.descriptor()};
  for (const auto& each : deposit_.items()) left.sockets.push_back({each.name, each.fd.get()});
  log_.info("the supervisor executes " + own_.file + " again");
  const auto why = execute_again(own_, left);
  log_.error(why.message + "; the supervisor goes on unchanged");
  wire::reply refusal;
  refusal.error = wire::reexec_failed_error;
  refusal.parameters["message"] =
      why.message + "; the supervisor goes on unchanged: put its program in place, and try again";
  from.reply(refusal);
}

supervisor_status supervisor::impl::status() const {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  const auto now = clock::now();
  const auto& m = driver_->remembered();
  supervisor_status s{.pid = ::getpid(),
                      .uptime = duration_cast<milliseconds>(now - started_),
                      .state = std::string{supervision::to_string(m.now)},
                      .version = GRACEFUL_VERSION_STRING,
                      .said = m.status,
                      .restarts = m.restarts,
                      .failures = m.failures,
                      .failure_limit = params_.max_failures,
                      .last_failure = m.last_end};
  if (m.main) s.main_pid = *m.main;
  if (m.now == supervision::phase::waiting && m.due) {
    s.wait = std::max(milliseconds{0}, duration_cast<milliseconds>(*m.due - now));
  }
  for (const auto& each : deposit_.items()) s.kept.push_back({each.name, each.address});
  return s;
}

supervisor::supervisor(supervisor_params params) {
  auto own = os::start_command::of_this_process();
  // Blocked now, not only in run(): PID 1 never gets a signal that arrives unblocked before that.
  os::blocked_signals taken{taken_signals()};
  impl_ = os::in_words("cannot set up the supervisor",
                       [&] { return std::make_unique<impl>(std::move(params), std::move(own)); });
  taken.keep();
}

/// Ends nothing in a child of fork(2).
supervisor::~supervisor() {
  if (!impl_->at_home()) os::leave_alone(std::move(impl_));
}

int supervisor::run() {
  return os::in_words("the supervisor cannot go on", [this] { return impl_->run(); });
}

}  // namespace graceful
