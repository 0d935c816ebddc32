// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/unique_fd.hpp>

#include "os/channel.hpp"
#include "os/home_process.hpp"
#include "os/peer.hpp"
#include "os/process_identity.hpp"
#include "wire/framer.hpp"
#include "wire/varlink.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful {

namespace asio = boost::asio;

/// A descriptor that goes to a peer, and what keeps it open until it is sent.
struct passed_descriptor {
  int fd;
  std::shared_ptr<const void> holder;
};

/// One connection to the control socket: takes calls one after the other and sends replies. Lives
/// on the control thread. Nothing that a peer does blocks it or makes it grow without bound.
///
/// A call waits for its turn, which the host gives: one call a turn. So a peer that sends thousands
/// of calls at once delays others by one of them at most. Meanwhile nothing more is read from it.
class control_session : public std::enable_shared_from_this<control_session> {
 public:
  using clock = std::chrono::steady_clock;

  struct callbacks {
    /// A call waits. Call `take_turn` later, from the event loop.
    std::function<void(control_session&)> waiting;
    std::function<void(control_session&, wire::call)> call;
    std::function<void(control_session&)> closed;
  };

  control_session(asio::io_context& control, unique_fd socket, pid_t peer_pid, std::uint64_t id,
                  callbacks on);

  void start();

  /// Starts on an end of a socketpair. Its peer is the process that sends the first message
  /// (SO_PASSCRED is set).
  void start_as_channel();

  /// Handles the waiting call, if it still waits.
  void take_turn();

  /// Handles what the peer has sent so far, a few calls at most. Use it when the peer has ended,
  /// before acting on that: its last words come first.
  void hear_out();

  /// True on a channel until its peer has sent something.
  [[nodiscard]] bool awaits_peer() const { return awaits_peer_; }

  /// Answers the call that is being handled. The call is over unless the reply continues. Drops
  /// replies that the caller did not ask for (it is gone, `oneway`, or `continues` without `more`).
  void reply(const wire::reply& reply, std::vector<passed_descriptor> descriptors = {});

  /// Sends a last message, which answers no call, and closes.
  void close_with(const wire::reply& last);

  /// Closes. `closed` is called later, once.
  void close();

  [[nodiscard]] std::uint64_t id() const { return id_; }

  /// As of connect(2), or of the first message; 0 if it is not visible from here.
  [[nodiscard]] pid_t peer_pid() const { return peer_pid_; }

  /// True if the peer could do by itself what this process can: see os::has_rights_of_this.
  [[nodiscard]] bool has_rights_of_this();

  /// Borrowed, for a program that will answer in place of this one.
  [[nodiscard]] int descriptor() { return socket_.native_handle(); }

  /// True if a call is being handled, or waits for its turn.
  [[nodiscard]] bool occupied() const { return current_ || next_; }

  /// True if the peer has ended its side and takes no answer either.
  [[nodiscard]] bool left() { return ended_ && hung_up(); }

  /// True if the peer has closed its end or ended. Known at once, even while what it sent before
  /// waits to be read.
  [[nodiscard]] bool peer_gone();

  /// True if the caller of the call that is being handled wanted an answer and takes none any more:
  /// it has given up, and has told its user so.
  [[nodiscard]] bool caller_gone();

  /// True if something waits to be sent that the peer does not take.
  [[nodiscard]] bool congested() const { return !outgoing_.empty(); }

  /// When the peer last did something: took part of what waits for it or, if nothing waits, sent or
  /// took anything.
  [[nodiscard]] clock::time_point idle_since() const {
    return congested() ? last_taken_ : std::max(last_said_, last_taken_);
  }

 private:
  struct message {
    std::string bytes;
    std::size_t sent;
    std::vector<passed_descriptor> descriptors;
  };
  struct caller {
    bool more;
    bool oneway;
  };

  void read();
  void on_readable();
  bool take_in();
  bool meet(os::inbox& box);
  void watch_peer();
  void end_of_input(bool gone);
  [[nodiscard]] bool hung_up();
  void wait_for_turn();
  void enqueue(const wire::reply& reply, std::vector<passed_descriptor> descriptors);
  void write();

  asio::local::stream_protocol::socket socket_;
  // A copy in a child that outlives this process would keep a client waiting for its answer for
  // ever.
  std::optional<os::kept_from_children> mark_;
  asio::posix::stream_descriptor peer_pidfd_;  // of a channel's peer
  pid_t peer_pid_;
  const std::uint64_t id_;
  const callbacks callbacks_;
  wire::framer incoming_{wire::max_call_size};
  std::deque<message> outgoing_;
  std::size_t outgoing_size_ = 0;
  std::optional<os::process_identity> identity_;  // of the peer, when it connected
  std::optional<std::string> next_;               // the call that waits for its turn
  std::optional<caller> current_;
  bool awaits_peer_ = false;
  std::optional<os::peer> met_;  // on a channel
  bool reading_ = false;
  bool ended_ = false;  // the peer sends no more
  bool gone_ = false;  // the peer has died, even if another process holds its end of the connection
                       // open
  bool writing_ = false;
  bool closing_ = false;
  clock::time_point last_said_ = clock::now();
  clock::time_point last_taken_ = clock::now();  // or when the first message began to wait for it
};

}  // namespace graceful
