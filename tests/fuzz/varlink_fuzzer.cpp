// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/framer.hpp"
#include "wire/varlink.hpp"

#include "fuzz_input.hpp"
#include "json_match.hpp"

#include <algorithm>
#include <string>
#include <vector>

/// A stream of bytes, cut at arbitrary places, parsed as calls and replies. The input: the limit of
/// a message (2 bytes), a number of parts and the length of each, the stream.
using namespace graceful_test;
namespace wire = graceful::wire;

namespace {

struct cut_stream {
  std::vector<std::string> messages{};
  bool overflowed = false;
};

void take_all(wire::framer& framer, cut_stream& out) {
  for (;;) {
    const auto before = framer.buffered();
    auto message = framer.next();
    out.overflowed = framer.overflowed();
    if (!message) break;
    require(before - framer.buffered() == message->size() + 1, "buffered() counts what is left");
    out.messages.push_back(std::move(*message));
  }
  require(!framer.next() && framer.overflowed() == out.overflowed, "to ask again changes nothing");
}

/// The expected result, computed in another way than by the framer.
cut_stream expected(std::string_view stream, std::size_t limit) {
  cut_stream out;
  for (;;) {
    const auto end = stream.find('\0');
    if (std::min(end, stream.size()) > limit) {
      out.overflowed = true;
      return out;
    }
    if (end == std::string_view::npos) return out;
    out.messages.emplace_back(stream.substr(0, end));
    stream.remove_prefix(end + 1);
  }
}

/// How deeply the brackets are nested, for a text that is JSON.
std::size_t depth_of(std::string_view text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && (text[i] == '{' || text[i] == '[')) {
      deepest = std::max(deepest, ++depth);
    } else if (!quoted && (text[i] == '}' || text[i] == ']')) {
      --depth;
    }
  }
  return deepest;
}

std::string without_nul(std::string message) {
  require(message.find('\0') == message.size() - 1, "a message has one NUL, at its end");
  message.pop_back();
  return message;
}

void check_message(const std::string& text) {
  const auto call = wire::parse_call(text);
  const auto reply = wire::parse_reply(text);
  if (call || reply) require(depth_of(text) <= wire::max_depth, "the nesting is limited");
  if (call) {
    const auto again = wire::parse_call(without_nul(wire::to_message(*call)));
    require(again && again->method == call->method && again->more == call->more &&
                again->oneway == call->oneway && match(again->parameters, call->parameters),
            "a call that is written is read as the same call");
  }
  if (reply) {
    const auto again = wire::parse_reply(without_nul(wire::to_message(*reply)));
    require(again && again->error == reply->error && again->continues == reply->continues &&
                match(again->parameters, reply->parameters),
            "a reply that is written is read as the same reply");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz_input input{data, size};
  const std::size_t limit = input.word();
  std::vector<std::size_t> lengths(input.byte() % 8);
  for (auto& length : lengths) length = input.byte();
  auto stream = input.rest();

  const auto whole = expected(stream, limit);
  cut_stream out;
  wire::framer framer{limit};
  for (const auto length : lengths) {
    const auto part = stream.substr(0, length);
    framer.feed(part);
    stream.remove_prefix(part.size());
    take_all(framer, out);
  }
  framer.feed(stream);
  take_all(framer, out);
  require(out.messages == whole.messages, "the messages do not depend on where the stream is cut");
  require(out.overflowed == whole.overflowed, "the length of a message is limited");

  for (const auto& message : whole.messages) check_message(message);
  return 0;
}
