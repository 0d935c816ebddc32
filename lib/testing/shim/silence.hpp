// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_TESTING_SHIM_SILENCE_HPP
#define GRACEFUL_LIB_TESTING_SHIM_SILENCE_HPP

/// How a process is cut off from all that it reaches through connections of Unix sockets.
///
/// Each such socket is replaced, under the same descriptor and in each epoll, by one whose peer is
/// held here and never says a word; a listening one, by one that nobody can find. So it is the
/// kernel that says what a silent peer looks like: to poll(2), to an edge-triggered epoll, to a
/// read that blocks or not, and to calls that are not wrapped. What is sent is taken until the
/// buffer is full, as where a network has gone. The sockets themselves stay open, and nobody looks
/// at them: their peers see no end-of-file, connect into a queue that is not emptied, and hear
/// nothing, until this process ends. Each costs two more descriptors.
///
/// A read or an accept that blocks at that moment still ends with what comes. Pairs that this
/// process has made for itself (socketpair(2)), datagrams (syslog, sd_notify) and the standard
/// outputs, which may be sockets too, go on: what it logs is wanted, and a full buffer would stop
/// it.
namespace graceful::testing::shim {

/// From now on, for good.
void fall_silent();

/// A process that has fallen silent gets no connection, and none of its sockets listens: what to do
/// with `fd` after accept(2) and listen(2), and instead of connect(2).
void keep_silence(int fd);

/// Has it, and is this a connection that could break the silence?
bool would_break_silence(int fd);

}  // namespace graceful::testing::shim

#endif
