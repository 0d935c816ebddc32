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

/// The client's end of a connection to a control socket, on the control thread: calls go out, and
/// what comes in is told. Nothing blocks.
class varlink_stream : public std::enable_shared_from_this<varlink_stream> {
 public:
  struct events {
    std::function<void(const std::string& text)> message;
    std::function<void()> end;  ///< By the peer, or by a message that is too long. Once.
  };

  /// `incoming`: what has been read from the socket already.
  varlink_stream(asio::io_context& control, unique_fd socket, wire::framer incoming, events on);

  ~varlink_stream();

  void start();

  /// Tells no more, and ends the connection.
  void stop();

  /// False if the peer does not take the call now: half a call cannot be taken back, so the
  /// connection is of no more use, and its end is told later.
  bool send(const wire::call& call);

  /// Tells now what has come already. What it leads to is told before this returns; an end is not.
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
