// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/deadline.hpp>
#include <graceful/unique_fd.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graceful_test {

using namespace graceful::testing;

/// A client of the control socket that sends whatever a test wants, right or wrong.
class varlink_peer {
 public:
  /// Throws `std::system_error` if nobody listens there.
  static varlink_peer connect(const std::string& path);

  /// Uses a connected socket.
  explicit varlink_peer(graceful::unique_fd socket) : socket_{std::move(socket)} {}

  /// Sends one message; appends the NUL. Every send returns false if the peer has closed the
  /// connection, and throws `std::system_error` if the peer takes nothing for 10 s.
  bool send(std::string_view json);

  bool send_raw(std::string_view bytes) { return send_with_descriptors(bytes, {}); }

  /// The descriptors stay the caller's, and go with the first byte. Returns false also if the peer
  /// takes no descriptors; nothing has been sent then.
  bool send_with_descriptors(std::string_view bytes, const std::vector<int>& descriptors);

  /// One message, without its NUL; none at the deadline, or if the peer closed the connection.
  std::optional<std::string> receive(deadline until);

  /// Waits for end-of-file or a reset; messages before it can still be received.
  bool closed_by_peer(deadline until);

  /// The descriptors that have arrived so far.
  std::vector<graceful::unique_fd> take_descriptors() { return std::exchange(descriptors_, {}); }

  [[nodiscard]] int native_handle() const { return socket_.get(); }

 private:
  bool read_more(deadline until);

  graceful::unique_fd socket_;
  std::string received_;
  std::vector<graceful::unique_fd> descriptors_;
  bool closed_ = false;
};

}  // namespace graceful_test
