// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/notification.hpp"

#include "os/text.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>

#include <system_error>

namespace graceful::supervision {

namespace {

constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_status = 1024;

/// A number greater than 0 that makes up the whole text.
template <class Number>
std::optional<Number> positive(std::string_view text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || last != end || number <= 0) return {};
  return number;
}

/// Never cuts within a character.
std::string shortened(std::string_view text) {
  if (text.size() <= longest_status) return std::string{text};
  auto end = longest_status;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return std::string{text.substr(0, end)};
}

}  // namespace

bool is_descriptor_name(std::string_view name) {
  return !name.empty() && name.size() <= longest_name &&
         std::ranges::all_of(name, [](char c) { return c >= ' ' && c < '\x7f' && c != ':'; });
}

std::optional<notification> parse_notification(std::string_view datagram) {
  if (datagram.size() > max_notification) return {};
  while (datagram.ends_with('\0')) datagram.remove_suffix(1);
  if (datagram.find('\0') != datagram.npos || !is_text(datagram)) return {};

  std::map<std::string_view, std::string_view> fields;
  while (!datagram.empty()) {
    const auto line = datagram.substr(0, datagram.find('\n'));
    datagram.remove_prefix(std::min(line.size() + 1, datagram.size()));
    const auto equals = line.find('=');
    if (equals != line.npos) fields.emplace(line.substr(0, equals), line.substr(equals + 1));
  }

  const auto value = [&](std::string_view key) {
    const auto found = fields.find(key);
    return found == fields.end() ? std::string_view{} : found->second;
  };
  notification n;
  n.ready = value("READY") == "1";
  n.reloading = value("RELOADING") == "1";
  n.stopping = value("STOPPING") == "1";
  n.barrier = value("BARRIER") == "1";
  n.store = value("FDSTORE") == "1";
  n.remove = value("FDSTOREREMOVE") == "1";
  n.went_back = value("X_GRACEFUL_WENT_BACK") == "1";
  if (is_descriptor_name(value("FDNAME"))) n.name = value("FDNAME");
  if (fields.contains("STATUS")) n.status = shortened(value("STATUS"));
  n.main_pid = positive<pid_t>(value("MAINPID"));
  if (const auto us = positive<std::uint64_t>(value("EXTEND_TIMEOUT_USEC"))) {
    constexpr std::chrono::microseconds day = std::chrono::hours{24};
    n.extension = std::min(day, std::chrono::microseconds{std::min<std::uint64_t>(
                                    *us, static_cast<std::uint64_t>(day.count()))});
  }
  return n;
}

}  // namespace graceful::supervision
