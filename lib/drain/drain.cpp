// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "drain/drain.hpp"

#include <graceful/phases.hpp>

#include "control/await.hpp"
#include "wire/control_messages.hpp"
#include "wire/handoff_messages.hpp"

#include <string>
#include <utility>

#include <unistd.h>

namespace graceful {

namespace {

using clock = std::chrono::steady_clock;

/// How long connections have after the deadline to close themselves, before the context is stopped.
constexpr std::chrono::seconds last_grace{2};

constexpr std::chrono::seconds report_interval{1};

}  // namespace

drain::drain(asio::io_context& control, log& log, connections& all, std::string control_path,
             callbacks on)
    : log_{log},
      connections_{all},
      callbacks_{std::move(on)},
      stage_timer_{control},
      report_timer_{control},
      control_path_{std::move(control_path)},
      server_{control,
              {.connected = [this] { cut_before_ = cut_heard_; },
               .reply = [this](const auto& reply) { on_reported(reply); }}} {}

void drain::begin() {
  if (began_) return;
  began_ = clock::now();
  connections_.begin(*began_);
  advance();
  reporting_ = true;
  every_second();
}

void drain::hurry() {
  hurried_ = true;
  begin();
  connections_.hurry(clock::now());
  advance();
}

void drain::advance() {
  if (expired_) return;
  const auto next = connections_.advance(clock::now());
  if (!next) return expire();
  call_at(stage_timer_, *next, [this] { advance(); });
}

/// Tracked connections have been told that the deadline has passed.
void drain::expire() {
  expired_ = true;
  const auto cut = connections_.cut();
  if (cut > 0) {
    log_.warning(
        std::string{hurried_ ? "drain: ended at once, " : "drain: the deadline has passed, "} +
        std::to_string(cut) + (cut == 1 ? " connection is cut" : " connections are cut"));
  }
  tell_watchers(phases::draining);
  callbacks_.every_second();  // nothing may run in the next second any more
  call_after(stage_timer_, last_grace, [this] { callbacks_.cut_short(); });
}

void drain::watch(control_session& from) {
  watchers_.push_back(from.weak_from_this());
  from.reply(progress(phases::draining));
  // A caller that hears nothing for long takes this process for dead.
  if (!std::exchange(reporting_, true)) every_second();
}

void drain::every_second() {
  call_after(report_timer_, report_interval, [this] {
    if (began_) advance();  // connections that were tracked meanwhile have their own deadlines
    tell_watchers(phases::draining);
    if (began_) callbacks_.every_second();
    every_second();
  });
}

void drain::finish() {
  tell_watchers(phases::drained);
  watchers_.clear();
}

void drain::tell_watchers(const char* phase) {
  std::erase_if(watchers_, [this, phase](const auto& watcher) {
    const auto session = watcher.lock();
    if (session) session->reply(progress(phase));
    return !session;
  });
}

void drain::report_to_server(std::uint64_t generation) {
  if (!server_.connect(control_path_)) return;
  cut_said_ = connections_.cut();
  (void)server_.send(wire::to_call(
      wire::report{generation, ::getpid(), connections_.open(), cut_said_ - cut_before_}));
}

void drain::on_reported(const std::optional<wire::reply>& reply) {
  const auto answer = reply ? wire::parse<wire::reported>(reply->parameters) : std::nullopt;
  if (!answer) return;
  cut_heard_ = cut_said_;
  if (!answer->hurry || hurried_) return;
  log_.warning("too many generations drain: the connections of this one are cut");
  hurry();
}

wire::reply drain::progress(const char* phase) const {
  const auto elapsed = began_ ? clock::now() - *began_ : clock::duration{};
  auto reply = wire::to_reply(
      drain_progress{.phase = phase,
                     .elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(elapsed),
                     .connections = connections_.open(),
                     .cut = connections_.cut()});
  reply.continues = phase != std::string_view{phases::drained};
  return reply;
}

}  // namespace graceful
