// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/keeper.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <doctest/doctest.h>

namespace supervision = graceful::supervision;
namespace json = boost::json;
using namespace std::chrono_literals;

TEST_CASE("a keeper continues in the next program with all that it remembers") {
  supervision::memory m;
  m.now = supervision::phase::waiting;
  m.main = 7;
  m.speaker = 8;
  m.formers = {3, 5};
  m.ever_started = m.spoke = m.ready = m.overdue = true;
  m.due = supervision::time{1234567ns};
  m.begun = supervision::time{89ns};
  m.status = "generation 3 serves";
  m.last_end = "exited";
  m.last_code = 137;
  m.failures = 4;
  m.restarts = 5;
  m.told = 1;
  const auto text = json::serialize(supervision::to_json(m));
  const auto back = supervision::memory_from(json::parse(text).get_object());
  CHECK(json::serialize(supervision::to_json(back)) == text);
  CHECK(back.now == m.now);
  CHECK(back.main == m.main);
  CHECK(back.speaker == m.speaker);
  CHECK(back.formers == m.formers);
  CHECK(back.due == m.due);
  CHECK(back.begun == m.begun);
  CHECK(back.status == m.status);
  CHECK(back.last_end == m.last_end);
  CHECK(back.last_code == m.last_code);
  CHECK(back.failures == m.failures);
  CHECK(back.restarts == m.restarts);
  CHECK(back.told == m.told);
  CHECK((back.ever_started && back.spoke && back.ready && back.overdue));
}

TEST_CASE(
    "values that another build does not write, or writes differently, are those of a new keeper") {
  const auto m = supervision::memory_from(
      json::parse(R"({"phase":"x","main":-1,"formers":{},"due":"soon","failures":-1})")
          .get_object());
  CHECK(json::serialize(supervision::to_json(m)) ==
        json::serialize(supervision::to_json(supervision::memory{})));
}
