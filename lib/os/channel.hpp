// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include "os/peer.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>
#include <sys/un.h>

/// Bytes and descriptors over Unix sockets: unix(7), SCM_RIGHTS.
namespace graceful::os {

using deadline = std::chrono::steady_clock::time_point;

inline deadline after(std::chrono::milliseconds duration) {
  return std::chrono::steady_clock::now() + duration;
}

/// Most descriptors in one message: SCM_MAX_FD, net/scm.h of the kernel.
inline constexpr std::size_t max_descriptors = 253;

/// The result of one non-blocking call.
struct transfer {
  enum class kind { some, would_block, closed, failed } what;
  std::size_t bytes = 0;
  int error = 0;  // an errno value, if failed
};

/// Sends what the socket takes now. `descriptors` are borrowed. They go with the first byte: they
/// are sent if and only if at least one byte is. Never raises SIGPIPE.
transfer send_now(int socket, std::string_view bytes, std::span<const int> descriptors = {});

/// What was received, with descriptors.
struct inbox {
  std::string bytes;
  std::vector<unique_fd> descriptors;  // close-on-exec
  bool truncated = false;              // the kernel dropped descriptors (MSG_CTRUNC)
  std::optional<peer> sender{};        // of the last bytes; none: `name_senders` was not called
  unique_fd sender_pidfd{};            // of the same process: SCM_PIDFD, Linux 6.5; else empty
};

/// Makes an inbox name the sender of whatever is sent from now on: SO_PASSCRED. A client's
/// SO_PEERCRED does not tell who serves it: it is fixed at connect(2), and the process that called
/// listen(2) last may have left the queue to another by then. False, with errno, if that fails.
bool name_senders(int socket);

/// Makes the kernel refuse descriptors that are sent to this socket: the sender gets EPERM
/// (SO_PASSRIGHTS, Linux 6.16; no effect on older kernels). On a listening socket this also holds
/// for every connection to it, from the start.
void refuse_descriptors(int socket);

/// Appends what the socket has now to `box`. Always uses recvmsg(2): read(2) would silently discard
/// descriptors.
transfer receive_now(int socket, inbox& box);

/// sendmsg(2), made again after EINTR; `address`: where to, if the socket is not connected.
ssize_t send_message(int socket, std::string_view bytes, std::span<const int> descriptors,
                     const sockaddr_un* address = nullptr, socklen_t length = 0);

/// None if the path is too long: `longest_socket_path`.
std::optional<sockaddr_un> unix_address(const std::string& path);
inline constexpr std::size_t longest_socket_path = sizeof(sockaddr_un::sun_path) - 1;

/// Waits until the socket is readable or writable; false at the deadline.
bool wait_readable(int socket, deadline until);
bool wait_writable(int socket, deadline until);

/// True if it is readable now; a pidfd is when its process has ended.
bool is_readable(int fd);

/// Waits until either is readable. -1 is never readable.
bool wait_readable_either(int socket, int other, deadline until);

/// Connects to the Unix socket at `path`; the result is non-blocking and close-on-exec. Fails with
/// ECONNREFUSED or ENOENT if nobody listens, and with EAGAIN if the queue is still full at the
/// deadline.
result<unique_fd> connect_unix(const std::string& path, deadline until);

/// Returns a datagram socket that is bound to `path`, mode 0600, non-blocking and close-on-exec.
/// Replaces a socket that is already there: only for the holder of the lock that guards the path.
result<unique_fd> bind_notify(const std::string& path);

/// Receives the next datagram of the socket; none if there is none. Of a datagram longer than
/// `limit`, returns `limit` + 1 bytes.
std::optional<inbox> receive_notify(int socket, std::size_t limit);

}  // namespace graceful::os
