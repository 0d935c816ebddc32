// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/framer.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace {

using graceful::wire::framer;
using namespace std::string_literals;

void take_all(framer& f, std::vector<std::string>& messages) {
  while (auto message = f.next()) messages.push_back(std::move(*message));
}

}  // namespace

TEST_CASE("a stream yields the same messages wherever it is split") {
  const std::string stream = "abc\0\0de\0"s;
  const std::vector<std::string> expected{"abc", "", "de"};
  for (std::size_t i = 0; i <= stream.size(); ++i) {
    for (std::size_t j = i; j <= stream.size(); ++j) {
      CAPTURE(i);
      CAPTURE(j);
      framer f{3};
      std::vector<std::string> messages;
      for (const auto& part : {stream.substr(0, i), stream.substr(i, j - i), stream.substr(j)}) {
        f.feed(part);
        take_all(f, messages);
      }
      CHECK(messages == expected);
      CHECK(f.buffered() == 0);
      CHECK_FALSE(f.overflowed());
    }
  }
}

TEST_CASE("several messages in one feed come out one by one, in order") {
  framer f{10};
  f.feed("one\0two\0thr"s);
  CHECK(f.buffered() == 11);
  CHECK(f.next() == "one");
  CHECK(f.buffered() == 7);
  CHECK(f.next() == "two");
  CHECK(f.next() == std::nullopt);
  CHECK(f.buffered() == 3);
  f.feed("ee\0"s);
  CHECK(f.next() == "three");
}

TEST_CASE("a message as long as the limit is taken") {
  framer f{5};
  f.feed("12345");
  CHECK(f.next() == std::nullopt);
  CHECK_FALSE(f.overflowed());
  f.feed("\0"s);
  CHECK(f.next() == "12345");
  CHECK_FALSE(f.overflowed());
}

TEST_CASE("a message one byte longer than the limit is an overflow") {
  framer f{5};
  SUBCASE("with its NUL") { f.feed("123456\0"s); }
  SUBCASE("without its NUL") { f.feed("123456"); }
  SUBCASE("byte by byte") {
    for (const char c : "123456"s) {
      CHECK_FALSE(f.overflowed());
      f.feed({&c, 1});
      CHECK(f.next() == std::nullopt);
    }
  }
  CHECK(f.next() == std::nullopt);
  CHECK(f.overflowed());
}

TEST_CASE("after an overflow no message is returned") {
  framer f{5};
  f.feed("123456\0abc\0"s);
  CHECK(f.next() == std::nullopt);
  CHECK(f.next() == std::nullopt);
  f.feed("def\0"s);
  CHECK(f.next() == std::nullopt);
  CHECK(f.overflowed());
}

TEST_CASE("messages before one that is too long are delivered") {
  framer f{5};
  f.feed("ok\0"s + "123456\0"s);
  CHECK(f.next() == "ok");
  CHECK_FALSE(f.overflowed());
  CHECK(f.next() == std::nullopt);
  CHECK(f.overflowed());
}

TEST_CASE("the limit applies to one message, not to all that wait") {
  framer f{3};
  std::string stream;
  for (int i = 0; i < 100; ++i) stream += "abc\0"s;
  f.feed(stream);
  std::vector<std::string> messages;
  take_all(f, messages);
  CHECK(messages.size() == 100);
  CHECK_FALSE(f.overflowed());
}

TEST_CASE("the buffer stays bounded while messages are pipelined without end") {
  framer f{8};
  std::size_t taken = 0;
  for (int i = 0; i < 100'000; ++i) {
    f.feed("lo\0hel"s);  // a part of a message is always left
    while (auto message = f.next()) {
      CHECK(*message == (taken == 0 ? "lo" : "hello"));
      ++taken;
    }
    REQUIRE(f.buffered() == 3);
  }
  CHECK(taken == 100'000);
}
