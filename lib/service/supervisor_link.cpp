// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "service/supervisor_link.hpp"

#include "control/await.hpp"
#include "wire/supervisor_messages.hpp"

#include <chrono>
#include <utility>

namespace graceful {

namespace {

constexpr std::chrono::seconds connect_again_after{1};
constexpr std::chrono::seconds answer_time{1};

}  // namespace

supervisor_link::supervisor_link(asio::io_context& control, std::string path, callbacks on)
    : path_{std::move(path)},
      callbacks_{std::move(on)},
      timer_{control},
      answer_timer_{control},
      link_{control,
            {.connected = [this] { on_connected(); },
             .reply =
                 [this](const auto& reply) {
                   answer(reply && reply->error.empty() &&
                          wire::parse<wire::release_reply>(reply->parameters)->released);
                 },
             .end = [this] { on_lost(); }}} {}

void supervisor_link::start() {
  if (path_.empty() || std::exchange(started_, true)) return;
  (void)connect();
}

void supervisor_link::stop() {
  started_ = false;
  timer_.cancel();
  answer_timer_.cancel();
  asked_ = {};
  link_.close();
}

/// Tries until there is a supervisor.
result<void> supervisor_link::connect() {
  auto made = link_.connect(path_);
  if (!made) {
    lost_ = true;
    connect_later();
  }
  return made;
}

void supervisor_link::on_connected() {
  met_ = true;
  if (std::exchange(lost_, false)) callbacks_.found_again();
}

void supervisor_link::on_lost() {
  lost_ = true;
  if (asked_ && !std::exchange(asked_again_, true)) return ask_again();
  answer(false);
  connect_later();
}

void supervisor_link::ask_release(std::function<void(bool)> answer) {
  if (path_.empty()) return answer(false);
  asked_ = std::move(answer);
  asked_again_ = false;
  call_after(answer_timer_, answer_time, [this] { this->answer(false); });
  if (!ask()) ask_again();
}

bool supervisor_link::ask() {
  return link_.send({.method = std::string{wire::release_method}, .parameters = {}});
}

/// A supervisor that executes itself again ends its connections but keeps listening: it answers
/// when it is back. One that has ended keeps nothing.
void supervisor_link::ask_again() {
  timer_.cancel();
  link_.close();
  const auto made = connect();
  if (!made || !ask()) answer(!made && made.error().code == errc::not_running);
}

void supervisor_link::answer(bool released) {
  answer_timer_.cancel();
  if (const auto asked = std::exchange(asked_, {})) asked(released);
}

void supervisor_link::connect_later() {
  call_after(timer_, connect_again_after, [this] {
    if (started_) (void)connect();
  });
}

}  // namespace graceful
