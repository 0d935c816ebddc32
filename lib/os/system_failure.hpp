// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <cerrno>
#include <string>
#include <utility>

namespace graceful::os {

inline error_code system_code(int number = errno) {
  return {number, boost::system::system_category()};
}

/// What to do about an error that only the user who starts the process can fix.
inline std::string remedy(const error_code& code) {
  if (code != system_code(EMFILE)) return {};
  return "; raise the limit of open files (RLIMIT_NOFILE, ulimit -n)";
}

/// A failed system call: what was tried, then what the system says, then what to do.
inline failure system_failure(const std::string& tried, int number = errno,
                              const std::string& advice = {}) {
  const auto code = system_code(number);
  return {code, tried + ": " + code.message() + remedy(code) + advice};
}

/// Runs `f`, in which Asio opens descriptors. Asio's own exceptions name a function of Asio, and
/// not what to do.
template <class F>
decltype(auto) in_words(const std::string& tried, F&& f) {
  try {
    return std::forward<F>(f)();
  } catch (const error&) {
    throw;
  } catch (const boost::system::system_error& e) {
    throw error{failure{e.code(), tried + ": " + e.code().message() + remedy(e.code())}};
  }
}

}  // namespace graceful::os
