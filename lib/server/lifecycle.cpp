// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "server/lifecycle.hpp"

#include "control/control_paths.hpp"
#include "handoff/passed_channel.hpp"
#include "os/at_start.hpp"
#include "os/control_path.hpp"
#include "wire/control_messages.hpp"
#include "wire/fields.hpp"
#include "wire/handoff_values.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

namespace graceful {

namespace {

/// A successor uses the path of its predecessor even if its own default would be another: it may
/// run as another user by now, or without XDG_RUNTIME_DIR.
std::string path_of(const options& opts) {
  auto passed = passed_control_path(opts);
  return passed ? std::move(*passed) : control_path_of(opts).value();
}

}  // namespace

result<os::start_command> start_command_of(const options& opts) {
  auto start = os::start_command::of_this_process();
  if (!opts.command.empty()) {
    if (opts.command.front().empty()) {
      return failure{errc::invalid_argument,
                     "options::command names no program; leave it empty to start this one again"};
    }
    start.file = opts.command.front();
    start.arguments = opts.command;
  }
  if (opts.directory.starts_with('/')) {
    start.directory = opts.directory;
  } else if (!opts.directory.empty()) {
    start.directory += '/' + opts.directory;
  }
  return start;
}

options bounded(options opts) {
  for (auto* timeout :
       {&opts.ready_timeout, &opts.probation, &opts.confirm_timeout, &opts.handoff_timeout,
        &opts.drain_timeout, &opts.linger, &opts.idle_grace, &opts.drain_spread}) {
    *timeout = std::clamp<std::chrono::milliseconds>(*timeout, timeout->zero(), wire::max_timeout);
  }
  return opts;
}

lifecycle::lifecycle(asio::any_io_executor application, options opts, callbacks on)
    : application_{std::move(application)},
      work_{asio::prefer(application_, asio::execution::outstanding_work.tracked)},
      options_{bounded(std::move(opts))},
      log_{options_.log, options_.log_threshold},
      sockets_{std::make_shared<inventory>(log_)},
      tracked_{std::make_shared<connections>(handoff::drain_limits{
          options_.drain_timeout, options_.idle_grace, options_.drain_spread})},
      waiters_{std::make_shared<drain_waiters>(application_)},
      commit_waiters_{std::make_shared<drain_waiters>(application_)},
      callbacks_{std::move(on)},
      control_path_{path_of(options_)},
      control_{log_},
      confirmation_{control_.context(), *sockets_, application_, options_.confirm_timeout * 3 / 4},
      older_{options_.max_draining},
      giving_up_{control_.context(), {.look = [this] { return look_at_predecessor(); }}},
      late_listens_{control_.context()},
      drain_{control_.context(),
             log_,
             *tracked_,
             control_path_,
             {.every_second = [this] { report_drain(); }, .cut_short = [this] { cut_short(); }}},
      last_call_{control_.context(), log_, *sockets_, {.done = [this] { stop_accepting(); }}, {}},
      caretaker_{control_.context(), log_,
                 *sockets_,          *tracked_,
                 options_.linger,    {.stop_context = callbacks_.stop_context}} {
  auto start = start_command_of(options_).value();
  if (const auto missed = missed_control_path(control_path_)) {
    log_.warning("this process was started to replace the server at " + *missed +
                 ", but its own control path is " + control_path_ +
                 ": it starts cold; to replace that server, give it the same options::name or "
                 "options::control_path");
  }
  service_.emplace(control_.context(), log_, *sockets_, application_,
                   service::settings::take(start));
  auto request = takeover_request::of(options_, control_path_, service_->manager(), start);
  const bool spawned = !request.token.empty();
  auto taken = take_ownership(std::move(request), log_).value();
  owned_ = std::move(taken.owned);
  if (owned_.predecessor) {
    generation_ = owned_.predecessor->offer().generation;
    if (owned_.predecessor->offer().late_claims) sockets_->keep_unclaimed();
    statistics_.inherit(owned_.predecessor->offer().so_far);
  }
  for (auto& [name, fd, kept] : taken.listeners) {
    if (kept) service_->keeps(name, fd.get());
    sockets_->inherit(std::move(name), std::move(fd), origin::predecessor, kept);
  }
  service_->bring();
  life_.emplace(owned_.predecessor != nullptr);
  // From here on an exception would leave the paths behind: the destructor does not run yet.
  std::unique_ptr<lifecycle, void (*)(lifecycle*)> on_failure{
      this, [](lifecycle* failed) { failed->remove_paths(); }};

  driver_.emplace(control_.context(), log_, statistics_, driver_callbacks(),
                  driver_settings(std::move(start)));
  server_.emplace(
      control_.context(), log_, *driver_,
      control_server::settings{.generation = generation_, .fixed_command = options_.fixed_command},
      server_callbacks());
  // Until a successor is committed, its predecessor answers on the control socket.
  if (now().committed()) {
    serve_control();
  } else {
    giving_up_.start(owned_.predecessor->socket());
  }
  sockets_->on_change([this] {
    asio::post(control_.context(), [this] {
      service_->sockets_changed();
      confirmation_.sockets_changed();
      caretaker_.look_after();
    });
  });
  // The predecessor tells the manager about a successor that it has spawned.
  if (!spawned || now().committed()) service_->starts();
  control_.start();
  (void)on_failure.release();
}

/// Ends on the control thread what lives there. The caller ends the rest afterwards, alone.
void lifecycle::end_control() {
  asio::post(control_.context(), [this] {
    // The caller waits for the end of this thread, whatever fails here.
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
  sockets_->on_change({});
  end_control();
  if (owned_.predecessor && !now().was_ready() && !ready_failure_) {
    owned_.predecessor->fail(last_failure_.empty() ? std::string{wire::ended_before_ready}
                                                   : last_failure_);
  }
  sockets_->stop();
  caretaker_.abandon();
  waiters_->complete(asio::error::operation_aborted);
  commit_waiters_->complete(asio::error::operation_aborted);
  remove_paths();
}

/// Only the last generation removes them. A process whose predecessor still serves, or that has
/// handed over, leaves them to the other process.
void lifecycle::remove_paths() const {
  if (now().handed_over() || !now().committed()) return;
  os::remove_path(control_path_, owned_.file);
  os::remove_path(os::lock_path(control_path_), os::identify(owned_.lock->get()));
}

predecessor_driver::callbacks lifecycle::driver_callbacks() {
  return {
      // A set-id program opens none. Its successor trusts no channel, since each message on one
      // names the real user as its sender, and connects to the path instead.
      .open_channel = [this] { return os::is_set_id() ? unique_fd{} : server_->open_channel(); },
      .place = [this] { return service_->placement(); },
      .manager = [this] { return service_->manager(); },
      .offer = [this] { return offer(); },
      .withdraw =
          [this] {
            sockets_->thaw();
            os::sign_lock(owned_.lock->get(), os::signing::alone);
          },
      .objection = [this](bool spawned) { return objection(spawned); },
      .pause_accepting = [this](const auto& ours) { sockets_->pause(ours); },
      .resume_accepting = [this] { sockets_->resume(); },
      .stop_accepting =
          [this](const auto& ours) {
            service_->hands_over(driver_->heir());
            ours_ = ours;
            decide(life::event::succeeded);
          },
      .tell_monitors =
          [this](const auto& event, const auto& message) {
            server_->tell(event, message);
            service_->on_upgrade(event, message);
          }};
}

predecessor_driver::settings lifecycle::driver_settings(os::start_command start) const {
  return {.name = options_.name.empty() ? std::filesystem::path{control_path_}.filename().string()
                                        : options_.name,
          .generation = generation_,
          .control_path = control_path_,
          .start = std::move(start),
          .ready_timeout = options_.ready_timeout,
          .confirm_timeout = options_.confirm_timeout,
          .drain_timeout = options_.drain_timeout,
          .probation = options_.probation};
}

control_server::callbacks lifecycle::server_callbacks() {
  return {
      .status = [this] { return status(); },
      .metrics = [this] { return server_metrics{.text = metrics()}; },
      .state = [this] { return state_in_words(); },
      .refusal = [this] { return refusal(); },
      .report = [this](control_session& from, const wire::report& said) { on_report(from, said); },
      .reporter_gone = [this](const control_session& from) { on_reporter_gone(from); },
      .drain =
          [this](control_session& from, bool now) {
            end(now);
            drain_.watch(from);
          },
      .watched = [this](const std::string& by) { service_->watched_by(by); }};
}

void lifecycle::serve_control() {
  server_->start(owned_.control->get());
  path_keeper_.emplace(control_.context(), log_, owned_,
                       path_keeper::settings{.path = control_path_,
                                             .called = "control path",
                                             .by_default = options_.control_path.empty()},
                       path_keeper::callbacks{.may_replace = [this] { return !driver_->busy(); },
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

life lifecycle::now() const {
  const std::lock_guard lock{life_mutex_};
  return *life_;
}

/// Queues the actions of the control thread, in the order of the decisions, and returns the others.
life::actions lifecycle::take(life::event e) {
  const std::lock_guard lock{life_mutex_};
  auto actions = life_->resume(e);
  drains_ = life_->drains();
  const auto is_of_ready = [](life::action a) {
    return a == life::action::announce || a == life::action::open ||
           a == life::action::refuse_ready;
  };
  const auto queued = std::stable_partition(actions.begin(), actions.end(), is_of_ready);
  queued_.insert(queued_.end(), queued, actions.end());
  actions.erase(queued, actions.end());
  return actions;
}

/// Runs on the control thread.
void lifecycle::decide(life::event e) {
  (void)take(e);
  perform_queued();
}

/// Runs on the control thread. An action that leads to another decision queues it behind the
/// earlier ones.
void lifecycle::perform_queued() {
  for (;;) {
    life::action next{};
    {
      const std::lock_guard lock{life_mutex_};
      if (queued_.empty()) return;
      next = queued_.front();
      queued_.pop_front();
    }
    try {
      perform(next);
    } catch (...) {
      // The others are performed even if one fails.
      asio::post(control_.context(), [this] { perform_queued(); });
      throw;
    }
  }
}

void lifecycle::perform(life::action a) {
  using action = life::action;
  switch (a) {
    case action::announce:
    case action::open:
    case action::refuse_ready:
      return;  // ready()
    case action::say_serves:
      return say_serves();
    case action::say_unserved:
      sockets_->open();  // the clients that wait in its queue are served
      return service_->ends_unserved();
    case action::watch:
      return watch_predecessor();
    case action::break_off:
      return owned_.predecessor->break_off();
    case action::give_back:
      return give_back();
    case action::tell_end:
      return log_.info(now().in_a_hurry() ? "this process ends" : "this process drains, and ends");
    case action::settle_upgrade:
      return settle_upgrade();
    case action::ask_back:
      // Not if the watch has failed, and this process goes back already.
      if (!predecessor_ || !now().in_probation()) return;
      return predecessor_->ask_back("the successor was told to end");
    case action::stay:
      return stay();
    case action::serve_path:
      serve_control();
      return commit_waiters_->complete({});
    case action::end_alone:
      return end_alone();
    case action::go_back:
      return go_back();
    case action::hand_over:
      return hand_over(ours_);
    case action::hurry:
      return hurry();
  }
}

void lifecycle::handle_signals() {
  std::call_once(signals_once_, [this] {
    const auto drain = [this](bool now) {
      if (draining() && !now) log_.info("this process drains already; a second signal ends it");
      end(now);
    };
    const auto upgrade = [this] {
      const auto why = refusal();
      if (!why) return driver_->upgrade();
      log_.warning("SIGUSR2: no upgrade: " +
                   wire::string_field(why->parameters, "message").value_or(why->error));
    };
    signals_.emplace(control_.context(),
                     signal_actions::callbacks{.drain = drain, .upgrade = upgrade});
  });
}

}  // namespace graceful
