// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CONTROL_CONTROL_SESSION_HPP
#define GRACEFUL_CONTROL_CONTROL_SESSION_HPP

#include <graceful/unique_fd.hpp>

#include "os/channel.hpp"
#include "os/kept_from_children.hpp"
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
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful {

namespace asio = boost::asio;

/// A descriptor that goes to a peer, and what keeps it open until it has gone.
struct passed_descriptor {
  int fd;
  std::shared_ptr<const void> owner;
};

/// One connection to the control socket: takes calls one after the other, sends replies. Lives on
/// the control thread. Nothing a peer does blocks it or makes it grow without bound.
///
/// A call waits for its turn, which its owner gives it: one call a turn. So a peer that sends
/// thousands of calls at once keeps nobody else waiting for more than one of them. Meanwhile
/// nothing more is read from it.
class control_session : public std::enable_shared_from_this<control_session> {
 public:
  using clock = std::chrono::steady_clock;

  /// Who answers the calls.
  class owner {
   public:
    /// A call waits: `take_turn` is to be called later, from the event loop.
    virtual void on_waiting(control_session& from) = 0;
    virtual void on_call(control_session& from, wire::call call) = 0;
    virtual void on_closed(control_session& from) = 0;

   protected:
    ~owner() = default;
  };

  control_session(asio::io_context& control, unique_fd socket, pid_t peer_pid, std::uint64_t id,
                  owner& owner);

  void start();

  /// The same on an end of a socketpair: its peer is who says something first (SO_PASSCRED is set).
  void start_as_channel();

  /// Handles the call that waits, if it still does.
  void take_turn();

  /// Handles what the peer has said so far, a few calls at most: it has ended, and that is not to
  /// be acted on before its last words are.
  void hear_out();

  /// On such a connection nobody has said anything yet.
  [[nodiscard]] bool awaits_peer() const { return awaits_peer_; }

  /// Answers the call that is being handled, which is over unless the reply continues. Replies that
  /// the caller did not ask for (it is gone, `oneway`, or `continues` without `more`) are dropped.
  void reply(const wire::reply& reply, std::vector<passed_descriptor> descriptors = {});

  /// Says a last word, to no call, and closes.
  void close_with(const wire::reply& last);

  /// Closes; the owner hears of it later, once.
  void close();

  [[nodiscard]] std::uint64_t id() const { return id_; }

  /// As of connect(2), or of the first message; 0 if it is not visible from here.
  [[nodiscard]] pid_t peer_pid() const { return peer_pid_; }

  /// Whoever speaks here could do by itself what this process can: see os::has_rights_of_this.
  [[nodiscard]] bool has_rights_of_this();

  /// Borrowed, for a program that is to answer in the place of this one.
  [[nodiscard]] int descriptor() { return socket_.native_handle(); }

  /// A call is being handled, or waits for its turn.
  [[nodiscard]] bool occupied() const { return current_ || next_; }

  /// The peer has ended what it says, and takes no answer either.
  [[nodiscard]] bool left() { return ended_ && hung_up(); }

  /// The peer has closed its end. Known at once, even while what it sent before waits to be read.
  [[nodiscard]] bool peer_gone();

  /// Whoever has made the call that is being handled takes no answer any more, although it wanted
  /// one: it has given up, and has told its user so.
  [[nodiscard]] bool caller_gone();

  /// Whether there is something to send that the peer does not take.
  [[nodiscard]] bool congested() const { return !outgoing_.empty(); }

  /// Since when the peer has done nothing: taken nothing of what waits for it or, if nothing does,
  /// neither said nor taken anything.
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
  void handle(const std::string& text);
  void enqueue(const wire::reply& reply, std::vector<passed_descriptor> descriptors);
  void write();

  asio::local::stream_protocol::socket socket_;
  // Beside a child that outlives this process, a client would wait for its answer for ever.
  std::optional<os::kept_from_children> mark_;
  asio::posix::stream_descriptor peer_pidfd_;  // of a channel's peer
  pid_t peer_pid_;
  const std::uint64_t id_;
  owner& owner_;
  wire::framer incoming_{wire::max_call_size};
  std::deque<message> outgoing_;
  std::size_t outgoing_size_ = 0;
  std::optional<os::process_identity> identity_;  // of the peer, when it connected
  std::optional<std::string> next_;               // the call that waits for its turn
  std::optional<caller> current_;
  bool awaits_peer_ = false;
  std::optional<os::peer> met_;  // on a channel
  bool reading_ = false;
  bool ended_ = false;  // the peer says no more
  bool gone_ = false;   // it has died, whoever holds its end of the connection open
  bool writing_ = false;
  bool closing_ = false;
  clock::time_point last_said_ = clock::now();
  clock::time_point last_taken_ = clock::now();  // or: when the first thing came to wait for it
};

}  // namespace graceful

#endif
