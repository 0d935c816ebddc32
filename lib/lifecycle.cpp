// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "lifecycle.hpp"

#include <graceful/error.hpp>
#include <graceful/version.hpp>

#include "os/listening_socket.hpp"
#include "wire/control_messages.hpp"
#include "wire/fields.hpp"
#include "wire/open_metrics.hpp"

#include "settings.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace graceful {

namespace {

/// Before another look at what a busy application keeps from being looked at.
constexpr std::chrono::milliseconds look_again{100};

std::string name_of(const draining_process& process) {
  return "generation " + std::to_string(process.generation) + " (pid " +
         std::to_string(process.pid) + ")";
}

}  // namespace

lifecycle::lifecycle(const options& opts, surroundings around)
    : options_{opts},
      around_{std::move(around)},
      log_{around_.messages},
      control_path_{control_path_of(options_).value()},
      control_{log_},
      older_{options_.max_draining},
      giving_up_{control_.context()},
      look_timer_{control_.context()},
      drain_{control_.context(),
             log_,
             around_.tracked,
             {.every_second = [this] { report_drain(); }, .cut_short = [this] { cut_short(); }}},
      drain_reporter_{
          control_.context(), control_path_,
          [this] {
            log_.warning("too many generations drain: the connections of this one are cut");
            drain_.hurry();
          }},
      last_call_{control_.context(), around_.sockets, [this] { stop_accepting(); }} {
  auto start = os::start_command::of_this_process();
  auto taken = take_ownership(takeover_request::of(options_, control_path_, start), log_).value();
  owned_ = std::move(taken.owned);
  control_file_ = os::identify(control_path_);
  if (owned_.predecessor) {
    generation_ = owned_.predecessor->offer().generation;
    statistics_.inherit(owned_.predecessor->offer().so_far);
  }
  for (auto& [name, fd] : taken.listeners) around_.sockets.inherit(std::move(name), std::move(fd));
  committed_ = !owned_.predecessor;
  // There is no destructor yet for what is thrown from here on.
  struct removal {
    lifecycle* of;
    ~removal() {
      if (of != nullptr) of->remove_paths();
    }
  } on_failure{this};

  monitors_.emplace(generation_);
  driver_.emplace(control_.context(),
                  upgrade_report::audience{log_, statistics_,
                                           [this](const auto& event, const auto& message) {
                                             monitors_->tell(event, message);
                                           }},
                  driver_settings(std::move(start)));
  server_.emplace(control_.context(), log_, *driver_, server_settings());
  // A successor answers on the control socket when it is committed; its predecessor does until
  // then.
  if (committed_) {
    serve_control();
  } else {
    unique_fd watched{::fcntl(owned_.predecessor->socket(), F_DUPFD_CLOEXEC, 3)};
    giving_up_.assign(watched.get());
    (void)watched.release();
    await_giving_up();
  }
  control_.start();
  on_failure.of = nullptr;
}

/// The control thread's own objects are ended on it; what is left is ended after that, alone.
void lifecycle::end_control() {
  asio::post(control_.context(), [this] {
    // Whatever fails in between, somebody waits for the end of this thread.
    const std::unique_ptr<asio::io_context, void (*)(asio::io_context*)> at_last{
        &control_.context(), [](asio::io_context* context) { context->stop(); }};
    driver_->shutdown();
    drain_.finish();
    report_drain();
    conclude_monitors();
    signals_.reset();
    server_->stop();
  });
  control_.wait();
}

lifecycle::~lifecycle() {
  end_control();
  if (owned_.predecessor && !ready_ && !ready_failure_) {
    owned_.predecessor->fail(last_failure_.empty() ? "it ended before it was ready"
                                                   : last_failure_);
  }
  around_.sockets.stop();
  around_.waiters.complete(asio::error::operation_aborted);
  remove_paths();
}

/// Only the last generation does. Whoever has a predecessor that still serves, or has handed over,
/// leaves them to the other.
void lifecycle::remove_paths() const {
  if (handed_over_ || !committed_) return;
  os::remove_path(control_path_, control_file_);
  os::remove_path(os::lock_path(control_path_), os::identify(owned_.lock->get()));
}

predecessor_driver::settings lifecycle::driver_settings(os::start_command start) {
  return {.name = options_.name.empty() ? std::filesystem::path{control_path_}.filename().string()
                                        : options_.name,
          .generation = generation_,
          .start = std::move(start),
          .ready_timeout = options_.ready_timeout,
          .offer = [this] { return offer(); },
          .withdraw = [this] { around_.sockets.thaw(); },
          .probation = options_.probation,
          .pause_accepting = [this](const auto& ours) { around_.sockets.pause(ours); },
          .resume_accepting = [this] { around_.sockets.resume(); },
          .stop_accepting = [this](const auto& ours) { hand_over(ours); }};
}

control_server::settings lifecycle::server_settings() {
  return {
      .status = [this] { return status(); },
      .refusal = [this] { return refusal(); },
      .report = [this](control_session& from, const wire::report& said) { on_report(from, said); },
      .reporter_gone = [this](const control_session& from) { on_reporter_gone(from); },
      .monitor =
          [this](control_session& from) {
            monitors_->add(from, std::string{"the server is "} + state());
          },
      .drain = [this](control_session& from, bool now) { on_drain_call(from, now); },
      .metrics = [this] { return server_metrics{.text = metrics()}; }};
}

void lifecycle::serve_control() { server_->start(owned_.control->get()); }

void lifecycle::note_failure(const std::string& why) {
  const std::lock_guard lock{ready_mutex_};
  last_failure_ = why;
}

void lifecycle::ready() {
  const std::lock_guard lock{ready_mutex_};
  if (ready_) return;
  if (draining_ && owned_.predecessor && !ready_failure_) {
    ready_failure_ = failure{errc::upgrade_failed, "it was told to end before it was ready"};
    owned_.predecessor->fail(ready_failure_->message);
  }
  if (ready_failure_) throw error{*ready_failure_};
  if (owned_.predecessor) {
    if (const auto outcome = owned_.predecessor->ready(around_.sockets.unwanted()); !outcome) {
      ready_failure_ = outcome.error();
      throw error{*ready_failure_};
    }
    statistics_.ready(owned_.predecessor->durations(), std::chrono::steady_clock::now());
  }
  ready_ = true;
  around_.sockets.open();
  log_.info("generation " + std::to_string(generation_) + " serves");
  if (owned_.predecessor) asio::post(control_.context(), [this] { watch_predecessor(); });
}

void lifecycle::watch_predecessor() {
  boost::system::error_code ignored;
  giving_up_.close(ignored);
  try {
    auto [connection, incoming] = owned_.predecessor->release();
    predecessor_.emplace(
        control_.context(), log_,
        predecessor_watch::predecessor{owned_.predecessor->predecessor_pid(), std::move(connection),
                                       std::move(incoming), owned_.predecessor->release_pidfd()},
        control_path_,
        predecessor_watch::outcomes{[this] { commit(); },
                                    [this](const std::string& why) { roll_back(why); }});
    predecessor_->start();
  } catch (const std::exception& e) {
    // The connection is closed by now, which has the predecessor accept again.
    roll_back(std::string{"cannot watch the predecessor: "} + e.what());
  }
}

/// On the control thread, before ready(): a predecessor that has given the upgrade up serves on,
/// and ends some day. Then nobody may hold its sockets who does not know.
void lifecycle::await_giving_up() {
  giving_up_.async_wait(giving_up_.wait_read, [this](boost::system::error_code ec) {
    if (ec) return;
    const std::unique_lock lock{ready_mutex_, std::try_to_lock};
    if (!lock) {
      look_timer_.expires_after(look_again);
      look_timer_.async_wait([this](boost::system::error_code cancelled) {
        if (!cancelled && giving_up_.is_open()) await_giving_up();
      });
      return;
    }
    if (ready_ || ready_failure_) return;
    const auto looked = owned_.predecessor->look();
    if (looked) return;
    ready_failure_ = looked.error();
    log_.error(ready_failure_->message + "; this process has to end");
    around_.sockets.stop();
    owned_.control.reset();
    owned_.lock.reset();
  });
}

void lifecycle::drain(bool now) {
  asio::post(control_.context(), [this, now] { end(now); });
}

/// The predecessor does not come back.
void lifecycle::commit() {
  if (handed_over_ || committed_.exchange(true)) return;
  around_.sockets.commit();
  statistics_.taken_over(std::chrono::steady_clock::now());
  os::adopt_control(owned_.control->get());
  serve_control();
  if (asked_back_) end_alone();
}

/// The predecessor accepts again.
void lifecycle::roll_back(const std::string& why) {
  if (handed_over_) return;
  log_.warning("rolled back: " + why + "; this process drains, its predecessor serves");
  go_back();
}

/// The predecessor serves, or is to serve. It does not have what this process has bound itself.
void lifecycle::go_back() {
  hand_over(around_.sockets.own());
  if (predecessor_) predecessor_->leave();
}

/// Somebody else serves what this process served, but for `ours`.
void lifecycle::hand_over(const inventory::names& ours) {
  handed_over_ = true;
  draining_ = true;
  // Later: what led here is told first.
  asio::post(control_.context(), [this] { conclude_monitors(); });
  server_->stop_accepting();
  owned_.control.reset();
  owned_.lock.reset();
  around_.waiters.complete({});
  drain_.begin();
  report_drain();
  if (around_.sockets.let_go(ours)) {
    last_call_.begin();
  } else {
    stop_accepting();
  }
  hurry();
}

void lifecycle::conclude_monitors() {
  if (handed_over_) {
    monitors_->conclude("handed_over", "another process serves");
  } else {
    monitors_->conclude("ended", "this process ends");
  }
}

void lifecycle::on_drain_call(control_session& from, bool now) {
  // Who is meant, the one that serves or the one that waits?
  if (driver_->in_probation()) {
    return from.reply(wire::to_error(wire::busy_error, driver_->why_busy()));
  }
  end(now);
  drain_.watch(from);
}

/// This process ends, and nobody succeeds it.
void lifecycle::end(bool now) {
  const std::lock_guard lock{ready_mutex_};
  const bool in_probation = ready_ && !committed_ && !draining_;
  if (in_probation && !predecessor_) return drain(now);  // what ready() has posted comes first
  in_a_hurry_ = in_a_hurry_ || now;
  if (!draining_) {
    log_.info(now ? "this process ends" : "this process drains, and ends");
    driver_->shutdown();  // commits, if a successor is in probation: then nothing is left to do
  }
  if (!in_probation) {
    if (!draining_) end_alone();
  } else if (!std::exchange(asked_back_, true)) {
    // Its predecessor goes on, before this process stops: what it decides is heard as ever.
    predecessor_->ask_back("the successor was told to end");
  } else if (now) {
    go_back();  // in a hurry there is no time for who has been asked already
  }
  hurry();
}

/// This process ends, and no predecessor takes its place: there is none, or this one was never
/// ready and so never in a place.
void lifecycle::end_alone() {
  draining_ = true;
  monitors_->tell("draining", "this process drains, and ends");
  around_.waiters.complete({});
  drain_.begin();
  // A socket that a predecessor serves too is not to be touched.
  if (committed_) {
    last_call_.begin();
  } else {
    stop_accepting();
  }
  hurry();
}

void lifecycle::hurry() {
  if (!in_a_hurry_ || !draining_) return;
  last_call_.end();
  drain_.hurry();
}

/// From now on nothing but connections keeps the context running. The last step wherever it is
/// taken: the context may end at once, and what is posted to it then is not run.
void lifecycle::stop_accepting() {
  around_.sockets.stop();
  around_.release_work();
}

void lifecycle::handle_signals() {
  std::call_once(signals_once_, [this] {
    const auto drain = [this](bool now) {
      if (draining_ && !now) log_.info("this process drains already; a second signal ends it");
      end(now);
    };
    signals_.emplace(control_.context(),
                     signal_actions::actions{drain, [this] { upgrade_by_signal(); }});
  });
}

/// A process of another generation drains. If this one does too, another serves by now, and a new
/// connection finds it.
void lifecycle::on_report(control_session& from, const wire::report& said) {
  if (draining_) return from.close();
  const auto answer =
      older_.report(from.id(), {said.generation, said.pid, said.connections}, said.cut);
  statistics_.others_cut(answer.newly_cut);
  statistics_.others_drain(older_.connections());
  if (answer.told_to_hurry) {
    const auto message = name_of(*answer.told_to_hurry) +
                         " is told to cut its connections: more than " +
                         std::to_string(options_.max_draining) + " generations drain";
    log_.warning(message);
    monitors_->tell("hurried", message);
  }
  from.reply(wire::to_reply(wire::reported{answer.hurry}));
}

void lifecycle::on_reporter_gone(const control_session& from) {
  const auto ended = older_.closed(from.id());
  statistics_.others_drain(older_.connections());
  if (!ended || draining_) return;
  const auto message = name_of(*ended) + " has ended";
  log_.info(message);
  monitors_->tell("generation_ended", message);
}

void lifecycle::report_drain() {
  if (!handed_over_) return;
  drain_reporter_.report({generation_, ::getpid(), around_.tracked.open(), around_.tracked.cut()});
}

void lifecycle::upgrade_by_signal() {
  if (const auto why = refusal()) {
    log_.warning("SIGUSR2: no upgrade: " +
                 wire::string_field(why->parameters, "message").value_or(why->error));
  } else {
    driver_->upgrade();
  }
}

/// What is left at the deadline has no token, or does not heed it, or does not accept any more.
void lifecycle::cut_short() {
  last_call_.end();
  if (!around_.stop_context) {
    return log_.warning(
        "drain: the deadline has passed and something still runs: it goes on, since the upgrader "
        "was made with an executor and knows no context to stop");
  }
  log_.warning("drain: the deadline has passed and something still runs: stopping the context");
  around_.stop_context();
}

/// Why this process takes part in no upgrade now.
std::optional<wire::reply> lifecycle::refusal() const {
  if (draining_ && !handed_over_) {
    return wire::to_error(wire::busy_error, "the server drains, and ends; start it anew");
  }
  if (ready_ && !committed_) {
    return wire::to_error(wire::busy_error, "this process is in its probation");
  }
  if (!ready_) {
    return wire::to_error(wire::not_ready_error, "the server has not finished starting; try again");
  }
  return {};
}

std::vector<offered_descriptor> lifecycle::offer() {
  // Shared: a batch may still be under way when the handover lets them go.
  const auto shared = [](const std::shared_ptr<const unique_fd>& fd) -> passed_descriptor {
    return {fd->get(), fd};
  };
  const auto sockets = around_.sockets.freeze();
  std::vector<offered_descriptor> offered;
  offered.reserve(sockets.size() + 2);
  offered.push_back({std::string{wire::lock_name}, shared(owned_.lock)});
  offered.push_back({std::string{wire::control_name}, shared(owned_.control)});
  for (const auto& socket : sockets) {
    offered.push_back({socket->name, {socket->fd.get(), socket}});
  }
  return offered;
}

server_status lifecycle::status() const {
  using namespace std::chrono;
  server_status s{
      .name = driver_->name(),
      .generation = generation_,
      .pid = ::getpid(),
      .uptime = duration_cast<milliseconds>(steady_clock::now() - started_),
      .state = state(),
      .version = GRACEFUL_VERSION_STRING,
      .connections = around_.tracked.open(),
      .listeners = listeners(),
      .draining = older_.all(),
      .successor_pid = driver_->in_probation() ? driver_->successor_pid() : std::nullopt,
      .last_failure = driver_->last_failure()};
  if (!predecessor_ || !predecessor_->alive() || draining_) return s;
  const auto reported = std::ranges::any_of(
      s.draining, [this](const auto& process) { return process.pid == predecessor_->pid(); });
  if (!reported) s.draining.push_back({generation_ - 1, predecessor_->pid(), {}});
  return s;
}

const char* lifecycle::state() const {
  if (draining_) return "draining";
  if (!ready_) return "starting";
  if (statistics_.probation()) return "probation";
  return statistics_.upgrading() ? "upgrading" : "serving";
}

std::vector<listener_status> lifecycle::listeners() const {
  std::vector<listener_status> all;
  for (const auto& socket : around_.sockets.sockets()) {
    const auto queue = os::accept_queue_of(socket->fd.get());
    all.push_back({socket->name, socket->address.to_string(), queue.length, queue.limit});
  }
  return all;
}

/// Asked by any thread: nothing that lives on the control thread is looked at.
std::string lifecycle::metrics() const {
  const auto open = around_.tracked.open();
  auto totals = statistics_.totals();
  totals.cut += around_.tracked.cut();
  return wire::to_open_metrics(
      {.version = GRACEFUL_VERSION_STRING,
       .generation = generation_,
       .state = state(),
       .so_far = totals,
       .last_upgrade = statistics_.durations(),
       .connections = open,
       .connections_draining = statistics_.draining_before() + (draining_ ? open : 0),
       .listeners = listeners()});
}

}  // namespace graceful
