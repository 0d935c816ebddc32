// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "drain/drain.hpp"

#include <graceful/phases.hpp>

#include "wire/control_messages.hpp"

#include <string>
#include <utility>

namespace graceful {

namespace {

using clock = std::chrono::steady_clock;

/// How long connections have after the deadline to close themselves, before the context is stopped.
constexpr std::chrono::seconds last_grace{2};

constexpr std::chrono::seconds report_interval{1};

}  // namespace

drain::drain(asio::io_context& control, log& log, connections& all, surroundings around)
    : log_{log},
      connections_{all},
      around_{std::move(around)},
      stage_timer_{control},
      report_timer_{control} {}

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
  stage_timer_.expires_at(*next);
  stage_timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec) advance();
  });
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
  report();
  around_.every_second();  // nothing may run in the next second any more
  stage_timer_.expires_after(last_grace);
  stage_timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec) around_.cut_short();
  });
}

void drain::watch(control_session& from) {
  watchers_.push_back(from.weak_from_this());
  from.reply(progress(phases::draining));
  // A caller that hears nothing for long takes this process for dead.
  if (!std::exchange(reporting_, true)) every_second();
}

void drain::every_second() {
  report_timer_.expires_after(report_interval);
  report_timer_.async_wait([this](boost::system::error_code ec) {
    if (ec) return;
    if (began_) advance();  // connections that were tracked meanwhile have their own deadlines
    report();
    if (began_) around_.every_second();
    every_second();
  });
}

void drain::report() {
  std::erase_if(watchers_, [](const auto& watcher) { return watcher.expired(); });
  const auto watchers = watchers_;
  for (const auto& watcher : watchers) {
    if (const auto session = watcher.lock()) session->reply(progress(phases::draining));
  }
}

void drain::finish() {
  for (const auto& watcher : std::exchange(watchers_, {})) {
    if (const auto session = watcher.lock()) session->reply(progress(phases::drained));
  }
}

wire::reply drain::progress(const char* phase) const {
  const auto elapsed = began_ ? clock::now() - *began_ : clock::duration{};
  drain_progress p{.phase = phase,
                   .elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(elapsed),
                   .connections = connections_.open(),
                   .cut = connections_.cut()};
  auto reply = wire::to_reply(p);
  reply.continues = p.phase != phases::drained;
  return reply;
}

}  // namespace graceful
