// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/http_reply.hpp"

#include "misbehaving_server.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

using namespace graceful::testing;
using graceful_test::reply_of;

namespace {

struct read {
  std::optional<http_response> response;
  std::optional<request_lost> lost;
};

/// A server that sends `text` in pieces of `step` bytes, and closes.
read all_of(std::string_view text, std::size_t step, std::string_view served_by = "X-Served-By") {
  http_reply reply{served_by};
  try {
    for (; !text.empty(); text.remove_prefix(std::min(step, text.size()))) {
      reply.take(text.substr(0, step));
    }
    if (!reply.complete()) reply.closed();
    return {reply.response(), {}};
  } catch (const request_lost& failure) {
    return {{}, failure};
  }
}

std::uint64_t generation_of(const std::string& header, std::string_view served_by) {
  const auto got =
      all_of("HTTP/1.1 200 OK\r\n" + header + "Content-Length: 0\r\n\r\n", 1000, served_by);
  REQUIRE(got.response);
  return got.response->generation;
}

}  // namespace

TEST_CASE("a good reply is read to its end, in whatever pieces it arrives") {
  const std::string text = reply_of(7, "a body\r\n\r\nwith an empty line");
  for (std::size_t step = 1; step <= text.size(); ++step) {
    CAPTURE(step);
    const auto got = all_of(text, step);
    REQUIRE(got.response);
    CHECK(got.response->generation == 7);
    CHECK_FALSE(got.response->closes);
  }
}

TEST_CASE("a reply that is cut anywhere is reported as cut short") {
  const std::string text = reply_of(7);
  for (std::size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    const auto got = all_of(std::string_view{text}.substr(0, size), 1000);
    REQUIRE(got.lost);
    CHECK(got.lost->how == loss::cut_short);
    CHECK(got.lost->why.starts_with(size == 0                ? "closed before the reply"
                                    : size < text.size() - 5 ? "closed within the reply's head"
                                                             : "closed within the reply's body"));
  }
}

TEST_CASE("a bad reply is reported with what is wrong, in whatever pieces it arrives") {
  const auto with = [](const std::string& headers) {
    return "HTTP/1.1 200 OK\r\n" + headers + "\r\nhello";
  };
  const std::pair<std::string, const char*> cases[] = {
      {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
       "status line: HTTP/1.1 503 Service Unavailable"},
      {"HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\nhello", "status line: "},
      {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "no HTTP/1.1: "},
      {"SSH-2.0-OpenSSH_9.2\r\n", "no HTTP/1.1: "},
      {"\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "no HTTP/1.1: "},
      {with("X: y\r\n"), "a reply without Content-Length"},
      {with("Not-Content-Length: 5\r\n"), "a reply without Content-Length"},
      {with("Content-Length: -5\r\n"), "Content-Length: -5"},
      {with("Content-Length: +5\r\n"), "Content-Length: +5"},
      {with("Content-Length: five\r\n"), "Content-Length: five"},
      {with("Content-Length: 5x\r\n"), "Content-Length: 5x"},
      {with("Content-Length: \r\n"), "Content-Length: "},
      {with("Content-Length: 5, 5\r\n"), "Content-Length: 5, 5"},
      {with("Content-Length: 99999999999999999999\r\n"), "Content-Length: 999"},
      {with("Content-Length: 5\r\nContent-Length: 5\r\n"), "several Content-Lengths"},
      {with("Content-Length: 5\r\ncontent-length: 6\r\n"), "several Content-Lengths"},
      {with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), "a Transfer-Encoding"},
      {with("Content-Length: 4\r\n"), "bytes after the reply"},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x'), "a reply head without end"},
  };
  for (const auto& each : cases) {
    const std::string& text = each.first;  // clang 14 cannot capture a structured binding
    const char* const why = each.second;
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, text.size()}) {
      CAPTURE(text.substr(0, 200));
      CAPTURE(step);
      const auto got = all_of(text, step);
      REQUIRE(got.lost);
      CHECK(got.lost->how == loss::other);
      CHECK_MESSAGE(got.lost->why.starts_with(why), got.lost->why);
    }
  }
}

TEST_CASE("the generation is read from the chosen header, and only from a valid value") {
  CHECK(generation_of("X-Served-By: gen-12-pid-345\r\n", "X-Served-By") == 12);
  CHECK(generation_of("x-served-by:gen-12\r\n", "X-Served-By") == 12);
  CHECK(generation_of("Generation: \t gen-3 \t\r\n", "generation") == 3);
  CHECK(generation_of("X-Served-By: gen-12\r\n", "Generation") == 0);
  CHECK(generation_of("X-Served-By: gen-\r\n", "X-Served-By") == 0);
  CHECK(generation_of("X-Served-By: gen-1x\r\n", "X-Served-By") == 0);
  CHECK(generation_of("X-Served-By: gen--1\r\n", "X-Served-By") == 0);
  CHECK(generation_of("X-Served-By: 12\r\n", "X-Served-By") == 0);
  CHECK(generation_of("X-Served-By: gen-99999999999999999999\r\n", "X-Served-By") == 0);
  CHECK(generation_of("", "X-Served-By") == 0);
}

TEST_CASE("a reply can announce that its connection closes") {
  const auto closes = [](const char* header) {
    const auto got =
        all_of(std::string{"HTTP/1.1 200 OK\r\n"} + header + "Content-Length: 0\r\n\r\n", 1000);
    REQUIRE(got.response);
    return got.response->closes;
  };
  CHECK(closes("Connection: close\r\n"));
  CHECK(closes("connection:Close\r\n"));
  CHECK_FALSE(closes("Connection: keep-alive\r\n"));
  CHECK_FALSE(closes("X-Connection: close\r\n"));
  CHECK_FALSE(closes(""));
}
