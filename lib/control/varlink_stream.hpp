// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CONTROL_VARLINK_STREAM_HPP
#define GRACEFUL_CONTROL_VARLINK_STREAM_HPP

#include <graceful/unique_fd.hpp>

#include "wire/framer.hpp"
#include "wire/varlink.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <functional>
#include <memory>
#include <string>

namespace graceful {

namespace asio = boost::asio;

/// The client's end of a connection to a control socket, on the control thread: sends calls and
/// reports replies by callbacks. Nothing blocks.
class varlink_stream : public std::enable_shared_from_this<varlink_stream> {
 public:
  struct events {
    std::function<void(const std::string& text)> message;
    std::function<void()> end;  ///< The peer has ended the connection, or has sent a message that
                                ///< is too long. Called once.
  };

  /// `incoming`: what has already been read from the socket.
  varlink_stream(asio::io_context& control, unique_fd socket, wire::framer incoming, events on);

  ~varlink_stream();

  void start();

  /// Makes no more callbacks, and closes the connection.
  void stop();

  /// False if the peer does not take the call now. Half a call cannot be taken back, so the
  /// connection is of no more use, and `end` is called later.
  bool send(const wire::call& call);

  /// Reports now what has already arrived. All callbacks that result are made before this returns,
  /// except `end`.
  void catch_up();

  [[nodiscard]] bool is_open() const { return socket_.is_open(); }

 private:
  void watch();
  void on_readable();
  void tell();

  asio::local::stream_protocol::socket socket_;
  wire::framer incoming_;
  events on_;
};

}  // namespace graceful

#endif
