// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/deadline.hpp>
#include <graceful/unique_fd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace graceful_test {

using namespace graceful::testing;

/// A terminal (pty(7)) for one program, and the user in front of it. Only the waits read from it,
/// so a program that writes more than the kernel buffers (some KiB) waits for one of them.
class terminal {
 public:
  explicit terminal(unsigned short columns);

  /// For `process_options::terminal`. Let go of it when the program has been started, so that its
  /// end can be seen.
  [[nodiscard]] int program_end() const { return slave_.get(); }
  void let_go() { slave_.reset(); }

  void type(std::string_view keys) const;

  /// The program gets SIGWINCH.
  void resize(unsigned short columns) const;

  /// The user has left: the program gets SIGHUP, and errors when it writes.
  void hang_up() { master_.reset(); }

  /// Searches everything that was written. False at the deadline, or when no writer is left.
  bool wait_for(std::string_view needle, deadline until);

  /// Searches what was written after this call.
  bool wait_for_more(std::string_view needle, deadline until);

  /// Waits until all programs have ended. False at the deadline.
  bool wait_end(deadline until);

  /// Reads what is already there. Returns how many bytes there are in all.
  std::size_t read_so_far();

  /// Everything that was written, byte for byte.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  bool read_some(deadline until);  // false at the deadline and at the end
  bool search(std::string_view needle, std::size_t from, deadline until);

  graceful::unique_fd master_;
  graceful::unique_fd slave_;
  std::string text_;
  bool ended_ = false;
};

/// What a terminal shows: rows of a number of columns, and a cursor. Knows line breaks, carriage
/// return, colours (SGR), and the escapes that erase to the end of a row or of the screen.
class screen_rows {
 public:
  explicit screen_rows(std::size_t columns) : columns_{columns} {}

  /// Throws `std::runtime_error` at an escape of another kind.
  void write(std::string_view text);

  /// Wraps all lines again, as most terminals do. The cursor stays with the character below it.
  void resize(std::size_t columns);

  /// Its lines without colours and trailing blanks, wrapped ones joined again.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  /// A full row may continue in the next.
  struct row {
    std::vector<std::string> cells;  // one character each
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

/// What a terminal of so many columns shows at the end.
std::vector<std::string> screen(std::string_view text, std::size_t columns);

}  // namespace graceful_test
