// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "server/confirmation.hpp"

#include "listen/inventory_fixture.hpp"

#include "patience.hpp"

#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

using namespace graceful_test;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

/// A successor that is asked whether it serves.
struct asked_successor {
  explicit asked_successor(std::chrono::milliseconds time)
      : confirms{control, sockets.items, application.get_executor(), time} {}

  void ask() {
    confirms.ask(true, {.serves = [this] { answer = "serves"; },
                        .does_not = [this](const std::string& why) { answer = why; }});
  }

  void answer_roll_call() {
    application.restart();
    application.poll();
    control.restart();
    control.poll();
  }

  void listen() {
    REQUIRE(sockets.listen("web").has_value());
    sockets.items.attach("web", user);
    confirms.sockets_changed();
  }

  /// Runs the control thread until there is an answer.
  const std::string& final_answer() {
    control.restart();
    while (answer.empty() && control.run_one_for(patience) > 0) continue;
    return answer;
  }

  asio::io_context control;
  asio::io_context application;
  stock sockets;
  std::shared_ptr<counted> user = std::make_shared<counted>();
  std::string answer;
  graceful::confirmation confirms;
};

}  // namespace

TEST_CASE("a successor confirms as soon as its threads answer and it listens, and not before") {
  enum class listens { before_it_is_asked, before_it_answers, last };
  for (const auto when : {listens::before_it_is_asked, listens::before_it_answers, listens::last}) {
    asked_successor s{1h};
    if (when == listens::before_it_is_asked) s.listen();
    s.ask();
    if (when == listens::before_it_answers) s.listen();
    CHECK(s.answer.empty());
    s.answer_roll_call();
    CHECK(s.answer.empty() == (when == listens::last));
    if (when == listens::last) s.listen();
    CHECK(s.answer == "serves");
  }
}

TEST_CASE("a successor whose threads do not answer does not confirm, and says why") {
  asked_successor s{1ms};
  s.listen();
  s.ask();
  CHECK(s.final_answer().starts_with("its threads do not answer"));
}

TEST_CASE("a successor that listens on nothing that it was handed does not confirm, and says why") {
  asked_successor s{1ms};
  s.ask();
  s.application.poll();
  CHECK(s.final_answer().starts_with("it has called listen for none of the sockets"));
}

TEST_CASE("a successor that is not asked any more does not answer") {
  asked_successor s{1h};
  s.listen();
  s.ask();
  s.confirms.stop();
  s.answer_roll_call();
  CHECK(s.answer.empty());
}
