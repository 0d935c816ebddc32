// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_TESTING_SHIM_SILENCE_HPP
#define GRACEFUL_LIB_TESTING_SHIM_SILENCE_HPP

namespace graceful::testing::shim {

/// Cuts this process off from all that it reaches through Unix sockets, for good.
///
/// Each of its Unix sockets is replaced, under the same descriptor, by one whose peer is held here
/// and never says a word; a listening one, by one that nobody can find. So it is the kernel that
/// says what a silent peer looks like, to poll(2), to an edge-triggered epoll, to a read that
/// blocks or not, and to calls that are not wrapped. The sockets themselves stay open, and are not
/// looked at any more: whoever is at their other end sees no end-of-file, connects into a queue
/// that nobody empties, and hears nothing, until this process ends. Each costs two more
/// descriptors.
///
/// What a thread is blocked in at that moment, other than poll and epoll, ends as it would have.
/// Sockets that this process has made for itself, by socketpair(2), go on.
void fall_silent();

/// Has it? Then what a socket sends is claimed to be sent.
bool silent();

/// A Unix socket of which this process has not fallen silent: a new one, if it has. Not a pair of
/// its own.
bool reaches_others(int fd);

/// The same for one descriptor, made since.
void silence(int fd);

}  // namespace graceful::testing::shim

#endif
