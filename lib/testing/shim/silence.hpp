// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

/// Cuts a process off from everything that it reaches through connected Unix sockets.
///
/// Each such socket is replaced, under the same descriptor and in each epoll, by one whose peer is
/// held here and never sends; a listening one by a socket that no client can find. So the kernel
/// itself shows what a silent peer looks like: to poll(2), to an edge-triggered epoll, to a read
/// that blocks or not, and to calls that are not wrapped. What is sent is accepted until the buffer
/// is full, as if a network had gone. The original sockets stay open and unread: until this process
/// ends, their peers see no end-of-file, connect into a queue that is never emptied, and hear
/// nothing. Each socket costs two more descriptors.
///
/// A read or an accept that already blocks still ends with the next message or client. Pairs that
/// this process has made for itself (socketpair(2)), datagrams (syslog, sd_notify) and the standard
/// outputs, which may be sockets too, keep working: its log is wanted, and a full buffer would stop
/// it.
namespace graceful::testing::shim {

/// Starts the silence, for good.
void fall_silent();

/// A process that has fallen silent gets no connection, and none of its sockets listens. Call this
/// for `fd` after accept(2) and listen(2), and instead of connect(2).
void keep_silence(int fd);

/// True if the process has fallen silent, and `fd` could break the silence.
bool would_break_silence(int fd);

}  // namespace graceful::testing::shim
