// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_WHOLE_FILE_HPP
#define GRACEFUL_OS_WHOLE_FILE_HPP

#include <graceful/unique_fd.hpp>

#include "os/spare_descriptors.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace graceful::os {

/// Reads a file of /proc, even where clients have taken every descriptor; empty if it cannot be
/// read.
inline std::string whole_file(const std::string& path) {
  unique_fd file{
      spare_descriptors::with([&path] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); })};
  std::string text;
  std::array<char, 4096> buffer;
  for (ssize_t n = 0; (n = ::read(file.get(), buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
  spare_descriptors::close(std::move(file));
  return text;
}

}  // namespace graceful::os

#endif
