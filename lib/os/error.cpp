// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/error.hpp>

#include "os/error_table.hpp"

#include <boost/assert/source_location.hpp>

#include <string>
#include <utility>

namespace graceful {

namespace {

class category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "graceful"; }

  std::string message(int value) const override {
    const bool known = value > 0 && value <= static_cast<int>(error_table.size());
    return known ? std::string{entry_of(static_cast<errc>(value)).message}
                 : "unknown error of graceful: " + std::to_string(value);
  }
};

}  // namespace

const boost::system::error_category& graceful_category() noexcept {
  static const category instance;
  return instance;
}

error::error(failure why)
    : boost::system::system_error{why.code}, message_{std::move(why.message)} {}

const char* error::what() const noexcept { return message_.c_str(); }

void throw_exception_from_error(const failure& why, const boost::source_location& /*where*/) {
  throw error{why};
}

}  // namespace graceful
