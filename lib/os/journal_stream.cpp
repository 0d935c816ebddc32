// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/journal_stream.hpp"

#include <string>

#include <sys/stat.h>

namespace graceful::os {

bool is_journal_stream(int fd, std::string_view variable) {
  struct stat is {};
  if (variable.empty() || ::fstat(fd, &is) != 0) return false;
  return variable == std::to_string(is.st_dev) + ':' + std::to_string(is.st_ino);
}

}  // namespace graceful::os
