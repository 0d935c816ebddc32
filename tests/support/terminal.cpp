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

/// A row of the screen. One that is full goes on in the next.
struct row {
  std::vector<std::string> cells;  // a character each
  bool goes_on = false;
};

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
  while (read_some(std::chrono::seconds{0})) {
    // What is there already.
  }
  return search(needle, text_.size(), until);
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

std::vector<std::string> screen(std::string_view text, std::size_t columns) {
  std::vector<row> rows(1);
  std::size_t column = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\r') {
      column = 0;
    } else if (c == '\n') {
      rows.emplace_back();
    } else if (c == '\x1b') {
      const auto end = text.find_first_not_of("[0123456789;", i + 1);
      const char what = end == std::string_view::npos ? '?' : text[end];
      if (what == 'K' && end == i + 2) {
        rows.back().cells.resize(std::min(rows.back().cells.size(), column));
      } else if (what != 'm') {
        throw std::runtime_error{"an escape of another kind: " + std::string{text.substr(i, 8)}};
      }
      i = end;
    } else if ((static_cast<unsigned char>(c) & 0xC0U) == 0x80U) {
      if (column > 0) rows.back().cells[column - 1] += c;
    } else {
      if (column == columns) {
        rows.back().goes_on = true;
        rows.emplace_back();
        column = 0;
      }
      if (rows.back().cells.size() <= column) rows.back().cells.resize(column + 1, " ");
      rows.back().cells[column++] = c;
    }
  }
  std::vector<std::string> lines(1);
  for (const row& r : rows) {
    for (const std::string& cell : r.cells) lines.back() += cell;
    if (!r.goes_on) lines.emplace_back();
  }
  for (std::string& line : lines) line = without_blanks_at_end(std::move(line));
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

}  // namespace graceful_test
