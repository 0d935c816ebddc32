// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/shim/conversation.hpp"

#include "testing/shim/descriptors.hpp"

#include <algorithm>
#include <cstring>

namespace graceful::testing::shim {
namespace {

/// The call on each descriptor that has not been answered: 0 for none, otherwise the call's step +
/// 1, with its direction in the next bit.
constinit std::array<std::atomic<std::uint8_t>, 65536> asked{};

constexpr std::uint8_t direction_bit = 0x40;

struct method {
  std::string_view name;  // with its quotes, because the description of the interface names methods
                          // too
  step call;
};
constexpr std::array methods{
    method{"\"io.graceful.Handoff.Begin\"", step::begin},
    method{"\"io.graceful.Handoff.Fetch\"", step::fetch},
    method{"\"io.graceful.Handoff.Ready\"", step::ready},
    method{"\"io.graceful.Handoff.Settle\"", step::settle},
};

std::optional<step> call_in(const char* bytes, std::size_t size) {
  for (const auto& [name, call] : methods) {
    if (::memmem(bytes, size, name.data(), name.size()) != nullptr) return call;
  }
  return std::nullopt;
}

bool is_tracked(int fd) { return fd >= 0 && static_cast<std::size_t>(fd) < asked.size(); }

}  // namespace

std::optional<step> recognise(int fd, direction which, const iovec* parts, std::size_t count,
                              std::size_t bytes) {
  if (!is_tracked(fd) || bytes == 0 || !is_unix_connection(fd)) return std::nullopt;
  for (std::size_t i = 0; i < count && bytes > 0; ++i) {
    const std::size_t size = std::min(bytes, parts[i].iov_len);
    if (const auto call = call_in(static_cast<const char*>(parts[i].iov_base), size)) return call;
    bytes -= size;
  }
  const std::uint8_t open = asked[static_cast<std::size_t>(fd)].load(std::memory_order_relaxed);
  const auto asked_by = (open & direction_bit) != 0 ? direction::received : direction::sent;
  if (open == 0 || asked_by == which) return std::nullopt;
  return static_cast<step>(open & ~direction_bit);  // the step after the call's, which is stored
                                                    // plus one
}

void note(int fd, direction which, step what) {
  const auto number = static_cast<std::uint8_t>(what);
  const bool is_call = number % 2 == 0;
  const std::uint8_t from = which == direction::received ? direction_bit : 0;
  asked[static_cast<std::size_t>(fd)].store(
      is_call ? static_cast<std::uint8_t>((number + 1) | from) : std::uint8_t{0},
      std::memory_order_relaxed);
}

void forget(int fd) {
  if (is_tracked(fd)) asked[static_cast<std::size_t>(fd)].store(0, std::memory_order_relaxed);
}

}  // namespace graceful::testing::shim
