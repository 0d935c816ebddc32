// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CONTROL_PATH_KEEPER_HPP
#define GRACEFUL_CONTROL_PATH_KEEPER_HPP

#include <graceful/error.hpp>

#include "control/owned_path.hpp"
#include "os/log.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>

#include <sys/types.h>
#include <unistd.h>

namespace graceful {

namespace asio = boost::asio;

/// Puts a server's control path, or the paths of a supervisor, back when somebody has removed them:
/// logind takes /run/user/UID away at logout, and others clean up. A socket or a lock of another
/// process stays as it is. Lives on the thread that serves the path.
class path_keeper {
 public:
  struct settings {
    std::string path;
    std::string called;  ///< "control path": what the log calls it.
    /// Its directory is private then, and at a name that others may know, in /tmp.
    bool by_default;
    /// What is owned is on offer to nobody, so that it may be replaced.
    std::function<bool()> may_replace;
    /// Serves on another control socket from now on.
    std::function<void(int listener)> serve;
    /// What else belongs there: whether it is in place, and puts it back, before the socket: who
    /// finds that relies on it. Empty: nothing does.
    std::function<bool()> rest_in_place{};
    std::function<result<void>()> put_rest_back{};
  };

  /// `owned` is kept up to date.
  path_keeper(asio::io_context& control, log& log, owned_path& owned, settings s);

  /// Looks at once, and then every second.
  void start();

  /// Looks no more. The object has to outlive what runs on the control thread.
  void stop();

  /// The path leads to this process: as far as the files there tell.
  [[nodiscard]] bool in_place() const;

 private:
  void look();
  void look_now();
  [[nodiscard]] bool all_in_place() const;
  result<void> put_back();
  result<void> check_socket();
  [[nodiscard]] result<void> make_directory() const;
  [[nodiscard]] result<void> check_directory() const;
  [[nodiscard]] result<std::shared_ptr<const unique_fd>> take_lock() const;

  log& log_;
  owned_path& owned_;
  const settings settings_;
  const std::string directory_;
  // Of the directory, when this process came to serve.
  mode_t mode_ = 0700;
  uid_t user_ = ::geteuid();
  asio::steady_timer timer_;
  bool stopped_ = false;
  bool adopted_ = false;  // see os::adopt_control
  bool told_ = false;     // that it cannot be put back
};

}  // namespace graceful

#endif
