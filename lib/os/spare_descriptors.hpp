// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_SPARE_DESCRIPTORS_HPP
#define GRACEFUL_OS_SPARE_DESCRIPTORS_HPP

#include <graceful/unique_fd.hpp>

/// Descriptors in reserve: clients may take all that the limit of open files allows (EMFILE), and
/// an operator still gets in, and an upgrade has what it needs. The limit is the process's, and so
/// is the reserve. Thread-safe.
namespace graceful::os {

/// While one lives there is a reserve: an eighth of the limit, at most twelve.
class spare_descriptors {
 public:
  spare_descriptors();
  spare_descriptors(const spare_descriptors&) = delete;
  spare_descriptors& operator=(const spare_descriptors&) = delete;
  ~spare_descriptors();

  /// What `make` returns, which is negative if it fails, with errno. If it fails for want of
  /// descriptors one is given up for it, and it is called again, until none is left.
  template <class Make>
  static int with(Make make) {
    for (;;) {
      const int made = make();
      if (made >= 0 || !give_one_up()) return made;
    }
  }

  /// Closes it. If one is missing its number stays, in one step: no accept loop is quicker.
  static void close(unique_fd fd);

  /// Takes back what was given up, as far as there is something to be had.
  static void refill();

 private:
  /// False, with errno as it was, if that says something else, or there is none.
  static bool give_one_up();
};

}  // namespace graceful::os

#endif
