// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include "os/channel.hpp"
#include "wire/framer.hpp"
#include "wire/varlink.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace graceful {

namespace asio = boost::asio;

/// The client's end of a connection to a control socket, on the control thread: sends calls and
/// reports replies by callbacks. Nothing blocks. A connection that is lost can be made again.
class varlink_link {
 public:
  struct callbacks {
    std::function<void()> connected = [] {};  ///< `connect` has made a connection.
    /// A message has come; none: it is no reply.
    std::function<void(const std::optional<wire::reply>&)> reply = [](const auto&) {};
    /// The peer has ended the connection, or has sent a message that is too long. Called once for
    /// each connection.
    std::function<void()> end = [] {};
  };

  varlink_link(asio::io_context& control, callbacks on);
  ~varlink_link() { close(); }

  /// Makes a connection to the process that listens at the path, if there is none. Fails if no
  /// trusted process does.
  result<void> connect(const std::string& path);

  /// Uses this connection, from `start` on. `incoming`: what has already been read from it.
  void use(unique_fd connected, wire::framer incoming);
  void start();

  /// False if there is no connection, or the peer does not take the call now. Half a call cannot be
  /// taken back, so the connection is then of no more use, and `end` is called later. No reply
  /// comes if the connection ends first.
  bool send(const wire::call& call);

  /// Reports now what has already arrived. All callbacks that result are made before this returns,
  /// except `end`.
  void catch_up();

  /// Makes no more callbacks, and closes the connection.
  void close();

  [[nodiscard]] bool is_open() const { return socket_->is_open(); }

 private:
  using socket = asio::local::stream_protocol::socket;

  void watch();
  void on_readable();
  os::transfer take_in();
  void tell();

  asio::io_context& control_;
  const callbacks callbacks_;
  std::shared_ptr<socket> socket_;  // one for each connection; also held by the wait on it
  wire::framer incoming_{wire::max_reply_size};
};

}  // namespace graceful
