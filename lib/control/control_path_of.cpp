// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/control_path_of.hpp"

#include <graceful/control_client.hpp>

#include "os/at_start.hpp"
#include "os/control_path.hpp"

#include <filesystem>

#include <system_error>

namespace graceful {

result<std::string> control_path_of(const options& opts) {
  if (!opts.control_path.empty()) {
    if (os::is_set_id() && !opts.control_path.starts_with('/')) {
      return failure{errc::invalid_argument,
                     "the control path " + opts.control_path +
                         " is relative to a directory that whoever started this set-id program "
                         "chose; set options::control_path to an absolute path"};
    }
    std::error_code ec;
    auto path = std::filesystem::absolute(opts.control_path, ec);
    if (ec) return failure{ec, "the control path " + opts.control_path + ": " + ec.message()};
    return path.lexically_normal().string();
  }
  const bool usable = !opts.name.empty() && opts.name.front() != '.' && opts.name.front() != '-' &&
                      opts.name.find_first_not_of(
                          "abcdefghijklmnopqrstuvwxyz"
                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                          "0123456789._-") == std::string::npos;
  if (!usable) {
    return failure{errc::invalid_argument,
                   "options::name '" + opts.name +
                       "' is not usable: letters, digits, '.', '_' and '-', not starting with '.' "
                       "or '-'; or set options::control_path"};
  }
  auto path = default_control_path(opts.name);
  const auto directory = std::filesystem::path{path}.parent_path().string();
  if (auto made = os::make_private_directory(directory); !made) return made.error();
  return path;
}

}  // namespace graceful
