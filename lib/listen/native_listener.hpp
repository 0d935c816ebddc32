// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/native.hpp>
#include <graceful/unique_fd.hpp>

#include "listen/inventory.hpp"
#include "os/log.hpp"
#include "os/park.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace graceful {

namespace asio = boost::asio;

/// A listening socket from which the application accepts by means of its own. The application is
/// told by its hooks to pause, resume and stop. What it has no hooks for is done to the descriptor
/// (see os::park), and so is a stop that the application has not heeded after a while.
///
/// The descriptor is the application's. Its number may be free by then, or mean another socket;
/// the cookie tells, as cookies are never reused.
class native_listener final : public accepting,
                              public std::enable_shared_from_this<native_listener> {
 public:
  struct callbacks {
    /// The application's on_resume has failed. Called on the application's loop.
    std::function<void()> cannot_accept;
  };

  /// `fd` is a duplicate of that of `socket`. `library` runs what does not wait for the
  /// application.
  native_listener(asio::any_io_executor library, asio::any_io_executor application, int fd,
                  std::shared_ptr<const listening_socket> socket, native::listener_hooks hooks,
                  callbacks on, log& log);

  void open() override { want(state::open); }
  void pause() override { want(state::paused); }
  void stop() override { want(state::stopped); }
  [[nodiscard]] asio::any_io_executor executor() const override { return application_; }
  [[nodiscard]] os::answer somebody_blocks() const override;
  [[nodiscard]] bool gone() const override;

  /// Lets go of everything, and calls no hook any more.
  void abandon();

 private:
  enum class state { closed, open, paused, stopped };

  void want(state what);
  void post_apply();
  void apply();
  void await_close(std::chrono::steady_clock::time_point until);
  bool call(const char* name, const std::function<void()>& hook);
  void force();
  void park();
  void unpark();
  [[nodiscard]] bool exists() const;
  [[nodiscard]] bool parks() const { return !hooks_.on_pause || !hooks_.on_resume; }

  const asio::any_io_executor library_;
  const asio::any_io_executor application_;
  const int fd_;
  const std::string name_;
  log& log_;
  asio::steady_timer look_again_;

  mutable std::mutex mutex_;
  native::listener_hooks hooks_;
  callbacks callbacks_;
  std::uint64_t cookie_;                            // of the socket behind fd_
  std::shared_ptr<const listening_socket> socket_;  // until it is stopped
  const bool blocking_;
  std::optional<os::epoll_entry> entry_;  // while it is parked
  unique_fd place_;                       // a socket to park on
  bool parked_ = false;
  bool forced_ = false;  // it was made to accept nothing any more
  state wanted_ = state::closed;
  state told_ = state::closed;  // what the application knows
};

}  // namespace graceful
