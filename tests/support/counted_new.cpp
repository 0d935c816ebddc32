// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// Replaces operator new for the whole program.
#include "counted_new.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace graceful_test {

namespace {
std::atomic<std::size_t> calls{0};
}  // namespace

std::size_t allocations() { return calls; }

}  // namespace graceful_test

// Not inlined: otherwise g++ reports a new-expression and free(3) as a mismatched pair.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++graceful_test::calls;
  if (void* at = std::malloc(size)) return at;
  throw std::bad_alloc{};
}

[[gnu::noinline]] void operator delete(void* at) noexcept { std::free(at); }

[[gnu::noinline]] void operator delete(void* at, std::size_t) noexcept { std::free(at); }
