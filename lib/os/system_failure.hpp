// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_SYSTEM_FAILURE_HPP
#define GRACEFUL_OS_SYSTEM_FAILURE_HPP

#include <graceful/error.hpp>

#include <boost/system/error_code.hpp>

#include <cerrno>
#include <string>

namespace graceful::os {

inline error_code system_code(int number = errno) {
  return {number, boost::system::system_category()};
}

/// A failed system call: what was tried, then what the system says.
inline failure system_failure(const std::string& tried, int number = errno) {
  const auto code = system_code(number);
  return {code, tried + ": " + code.message()};
}

}  // namespace graceful::os

#endif
