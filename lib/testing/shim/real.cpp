// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/shim/real.hpp"

#include <array>
#include <atomic>

#include <dlfcn.h>

namespace graceful::testing::shim {
namespace {

constexpr std::array symbol_names{
#define GRACEFUL_SHIM_SYMBOL(name, ...) #name,
#define GRACEFUL_SHIM_FURTHER(kind, name, ...) #name,
    GRACEFUL_SHIM_CALLS(GRACEFUL_SHIM_SYMBOL, GRACEFUL_SHIM_FURTHER)
#undef GRACEFUL_SHIM_SYMBOL
#undef GRACEFUL_SHIM_FURTHER
};

constinit std::array<std::atomic<void*>, symbol_names.size()> addresses{};

}  // namespace

/// The first caller looks the address up; several at a time find the same.
void* address_of(symbol which) {
  const auto i = static_cast<std::size_t>(which);
  void* address = addresses[i].load(std::memory_order_relaxed);
  if (address == nullptr) {
    address = ::dlsym(RTLD_NEXT, symbol_names[i]);
    addresses[i].store(address, std::memory_order_relaxed);
  }
  return address;
}

void resolve_all() {
  for (std::size_t i = 0; i < symbol_names.size(); ++i) address_of(static_cast<symbol>(i));
}

}  // namespace graceful::testing::shim
