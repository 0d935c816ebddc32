// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "style.hpp"

#include <cstddef>
#include <string_view>

namespace graceful::cli {

/// Whether this is a terminal on which a line can be redrawn.
bool is_live_terminal(int fd);

/// What the terminal can show; nothing special if it is none. Knows the codeset of the locale after
/// setlocale(LC_CTYPE, "").
style style_of(int fd);

/// The current number of columns (ioctl_tty(2)); 80 if the terminal does not say.
std::size_t width_of(int fd);

/// Whether this process may draw there: not while it is in the background, where the line belongs
/// to the shell.
bool in_foreground(int fd);

/// Waits as long as no reader takes it. False if it cannot be written.
bool write_all(int fd, std::string_view text);

}  // namespace graceful::cli
