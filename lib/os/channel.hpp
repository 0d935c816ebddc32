// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_CHANNEL_HPP
#define GRACEFUL_OS_CHANNEL_HPP

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

/// Bytes and descriptors over a Unix stream socket: unix(7), SCM_RIGHTS.
namespace graceful::os {

using deadline = std::chrono::steady_clock::time_point;

inline deadline after(std::chrono::milliseconds duration) {
  return std::chrono::steady_clock::now() + duration;
}

/// Most descriptors in one message: SCM_MAX_FD, net/scm.h of the kernel.
inline constexpr std::size_t max_descriptors = 253;

/// What one non-blocking call did.
struct transfer {
  enum class kind { some, would_block, closed, failed } what;
  std::size_t bytes = 0;
  int error = 0;  // of errno, if failed
};

/// Sends what the socket takes now. `descriptors` are borrowed; they go with the first byte, so
/// they have gone if and only if at least one byte has. Never raises SIGPIPE.
transfer send_now(int socket, std::string_view bytes, std::span<const int> descriptors = {});

/// What came with descriptors.
struct inbox {
  std::string bytes;
  std::vector<unique_fd> descriptors;  // close-on-exec
  bool truncated = false;              // the kernel dropped descriptors (MSG_CTRUNC)
  pid_t sender = 0;  // of the last bytes; 0 if it is not visible from here, or not asked for
  uid_t sender_user = static_cast<uid_t>(-1);   // likewise
  gid_t sender_group = static_cast<gid_t>(-1);  // likewise
  unique_fd sender_pidfd{};  // of the same process: SCM_PIDFD, Linux 6.5; else empty
};

// The numbers of SO_PASSPIDFD and SCM_PIDFD, Linux 6.5, which older headers lack.
inline constexpr int pass_pidfd_option = 76;
inline constexpr int pidfd_message = 4;

/// Has receive_now() say who sends what is sent from now on: SO_PASSCRED. SO_PEERCRED of a client
/// does not tell who serves it: it is fixed at connect(2), when the process that called listen(2)
/// last may have left the queue to another.
void name_senders(int socket);

/// Has the kernel take no descriptors that somebody sends to this socket: EPERM for the sender
/// (SO_PASSRIGHTS, Linux 6.16; on older ones nothing changes). Who connects to a socket that
/// listens finds it so from the beginning.
void refuse_descriptors(int socket);

/// Appends what the socket has now to `box`. Always by recvmsg(2): read(2) would destroy
/// descriptors without a word.
transfer receive_now(int socket, inbox& box);

/// Waits until the socket is readable or writable; false at the deadline.
bool wait_readable(int socket, deadline until);
bool wait_writable(int socket, deadline until);

/// Waits until either is readable; -1 never is.
bool wait_readable_either(int socket, int other, deadline until);

/// Connects to the Unix socket at `path`; the result is non-blocking and close-on-exec. The error
/// is ECONNREFUSED or ENOENT where nobody listens, and EAGAIN stands for a full queue until the
/// deadline.
result<unique_fd> connect_unix(const std::string& path, deadline until);

}  // namespace graceful::os

#endif
