// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTS_SUPPORT_TERMINAL_HPP
#define GRACEFUL_TESTS_SUPPORT_TERMINAL_HPP

#include <graceful/testing/deadline.hpp>
#include <graceful/unique_fd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace graceful_test {

using namespace graceful::testing;

/// A terminal (pty(7)) for one program, and who sits in front of it. Nothing is read but in the
/// waits; a program that writes more than the kernel keeps (some KiB) waits for one.
class terminal {
 public:
  explicit terminal(unsigned short columns);

  /// For `process_options::terminal`; let go of when the program has been started, so that its end
  /// can be seen.
  [[nodiscard]] int program_end() const { return slave_.get(); }
  void let_go() { slave_.reset(); }

  void type(std::string_view keys) const;

  /// Whoever has the terminal gets SIGWINCH.
  void resize(unsigned short columns) const;

  /// Nobody sits there any more: SIGHUP for the program, and errors when it writes.
  void hang_up() { master_.reset(); }

  /// Searches all that was written. False at the deadline, or when nobody is left to write.
  bool wait_for(std::string_view needle, deadline until);

  /// Searches what was written after this call.
  bool wait_for_more(std::string_view needle, deadline until);

  /// Until all programs have gone. False at the deadline.
  bool wait_end(deadline until);

  /// Reads what is there already: how many bytes that is, of all.
  std::size_t read_so_far();

  /// All that was written, byte for byte.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  bool read_some(deadline until);  // false at the deadline and at the end
  bool search(std::string_view needle, std::size_t from, deadline until);

  graceful::unique_fd master_;
  graceful::unique_fd slave_;
  std::string text_;
  bool ended_ = false;
};

/// What a terminal shows: rows of so many columns, and a cursor. Knows line breaks, carriage
/// return, colours (SGR), and how a row or all that follows is erased to the end.
class screen_rows {
 public:
  explicit screen_rows(std::size_t columns) : columns_{columns} {}

  /// Throws `std::runtime_error` at an escape of another kind.
  void write(std::string_view text);

  /// Folds all lines again, as most terminals do. The cursor stays with the character below it.
  void resize(std::size_t columns);

  /// Its lines, each whole even if it is folded, without colours and blanks at its end.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  /// One that is full may go on in the next.
  struct row {
    std::vector<std::string> cells;  // a character each
    bool goes_on = false;
  };

  void put(char c);
  void escape(std::string_view parameters, char what);
  void next_row();

  std::size_t columns_;
  std::vector<row> rows_{1};
  std::size_t row_ = 0;
  std::size_t column_ = 0;
};

/// What a terminal of so many columns shows in the end.
std::vector<std::string> screen(std::string_view text, std::size_t columns);

}  // namespace graceful_test

#endif
