// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include "os/channel.hpp"
#include "os/home_process.hpp"
#include "os/peer.hpp"
#include "wire/framer.hpp"
#include "wire/varlink.hpp"

#include <string>
#include <utility>
#include <vector>

namespace graceful {

/// The client's end of a connection to a control socket. Synchronous, every step with a deadline.
class varlink_connection {
 public:
  /// Connects, and checks that a trusted process listens there. Fails with `errc::not_running` if
  /// no process does. Waits for a successor whose predecessor has died before it was ready, and for
  /// a process that holds the lock of the path but does not listen there: `errc::not_ready` if it
  /// still does not at the deadline.
  static result<varlink_connection> connect(const std::string& path, os::deadline until,
                                            os::trust whom = os::trust::own_user);

  /// Takes an end of a socketpair that was passed to this process. `errc::permission_denied` if
  /// another user made it.
  static result<varlink_connection> adopt(unique_fd socket);

  varlink_connection(varlink_connection&&) = default;
  varlink_connection& operator=(varlink_connection&&) = default;
  /// Does not wait for the close of descriptors that were never asked for.
  ~varlink_connection();

  /// Succeeds even if the peer has closed the connection: receive() reports that, after what the
  /// peer has sent before.
  result<void> send(const wire::call& call, os::deadline until);

  struct incoming {
    std::string text;
    std::vector<unique_fd> descriptors;  // received since the last message
    bool truncated;
    pid_t sender;            // of its last byte: os::inbox
    unique_fd sender_pidfd;  // likewise
  };
  /// The next message. Fails with `errc::timed_out`, `errc::peer_gone`, or
  /// `errc::protocol_violation` if it is too long. `pidfd`: of the peer, or -1. If that process
  /// dies, the peer is gone even if a process that it forked holds the connection open; what it
  /// sent before is returned first.
  result<incoming> receive(os::deadline until, int pidfd = -1);

  /// Takes no more answers, for good. Returns whether the server has read all that was sent. If it
  /// has not, a server of this version finds, when it reads the rest, that its caller has gone.
  bool give_up();

  [[nodiscard]] const os::peer& peer() const { return peer_; }
  [[nodiscard]] int socket() const { return socket_.get(); }
  /// The socket, and what has been read from it but not returned by receive().
  [[nodiscard]] std::pair<unique_fd, wire::framer> release() {
    return {std::move(socket_), std::move(framer_)};
  }

 private:
  varlink_connection(unique_fd socket, os::peer peer) : socket_{std::move(socket)}, peer_{peer} {}

  os::home_process home_;
  unique_fd socket_;
  os::peer peer_;
  wire::framer framer_{wire::max_reply_size};
  os::inbox box_;  // what has come with the bytes in `framer_`
};

}  // namespace graceful
