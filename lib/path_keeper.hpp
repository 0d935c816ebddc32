// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_PATH_KEEPER_HPP
#define GRACEFUL_LIB_PATH_KEEPER_HPP

#include <graceful/error.hpp>

#include "log.hpp"
#include "takeover.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>

#include <sys/types.h>

namespace graceful {

namespace asio = boost::asio;

/// Puts the control path back when somebody has removed it while this process serves: logind takes
/// /run/user/UID away at logout, and others clean up. A socket or a lock of another server stays as
/// it is. Lives on the control thread.
class path_keeper {
 public:
  struct settings {
    std::string path;
    /// Its directory is private then, and at a name that others may know, in /tmp.
    bool by_default;
    /// What is owned is on offer to nobody, so that it may be replaced.
    std::function<bool()> may_replace;
    /// Serves on another control socket from now on.
    std::function<void(int listener)> serve;
  };

  /// `owned` is kept up to date.
  path_keeper(asio::io_context& control, log& log, ownership& owned, settings s);

  /// Looks at once, and then every second.
  void start();

  /// Looks no more. The object has to outlive what runs on the control thread.
  void stop();

 private:
  void look();
  void look_now();
  [[nodiscard]] bool in_place() const;
  result<void> put_back();
  result<void> check_socket();
  [[nodiscard]] result<void> make_directory() const;
  [[nodiscard]] result<void> check_directory() const;
  [[nodiscard]] result<std::shared_ptr<const unique_fd>> take_lock() const;

  log& log_;
  ownership& owned_;
  const settings settings_;
  const std::string directory_;
  // Of the directory, when this process came to serve.
  mode_t mode_ = 0700;
  uid_t user_ = 0;
  asio::steady_timer timer_;
  bool stopped_ = false;
  bool told_ = false;  // that it cannot be put back
};

}  // namespace graceful

#endif
