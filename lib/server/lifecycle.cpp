// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "server/lifecycle.hpp"

#include <graceful/error.hpp>

#include "control/control_path_of.hpp"
#include "handoff/passed_channel.hpp"
#include "os/at_start.hpp"
#include "os/control_path.hpp"
#include "os/lock_owners.hpp"
#include "server/settings.hpp"
#include "wire/fields.hpp"
#include "wire/handoff_messages.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <memory>
#include <utility>

namespace graceful {

namespace {

std::string name_of(const draining_process& process) {
  const auto name = "generation " + std::to_string(process.generation);
  // 0: in a PID namespace that is not visible from here.
  return process.pid > 0 ? name + " (pid " + std::to_string(process.pid) + ")" : name;
}

/// That of the predecessor, also if this process would choose another directory by default: it may
/// be another user by now, or without XDG_RUNTIME_DIR.
std::string path_of(const options& opts) {
  auto passed = passed_control_path(opts);
  return passed ? std::move(*passed) : control_path_of(opts).value();
}

/// For a `listen` that comes after ready(), at a cold start.
constexpr std::chrono::milliseconds least_time_for_late_listens{1'000};

failure told_to_end() { return {errc::upgrade_failed, "it was told to end before it was ready"}; }

}  // namespace

lifecycle::lifecycle(const options& opts, surroundings around)
    : options_{opts},
      around_{std::move(around)},
      log_{around_.messages},
      control_path_{path_of(options_)},
      control_{log_},
      confirmation_{control_.context(), around_.sockets, around_.application,
                    options_.confirm_timeout * 3 / 4},
      older_{options_.max_draining},
      giving_up_{control_.context(), [this] { return look_at_predecessor(); }},
      late_listens_{control_.context()},
      look_again_{control_.context()},
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
      last_call_{control_.context(), log_, around_.sockets, [this] { stop_accepting(); }},
      caretaker_{control_.context(),
                 {log_, around_.sockets, around_.plain, around_.tracked, around_.stop_context},
                 options_.linger} {
  auto start = start_command_of(options_).value();
  if (const auto missed = missed_control_path(control_path_)) {
    log_.warning("this process was started to replace the server at " + *missed +
                 ", but its own control path is " + control_path_ +
                 ": it starts cold; to replace that server, give it the same options::name or "
                 "options::control_path");
  }
  service_.emplace(
      service_settings::take(start),
      service::surroundings{control_.context(), log_, around_.sockets, around_.application});
  const auto request = takeover_request::of(options_, control_path_, service_->manager(), start);
  auto taken =
      take_ownership(request, take_channel(start, request.token, control_path_), log_).value();
  owned_ = std::move(taken.owned);
  if (owned_.predecessor) {
    generation_ = owned_.predecessor->offer().generation;
    if (owned_.predecessor->offer().late_claims) around_.sockets.keep_unclaimed();
    statistics_.inherit(owned_.predecessor->offer().so_far);
  }
  service_->bring(std::move(taken.listeners), owned_.predecessor ? owned_.predecessor->offer().kept
                                                                 : std::vector<std::string>{});
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
                                             service_->on_upgrade(event, message);
                                           }},
                  driver_settings(std::move(start)));
  server_.emplace(control_.context(), log_, *driver_, server_settings());
  // A successor answers on the control socket when it is committed; its predecessor does until
  // then.
  if (committed_) {
    serve_control();
  } else {
    giving_up_.start(owned_.predecessor->socket());
  }
  around_.sockets.on_change([this] {
    asio::post(control_.context(), [this] {
      service_->sockets_changed();
      confirmation_.sockets_changed();
      caretaker_.look_after();
    });
  });
  // Of a spawned successor the manager hears from its predecessor.
  if (request.token.empty() || committed_) service_->starts();
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
    confirmation_.stop();
    caretaker_.stop();
    signals_.reset();
    if (path_keeper_) path_keeper_->stop();
    server_->stop();
    service_->finish();
  });
  control_.wait();
}

lifecycle::~lifecycle() {
  around_.sockets.on_change({});
  end_control();
  if (owned_.predecessor && !ready_ && !ready_failure_) {
    owned_.predecessor->fail(last_failure_.empty() ? std::string{wire::ended_before_ready}
                                                   : last_failure_);
  }
  around_.sockets.stop();
  // Nobody looks after them any more, so their loops end now.
  for (const auto& acceptor : around_.plain.all()) acceptor->abort();
  for (const auto& acceptor : around_.plain.all()) acceptor->abandon();
  around_.waiters.complete(asio::error::operation_aborted);
  around_.commit_waiters.complete(asio::error::operation_aborted);
  remove_paths();
}

/// Only the last generation does. Whoever has a predecessor that still serves, or has handed over,
/// leaves them to the other.
void lifecycle::remove_paths() const {
  if (handed_over_ || !committed_) return;
  os::remove_path(control_path_, owned_.file);
  os::remove_path(os::lock_path(control_path_), os::identify(owned_.lock->get()));
}

/// None in a set-id program: its successor believes nobody who passes it something, and each
/// message names as its sender the real user, who has started it. It goes by the path.
unique_fd lifecycle::open_channel() {
  return os::is_set_id() ? unique_fd{} : server_->open_channel();
}

predecessor_driver::settings lifecycle::driver_settings(os::start_command start) {
  return {.name = options_.name.empty() ? std::filesystem::path{control_path_}.filename().string()
                                        : options_.name,
          .generation = generation_,
          .control_path = control_path_,
          .open_channel = [this] { return open_channel(); },
          .start = std::move(start),
          .place = [this] { return service_->placement(); },
          .ready_timeout = options_.ready_timeout,
          .confirm_timeout = options_.confirm_timeout,
          .drain_timeout = options_.drain_timeout,
          .manager = [this] { return service_->manager(); },
          .offer = [this] { return offer(); },
          .withdraw =
              [this] {
                around_.sockets.thaw();
                os::sign_lock(owned_.lock->get(), os::signing::alone);
              },
          .objection = [this](bool spawned) { return objection(spawned); },
          .probation = options_.probation,
          .pause_accepting = [this](const auto& ours) { around_.sockets.pause(ours); },
          .resume_accepting = [this] { around_.sockets.resume(); },
          .stop_accepting =
              [this](const auto& ours) {
                service_->hands_over(driver_->heir());
                hand_over(ours);
              }};
}

control_server::settings lifecycle::server_settings() {
  return {
      .status = [this] { return status(); },
      .refusal = [this] { return refusal(); },
      .report = [this](control_session& from, const wire::report& said) { on_report(from, said); },
      .reporter_gone = [this](const control_session& from) { on_reporter_gone(from); },
      .monitor =
          [this](control_session& from) {
            monitors_->add(from, state_in_words());
            if (handed_over_) conclude_monitors();  // it connected before that
          },
      .drain = [this](control_session& from, bool now) { on_drain_call(from, now); },
      .metrics = [this] { return server_metrics{.text = metrics()}; },
      .fixed_command = options_.fixed_command,
      .watched = [this](const std::string& by) { service_->watched_by(by); }};
}

void lifecycle::serve_control() {
  server_->start(owned_.control->get());
  path_keeper_.emplace(control_.context(), log_, owned_,
                       path_keeper::settings{.path = control_path_,
                                             .called = "control path",
                                             .by_default = options_.control_path.empty(),
                                             .may_replace = [this] { return !driver_->busy(); },
                                             .serve =
                                                 [this](int listener) {
                                                   server_->stop_accepting();
                                                   server_->start(listener);
                                                 }});
  path_keeper_->start();
}

void lifecycle::note_failure(const std::string& why) {
  const std::lock_guard lock{ready_mutex_};
  last_failure_ = why;
}

void lifecycle::ready() {
  const std::lock_guard lock{ready_mutex_};
  if (ready_) return;
  if (draining_ && owned_.predecessor && !ready_failure_) {
    ready_failure_ = told_to_end();
    owned_.predecessor->fail(ready_failure_->message);
  }
  if (ready_failure_) throw error{*ready_failure_};
  if (owned_.predecessor) {
    if (const auto outcome = owned_.predecessor->ready(around_.sockets.unwanted()); !outcome) {
      ready_failure_ = told_to_end_ ? told_to_end() : outcome.error();
      throw error{*ready_failure_};
    }
    statistics_.ready(owned_.predecessor->durations(), std::chrono::steady_clock::now());
  }
  ready_ = true;
  around_.sockets.open();
  log_.info("generation " + std::to_string(generation_) + " serves");
  if (!owned_.predecessor) around_.commit_waiters.complete({});
  asio::post(control_.context(), [this] {
    caretaker_.look_after();
    if (owned_.predecessor) return watch_predecessor();
    if (draining_) return service_->ends_unserved();
    service_->serves(generation_, false);
    // What a service manager has passed is kept as long as what a predecessor passes.
    late_listens_.expires_after(std::max(options_.probation, least_time_for_late_listens));
    late_listens_.async_wait([this](boost::system::error_code cancelled) {
      if (!cancelled) (void)around_.sockets.settle_claims();
    });
  });
}

void lifecycle::watch_predecessor() {
  giving_up_.stop();
  try {
    auto [connection, incoming] = owned_.predecessor->release();
    // Its end is this process's own doing, and no sign of a death.
    if (owned_.predecessor->broken_off()) {
      connection.reset();
      return roll_back("it was told to end while it became ready");
    }
    predecessor_.emplace(
        control_.context(), log_,
        predecessor_watch::predecessor{owned_.predecessor->predecessor_pid(), std::move(connection),
                                       std::move(incoming), owned_.predecessor->release_pidfd(),
                                       owned_.predecessor->predecessor_asks()},
        control_path_,
        predecessor_watch::outcomes{[this](auto vouch) { confirm(std::move(vouch)); },
                                    [this] { commit(); },
                                    [this](const std::string& why) { roll_back(why); },
                                    [this] { on_predecessor_ended(); }});
    predecessor_->start();
  } catch (const std::exception& e) {
    // The connection is closed by now, which has the predecessor accept again.
    roll_back(std::string{"cannot watch the predecessor: "} + e.what());
  }
}

/// The predecessor wants to hear that this process serves, before it lets its sockets go.
void lifecycle::confirm(predecessor_watch::outcomes::vouch vouch) {
  // Besides the listeners the lock and the control socket are on offer.
  const bool must_listen = owned_.predecessor->offer().descriptors > 2;
  confirmation_.ask(
      must_listen,
      {.serves = [this, vouch = std::move(vouch)] { vouch(around_.sockets.settle_claims()); },
       .does_not = [this](const std::string& why) { predecessor_->fail(why); }});
}

/// On the control thread, before ready(): a predecessor that has given the upgrade up serves on,
/// and ends some day. Then nobody may hold its sockets who does not know.
giving_up_watch::seen lifecycle::look_at_predecessor() {
  using seen = giving_up_watch::seen;
  const std::unique_lock lock{ready_mutex_, std::try_to_lock};
  if (!lock) return seen::busy;
  if (ready_ || ready_failure_) return seen::enough;
  const auto looked = owned_.predecessor->look();
  if (looked) {
    return *looked == successor_driver::standing::waits ? seen::nothing : seen::enough;
  }
  ready_failure_ = looked.error();
  log_.error(ready_failure_->message + "; this process has to end");
  around_.sockets.stop();
  owned_.control.reset();
  owned_.lock.reset();
  return seen::enough;
}

/// The predecessor does not come back.
void lifecycle::commit() {
  if (handed_over_ || committed_.exchange(true)) return;
  log_.info("committed: this process stays");
  around_.sockets.commit();
  (void)around_.sockets.settle_claims();
  statistics_.taken_over(std::chrono::steady_clock::now());
  os::sign_lock(owned_.lock->get(), os::signing::alone);
  (void)os::adopt_control(owned_.control->get());  // if that fails the path_keeper tries again
  service_->serves(generation_, true);
  if (asked_back_) end_alone();
  // The last, because it can fail: where epoll has no room the manager hears of this process all
  // the same. And whoever is answered here finds a manager that has been told.
  serve_control();
  around_.commit_waiters.complete({});
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
  const draining_process process{said.generation, said.pid, said.connections};
  predecessor_reports_ = predecessor_reports_ || is_predecessor(process);
  const auto answer = older_.report(from.id(), process, said.cut);
  service_->others_drain(older_.all());
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
  service_->others_drain(older_.all());
  statistics_.others_drain(older_.connections());
  if (ended) tell_end(*ended);
}

/// One that reports how it drains closes its connection too. Which of both is seen first is chance.
void lifecycle::on_predecessor_ended() {
  if (!predecessor_reports_) tell_end({generation_ - 1, predecessor_->pid(), {}});
}

bool lifecycle::is_predecessor(const draining_process& process) const {
  return predecessor_ && process.generation + 1 == generation_ &&
         (predecessor_->pid() <= 0 || predecessor_->pid() == process.pid);
}

void lifecycle::tell_end(const draining_process& process) {
  if (draining_ || (is_predecessor(process) && std::exchange(predecessor_ended_, true))) return;
  const auto message = name_of(process) + " has ended";
  log_.info(message);
  monitors_->tell("generation_ended", message);
}

void lifecycle::upgrade_by_signal() {
  if (const auto why = refusal()) {
    log_.warning("SIGUSR2: no upgrade: " +
                 wire::string_field(why->parameters, "message").value_or(why->error));
  } else {
    driver_->upgrade();
  }
}

}  // namespace graceful
