// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/http_reply.hpp"

#include "testing/client_socket.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include <system_error>

namespace graceful::testing {
namespace {

constexpr std::size_t head_limit = 65'536;
constexpr std::string_view protocol = "HTTP/1.1 ";

std::string lower(std::string_view text) {
  std::string result{text};
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return result;
}

/// A number that makes up all of `text`.
std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value{};
  const char* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || last != end) return {};
  return value;
}

/// The values of all headers `name`; head and name are in lower case.
std::vector<std::string_view> headers(std::string_view head, std::string_view name) {
  const std::string begin = "\r\n" + std::string{name} + ":";
  std::vector<std::string_view> values;
  for (auto at = head.find(begin); at != head.npos; at = head.find(begin, at + 1)) {
    std::string_view value = head.substr(at + begin.size());
    value = value.substr(0, value.find("\r\n"));
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    values.push_back(value.substr(0, value.find_last_not_of(" \t") + 1));
  }
  return values;
}

std::uint64_t generation_in(std::string_view served_by) {
  constexpr std::string_view mark = "gen-";
  if (!served_by.starts_with(mark)) return 0;
  served_by.remove_prefix(mark.size());
  return number(served_by.substr(0, served_by.find('-'))).value_or(0);
}

}  // namespace

http_reply::http_reply(std::string_view served_by) : served_by_{lower(served_by)} {}

void http_reply::take(std::string_view bytes) {
  if (in_body_) return take_body(bytes.size());

  const std::size_t searched = std::max<std::size_t>(head_.size(), 3) - 3;
  head_ += bytes;
  if (!head_.starts_with(protocol.substr(0, head_.size()))) {
    lose(loss::other,
         "no HTTP/1.1: " + head_.substr(0, std::min<std::size_t>(40, head_.find('\r'))));
  }
  const auto end = head_.find("\r\n\r\n", searched);
  if (end == head_.npos) {
    if (head_.size() > head_limit) lose(loss::other, "a reply head without end");
    return;
  }
  const std::uint64_t behind = head_.size() - end - 4;
  read_head(head_.substr(0, end + 2));
  in_body_ = true;
  take_body(behind);
}

void http_reply::read_head(std::string head) {
  if (!head.starts_with("HTTP/1.1 200 ")) {
    lose(loss::other, "status line: " + head.substr(0, head.find("\r\n")));
  }
  head = lower(head);
  if (!headers(head, "transfer-encoding").empty()) lose(loss::other, "a Transfer-Encoding");
  const auto lengths = headers(head, "content-length");
  if (lengths.empty()) lose(loss::other, "a reply without Content-Length");
  if (lengths.size() > 1) lose(loss::other, "several Content-Lengths");
  const auto length = number(lengths.front());
  if (!length) lose(loss::other, "Content-Length: " + std::string{lengths.front()});
  missing_ = *length;

  const auto served_by = headers(head, served_by_);
  if (!served_by.empty()) response_.generation = generation_in(served_by.front());
  const auto connection = headers(head, "connection");
  response_.closes = std::find(connection.begin(), connection.end(), "close") != connection.end();
}

void http_reply::take_body(std::uint64_t bytes) {
  if (bytes > missing_) lose(loss::other, "bytes after the reply");
  missing_ -= bytes;
}

void http_reply::closed() const {
  if (in_body_) {
    lose(loss::cut_short,
         "closed within the reply's body, " + std::to_string(missing_) + " bytes before its end");
  }
  lose(loss::cut_short,
       head_.empty() ? "closed before the reply" : "closed within the reply's head");
}

}  // namespace graceful::testing
