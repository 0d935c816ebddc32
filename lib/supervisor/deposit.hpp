// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SUPERVISOR_DEPOSIT_HPP
#define GRACEFUL_SUPERVISOR_DEPOSIT_HPP

#include <graceful/unique_fd.hpp>

#include "os/channel.hpp"
#include "os/child.hpp"
#include "os/log.hpp"
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

/// The supervisor's fd store: receives what a server says by sd_notify(3), and keeps the
/// descriptors that it stores that way.
class deposit {
 public:
  using listener = std::function<void(speaker by, supervision::notification what)>;

  deposit(asio::io_context& context, log& log);
  ~deposit();

  /// Reads from `socket`, which is borrowed; reports every message of a trusted sender.
  void start(int socket, listener on);

  /// Goes on with another socket, after reading what waits on the old one.
  void move_to(int socket);

  /// Reads everything that waits, now.
  void read() { read(more_than_can_wait); }

  /// Takes `fd` only if it is kept.
  void keep(const std::string& name, unique_fd& fd);

  /// Releases everything that has been read, and keeps nothing more until a process starts, or
  /// `keep_again` is called.
  void release();
  void keep_again() { released_ = false; }

  /// What a new process gets.
  [[nodiscard]] std::vector<os::passed_socket> for_start();
  [[nodiscard]] const std::vector<kept_descriptors::item>& items() const { return kept_.items(); }
  [[nodiscard]] std::size_t limit() const { return kept_.limit(); }

 private:
  /// More than net.unix.max_dgram_qlen allows anywhere. A sender that goes on meanwhile has to
  /// wait.
  static constexpr int more_than_can_wait = 4096;

  void read(int most);
  void wait();
  void take(os::inbox datagram);
  void hear(os::inbox& datagram);
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
