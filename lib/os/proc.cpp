// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/proc.hpp"

#include <graceful/unique_fd.hpp>

#include "os/spare_descriptors.hpp"
#include "os/text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <limits.h>
#include <system_error>
#include <unistd.h>

namespace graceful::os {

std::string proc_path(pid_t pid, const std::string& name) {
  return "/proc/" + std::to_string(pid) + '/' + name;
}

std::string whole_file(const std::string& path) { return beginning_of(path, std::string::npos); }

std::string beginning_of(const std::string& path, std::size_t most) {
  unique_fd file{spare_descriptors::with(
      [&path] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); })};
  std::string text;
  std::array<char, 4096> buffer;
  for (ssize_t n = 1; n > 0 && text.size() < most;) {
    n = ::read(file.get(), buffer.data(), std::min(buffer.size(), most - text.size()));
    text.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  }
  spare_descriptors::close(std::move(file));
  return text;
}

std::string link_target(const std::string& path) {
  std::array<char, PATH_MAX> target;
  const auto length = ::readlink(path.c_str(), target.data(), target.size());
  return {target.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

void for_each_process(const std::function<bool(pid_t pid)>& look) {
  namespace fs = std::filesystem;
  std::error_code failed;
  for (fs::directory_iterator entry{"/proc", failed}, end; !failed && entry != end;
       entry.increment(failed)) {
    const auto pid = whole_number<pid_t>(entry->path().filename().string());
    if (pid && !look(*pid)) return;
  }
}

}  // namespace graceful::os
