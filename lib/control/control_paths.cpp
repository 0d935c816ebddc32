// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/control_paths.hpp"

#include <graceful/control_client.hpp>

#include "os/at_start.hpp"
#include "os/peer.hpp"

#include <algorithm>
#include <filesystem>

#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace graceful {

namespace {

bool is_directory_of(uid_t user, const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == user &&
         os::is_one_user(user);
}

/// Server and operator must find the same directory, although one may lack the variable, or have
/// that of the user before su(1). So what the kernel says counts first.
std::string default_directory() {
  const uid_t user = ::geteuid();
  if (user == 0) return "/run/graceful";
  const auto usual = "/run/user/" + std::to_string(user);
  if (is_directory_of(user, usual)) return usual + "/graceful";
  const auto variable = os::trusted_variable("XDG_RUNTIME_DIR");
  if (variable.starts_with('/') && is_directory_of(user, variable)) return variable + "/graceful";
  return "/tmp/graceful-" + std::to_string(user);
}

}  // namespace

std::string default_control_path(std::string_view name) {
  return default_directory() + '/' + std::string{name} + ".sock";
}

result<std::vector<std::string>> find_control_paths() {
  std::vector<std::string> paths;
  if (auto trusted = os::check_private_directory(default_directory()); !trusted) {
    if (trusted.error().code == boost::system::errc::no_such_file_or_directory) return paths;
    return trusted.error();
  }
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator{default_directory(), ec}) {
    std::error_code ignored;
    if (entry.is_socket(ignored) && entry.path().extension() == ".sock" &&
        !entry.path().stem().string().starts_with('.')) {
      paths.push_back(entry.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

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
    if (ec) {
      return failure{ec, "cannot make " + opts.control_path + " an absolute path: " + ec.message()};
    }
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
  if (auto made = os::make_private_directory(default_directory()); !made) return made.error();
  return default_control_path(opts.name);
}

}  // namespace graceful
