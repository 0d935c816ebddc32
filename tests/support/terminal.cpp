// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "terminal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <system_error>
#include <unistd.h>

namespace graceful_test {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::system_category(), what};
}

std::string without_blanks_at_end(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

terminal::terminal(unsigned short columns)
    : master_{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)} {
  if (!master_ || ::grantpt(master_.get()) != 0 || ::unlockpt(master_.get()) != 0) fail("pty");
  slave_.reset(::open(::ptsname(master_.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave_) fail("ptsname");
  resize(columns);
}

void terminal::type(std::string_view keys) const {
  if (::write(master_.get(), keys.data(), keys.size()) != static_cast<ssize_t>(keys.size())) {
    fail("type");
  }
}

void terminal::resize(unsigned short columns) const {
  const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  if (::ioctl(master_.get(), TIOCSWINSZ, &size) != 0) fail("TIOCSWINSZ");
}

bool terminal::wait_for(std::string_view needle, deadline until) {
  return search(needle, 0, until);
}

bool terminal::wait_for_more(std::string_view needle, deadline until) {
  return search(needle, read_so_far(), until);
}

std::size_t terminal::read_so_far() {
  while (read_some(std::chrono::seconds{0})) {
    // What is there already.
  }
  return text_.size();
}

bool terminal::wait_end(deadline until) {
  while (read_some(until)) {
    // To the end.
  }
  return ended_;
}

bool terminal::read_some(deadline until) {
  if (ended_ || !wait_readable(master_.get(), until)) return false;
  std::array<char, 4096> chunk;
  const auto size = ::read(master_.get(), chunk.data(), chunk.size());
  ended_ = size <= 0;  // EIO: all programs have gone
  if (!ended_) text_.append(chunk.data(), static_cast<std::size_t>(size));
  return !ended_;
}

bool terminal::search(std::string_view needle, std::size_t from, deadline until) {
  while (text_.find(needle, from) == std::string::npos) {
    if (!read_some(until)) return false;
  }
  return true;
}

void screen_rows::write(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\x1b') {
      put(text[i]);
      continue;
    }
    const auto end = text.find_first_not_of("[0123456789;", i + 1);
    if (end == text.npos) throw std::runtime_error{"an escape that does not end"};
    escape(text.substr(i + 1, end - i - 1), text[end]);
    i = end;
  }
}

void screen_rows::put(char c) {
  auto& cells = rows_[row_].cells;
  if (c == '\r') {
    column_ = 0;
  } else if (c == '\n') {
    next_row();
  } else if ((static_cast<unsigned char>(c) & 0xC0U) == 0x80U) {
    if (column_ > 0) cells[column_ - 1] += c;
  } else if (column_ == columns_) {
    rows_[row_].goes_on = true;
    next_row();
    column_ = 0;
    put(c);
  } else {
    if (cells.size() <= column_) cells.resize(column_ + 1, " ");
    cells[column_++] = c;
  }
}

void screen_rows::escape(std::string_view parameters, char what) {
  if (what == 'm') return;
  if (parameters != "[" || (what != 'K' && what != 'J')) {
    throw std::runtime_error{"an escape of another kind: " + std::string{parameters} + what};
  }
  rows_[row_].cells.resize(std::min(rows_[row_].cells.size(), column_));
  if (what == 'K') return;
  rows_[row_].goes_on = false;
  rows_.resize(row_ + 1);
}

void screen_rows::next_row() {
  if (++row_ == rows_.size()) rows_.emplace_back();
}

void screen_rows::resize(std::size_t columns) {
  std::vector<row> folded;
  std::size_t cursor_row = 0;
  std::size_t cursor_column = 0;
  row whole;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (i == row_) {
      const auto at = whole.cells.size() + column_;
      cursor_row = folded.size() + at / columns;
      cursor_column = at % columns;
    }
    whole.cells.insert(whole.cells.end(), rows_[i].cells.begin(), rows_[i].cells.end());
    if (rows_[i].goes_on) continue;
    do {
      const auto some = std::min(columns, whole.cells.size());
      const auto end = whole.cells.begin() + static_cast<std::ptrdiff_t>(some);
      folded.push_back({{whole.cells.begin(), end}, some < whole.cells.size()});
      whole.cells.erase(whole.cells.begin(), end);
    } while (!whole.cells.empty());
  }
  rows_ = std::move(folded);
  columns_ = columns;
  row_ = std::min(cursor_row, rows_.size() - 1);
  column_ = cursor_column;
}

std::vector<std::string> screen_rows::lines() const {
  std::vector<std::string> lines(1);
  for (const row& r : rows_) {
    for (const std::string& cell : r.cells) lines.back() += cell;
    if (!r.goes_on) lines.emplace_back();
  }
  for (std::string& line : lines) line = without_blanks_at_end(std::move(line));
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

std::vector<std::string> screen(std::string_view text, std::size_t columns) {
  screen_rows rows{columns};
  rows.write(text);
  return rows.lines();
}

}  // namespace graceful_test
