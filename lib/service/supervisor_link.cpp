// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "service/supervisor_link.hpp"

#include "control/varlink_connection.hpp"
#include "wire/supervisor_messages.hpp"

#include <chrono>
#include <utility>

namespace graceful {

namespace {

constexpr std::chrono::seconds connect_again_after{1};
constexpr std::chrono::seconds answer_time{1};

}  // namespace

supervisor_link::supervisor_link(asio::io_context& control, std::string path,
                                 std::function<void()> found_again)
    : control_{control},
      path_{std::move(path)},
      found_again_{std::move(found_again)},
      timer_{control},
      answer_timer_{control} {}

supervisor_link::~supervisor_link() { stop(); }

void supervisor_link::start() {
  if (path_.empty() || std::exchange(started_, true)) return;
  connect();
}

void supervisor_link::stop() {
  started_ = false;
  timer_.cancel();
  answer_timer_.cancel();
  asked_ = {};
  if (stream_) stream_->stop();
  stream_.reset();
}

/// connect(2) to a Unix socket succeeds at once, or fails if the queue is full.
boost::system::error_code supervisor_link::connect() {
  auto made = varlink_connection::connect(path_, std::chrono::steady_clock::now());
  if (!made) {
    lost_ = true;
    connect_later();
    return made.error().code;
  }
  stream_ = std::make_shared<varlink_stream>(
      control_, made->release().first, wire::framer{wire::max_reply_size},
      varlink_stream::events{[this](const std::string& text) { on_message(text); },
                             [this] { on_end(); }});
  stream_->start();
  met_ = true;
  if (std::exchange(lost_, false)) found_again_();
  return {};
}

void supervisor_link::on_end() {
  lost_ = true;
  if (asked_ && !std::exchange(asked_again_, true)) return ask_again();
  answer(false);
  connect_later();
}

void supervisor_link::ask_release(std::function<void(bool)> answer) {
  if (path_.empty()) return answer(false);
  asked_ = std::move(answer);
  asked_again_ = false;
  answer_timer_.expires_after(answer_time);
  answer_timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec) this->answer(false);
  });
  if (!ask()) ask_again();
}

bool supervisor_link::ask() {
  wire::call question;
  question.method = wire::release_method;
  return stream_ && stream_->send(question);
}

/// A supervisor that executes itself again ends its connections but keeps listening: it answers
/// when it is back. One that has ended keeps nothing.
void supervisor_link::ask_again() {
  timer_.cancel();
  if (stream_) stream_->stop();
  const auto failed = connect();
  if (failed || !ask()) answer(failed == errc::not_running);
}

void supervisor_link::on_message(const std::string& text) {
  const auto reply = wire::parse_reply(text);
  answer(reply && reply->error.empty() &&
         wire::parse<wire::release_reply>(reply->parameters)->released);
}

void supervisor_link::answer(bool released) {
  answer_timer_.cancel();
  if (const auto asked = std::exchange(asked_, {})) asked(released);
}

void supervisor_link::connect_later() {
  timer_.expires_after(connect_again_after);
  timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec && started_ && !(stream_ && stream_->is_open())) connect();
  });
}

}  // namespace graceful
