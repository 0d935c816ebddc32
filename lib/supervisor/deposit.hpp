// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/unique_fd.hpp>

#include "os/channel.hpp"
#include "os/child.hpp"
#include "os/control_path.hpp"
#include "os/log.hpp"
#include "supervisor/notification.hpp"
#include "supervisor/server_process.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace graceful {

namespace asio = boost::asio;

/// The supervisor's fd store: receives what a server says by sd_notify(3), and keeps the
/// descriptors that it stores that way, by name, each file once. Several may have the same name.
class deposit {
 public:
  struct item {
    std::string name;
    unique_fd fd;
    os::file_id file;
    std::string address;  ///< Of an IP socket; else empty.
  };
  struct callbacks {
    /// Gets every message of a trusted sender.
    std::function<void(speaker by, supervision::notification what)> heard;
  };

  deposit(asio::io_context& context, log& log, callbacks on);
  ~deposit();

  /// Reads from `socket`, which is borrowed.
  void start(int socket);

  /// Goes on with another socket, after reading what waits on the old one.
  void move_to(int socket);

  /// Reads everything that waits, now.
  void read() { read(more_than_can_wait); }

  /// Takes `fd` only if it is kept from now on. Never closes it: the caller does, who may have no
  /// time for that now.
  void keep(const std::string& name, unique_fd& fd);

  /// Releases everything that has been read, and keeps nothing more until a process starts, or
  /// `keep_again` is called.
  void release();
  void keep_again() { released_ = false; }

  /// What a new process gets.
  [[nodiscard]] std::vector<os::passed_socket> for_start();
  [[nodiscard]] const std::vector<item>& items() const { return items_; }
  [[nodiscard]] std::size_t limit() const { return limit_; }

 private:
  /// More than net.unix.max_dgram_qlen allows anywhere. A sender that goes on meanwhile has to
  /// wait.
  static constexpr int more_than_can_wait = 4096;

  void read(int most);
  void wait();
  void hear(os::inbox& datagram);
  [[nodiscard]] bool keeps(std::string_view name, int fd, const os::file_id& file) const;
  [[nodiscard]] bool has_room_for(std::string_view name) const;
  void close_all();
  void remove(const std::string& name);
  void tell_full(const std::string& message);

  log& log_;
  const callbacks callbacks_;
  const std::size_t limit_;
  std::vector<item> items_;
  asio::posix::stream_descriptor socket_;
  bool released_ = false;
  bool told_full_ = false;
};

}  // namespace graceful
