// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/unique_fd.hpp>

/// Descriptors in reserve. Clients may use up the limit of open files (EMFILE); an operator can
/// then still connect, and an upgrade has what it needs. The limit is the process's, and so is the
/// reserve. Thread-safe.
namespace graceful::os {

/// While an object of this class lives there is a reserve: an eighth of the limit, at most twelve.
class spare_descriptors {
 public:
  spare_descriptors();
  spare_descriptors(const spare_descriptors&) = delete;
  spare_descriptors& operator=(const spare_descriptors&) = delete;
  ~spare_descriptors();

  /// Returns what `make` returns: negative if it fails, with errno. If it fails for want of
  /// descriptors, one spare is given up and `make` is called again, until no spare is left.
  template <class Make>
  static int with(Make make) {
    for (;;) {
      const int made = make();
      if (made >= 0 || !give_one_up()) return made;
    }
  }

  /// Closes `fd`. If a spare is missing, one takes the number in one step, before any accept
  /// loop can.
  static void close(unique_fd fd);

  /// Takes back what was given up, as far as descriptors are free.
  static void refill();

 private:
  /// False, with errno unchanged, if errno says something else or no spare is left.
  static bool give_one_up();
};

}  // namespace graceful::os
