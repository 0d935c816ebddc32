// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_ERROR_HPP
#define GRACEFUL_ERROR_HPP

#include <graceful/detail/api.hpp>
#include <graceful/errc.hpp>

#include <boost/system/result.hpp>
#include <boost/system/system_error.hpp>

#include <string>

namespace graceful {

/// An error as a value: a code for decisions, and one sentence for people, which says what happened
/// and what to do next.
struct failure {
  error_code code;
  std::string message;
};

/// The exception of this library. `what()` is the sentence of the failure, `code()` its code.
class GRACEFUL_API error : public boost::system::system_error {
 public:
  explicit error(failure why);
  [[nodiscard]] const char* what() const noexcept override;

 private:
  std::string message_;
};

/// A value or a `failure`. `value()` throws `error` if there is no value.
template <class T>
using result = boost::system::result<T, failure>;

/// Customisation point of `result`: turns a failure into an `error`.
[[noreturn]] GRACEFUL_API void throw_exception_from_error(const failure& why,
                                                          const boost::source_location&);

}  // namespace graceful

#endif
