// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/error.hpp>

#include "os/error_table.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>

using graceful::errc;
using graceful::error_code;

namespace {

constexpr int first = static_cast<int>(errc::already_running);
constexpr int last = static_cast<int>(errc::no_upgrade);

std::string message_of(int value) { return graceful::graceful_category().message(value); }

}  // namespace

TEST_CASE("every error has its own message, which says what to do") {
  CHECK(first == 1);
  std::set<std::string> messages;
  for (int value = first; value <= last; ++value) {
    CAPTURE(value);
    const auto message = message_of(value);
    CHECK_FALSE(message.empty());
    CHECK(message.find("unknown error") == message.npos);
    CHECK(messages.insert(message).second);
  }
}

TEST_CASE("the test of all errors leaves none out") {
  CHECK(last == 18);
  CHECK(message_of(last + 1).starts_with("unknown error"));
}

TEST_CASE("a value that is not one of our errors is named by its number") {
  for (const int value : {-1, 0, last + 1, 1 << 30}) {
    CHECK(message_of(value) == "unknown error of graceful: " + std::to_string(value));
  }
}

TEST_CASE("the table has each error once, at its number, and each name on the wire means one") {
  std::set<std::string_view> names;
  for (const auto& each : graceful::error_table) {
    CAPTURE(each.message);
    CHECK(&graceful::entry_of(each.value) == &each);
    for (const auto name : {each.control, each.handoff, each.supervisor}) {
      if (name.empty()) continue;
      CHECK(names.insert(name).second);
      CHECK(graceful::errc_of(name) == each.value);
    }
  }
  CHECK_FALSE(graceful::errc_of(""));
  CHECK_FALSE(graceful::errc_of("io.graceful.Control.Unheard"));
}

TEST_CASE("an errc is an error_code of the category 'graceful'") {
  const error_code code = errc::busy;
  CHECK(code);
  CHECK(code.category() == graceful::graceful_category());
  CHECK(std::string{code.category().name()} == "graceful");
  CHECK(code.value() == 2);
  CHECK(code == errc::busy);
  CHECK(code != errc::no_upgrade);
  CHECK(code.message() == message_of(2));
}

TEST_CASE("an error has the sentence of its failure, and keeps its code") {
  const graceful::error e{{errc::busy, "an upgrade runs since 3 s"}};
  CHECK(std::string{e.what()} == "an upgrade runs since 3 s");
  CHECK(e.code() == errc::busy);
}

TEST_CASE("the value of a failed result throws the failure as an error") {
  const graceful::result<int> failed{graceful::failure{errc::wrong_socket, "no socket"}};
  try {
    (void)failed.value();
    FAIL("no exception");
  } catch (const boost::system::system_error& e) {
    CHECK(std::string{e.what()} == "no socket");
    CHECK(e.code() == errc::wrong_socket);
    CHECK(dynamic_cast<const graceful::error*>(&e) != nullptr);
  }
  CHECK(graceful::result<int>{3}.value() == 3);
}
