// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "traffic.hpp"

#include <utility>

namespace graceful_existing {
namespace {

class kit_traffic final : public traffic {
 public:
  template <class Load>
  explicit kit_traffic(const Load& what) : load_{what} {}

  bool wait_for(std::uint64_t further, graceful::testing::deadline until) override {
    return load_.wait_for(further, until, 0);
  }

  totals stop() override {
    const auto seen = load_.stop();
    return {seen.ok, seen.lost(),
            seen.failures.empty() ? std::string{} : seen.failures.front().to_string()};
  }

 private:
  graceful::testing::load load_;
};

}  // namespace

std::unique_ptr<traffic> make_traffic(graceful::testing::http_load what) {
  return std::make_unique<kit_traffic>(what);
}

std::unique_ptr<traffic> make_traffic(graceful::testing::exchange_load what) {
  return std::make_unique<kit_traffic>(what);
}

}  // namespace graceful_existing
