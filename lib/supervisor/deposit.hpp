// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SUPERVISOR_DEPOSIT_HPP
#define GRACEFUL_SUPERVISOR_DEPOSIT_HPP

#include <graceful/unique_fd.hpp>

#include "os/launch.hpp"
#include "os/log.hpp"
#include "os/notify_socket.hpp"
#include "supervisor/kept_descriptors.hpp"
#include "supervisor/named_main.hpp"
#include "supervisor/notification.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful {

namespace asio = boost::asio;

/// Takes what a server says by sd_notify(3), and keeps the descriptors that it deposits so.
class deposit {
 public:
  using listener = std::function<void(speaker by, supervision::notification what)>;

  deposit(asio::io_context& context, log& log);
  ~deposit();

  /// Reads from `socket`, which it borrows; tells all that is said, by whoever may say it.
  void start(int socket, listener on);

  /// Goes on with another socket; what waits on the one before is read first.
  void move_to(int socket);

  /// All that waits to be read, now.
  void read() { read(more_than_can_wait); }

  /// Takes `fd` only if it is kept.
  void keep(const std::string& name, unique_fd& fd);

  /// Lets go of everything that has been read, and keeps nothing more until a process starts, or
  /// `keep_again`.
  void release();
  void keep_again() { released_ = false; }

  /// What a process that starts gets.
  [[nodiscard]] std::vector<os::passed_socket> for_start();
  [[nodiscard]] const std::vector<kept_descriptors::item>& items() const { return kept_.items(); }
  [[nodiscard]] std::size_t limit() const { return kept_.limit(); }

 private:
  /// Beyond what net.unix.max_dgram_qlen allows anywhere; who goes on writing meanwhile waits.
  static constexpr int more_than_can_wait = 4096;

  void read(int most);
  void wait();
  void take(os::notify_datagram datagram);
  void hear(os::notify_datagram& datagram);
  void remove(const std::string& name);
  void tell_full(const std::string& message);

  log& log_;
  kept_descriptors kept_;
  asio::posix::stream_descriptor socket_;
  listener on_;
  bool released_ = false;
  bool told_full_ = false;
};

}  // namespace graceful

#endif
