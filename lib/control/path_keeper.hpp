// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>

#include "control/control_paths.hpp"
#include "os/log.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <string>

#include <sys/types.h>
#include <unistd.h>

namespace graceful {

namespace asio = boost::asio;

/// Puts a server's control path, or the paths of a supervisor, back when they have been removed:
/// logind removes /run/user/UID at logout, and cleaners remove others. A socket or a lock of
/// another process stays as it is. Lives on the thread that serves the path.
class path_keeper {
 public:
  struct settings {
    std::string path;
    std::string called;  ///< The name for the log, such as "control path".
    /// The directory is then private, with a name in /tmp that others may know.
    bool by_default;
  };

  struct callbacks {
    /// True while nothing that is owned is on offer to a successor, so that it may be replaced.
    std::function<bool()> may_replace = [] { return true; };
    /// Serves on another control socket from now on.
    std::function<void(int listener)> serve;
    /// Whether the other files that belong there are in place; they are put back before the socket,
    /// because a process that finds the socket relies on them.
    std::function<bool()> rest_in_place = [] { return true; };
    std::function<result<void>()> put_rest_back{};
  };

  /// Keeps `owned` up to date.
  path_keeper(asio::io_context& control, log& log, owned_path& owned, settings s, callbacks on);

  /// Checks at once, and then every second.
  void start() { look(); }

  /// Stops checking. The object must outlive everything that runs on the control thread.
  void stop();

  /// True if the path leads to this process, as far as the files there tell.
  [[nodiscard]] bool in_place() const;

 private:
  void look();
  void try_to_put_back();
  result<void> put_back();
  result<void> check_socket();
  [[nodiscard]] result<void> make_directory() const;

  log& log_;
  owned_path& owned_;
  const settings settings_;
  const callbacks callbacks_;
  const std::string directory_;
  // The mode and the owner of the directory when this process began to serve.
  mode_t mode_ = 0700;
  uid_t user_ = ::geteuid();
  asio::steady_timer timer_;
  bool stopped_ = false;
  bool adopted_ = false;  // see os::adopt_control
  bool told_ = false;     // the log says that it cannot be put back
};

}  // namespace graceful
