# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""Messages of the control socket for the peers in Python, from docs/protocol.md alone."""

import json
import socket

MOST_DESCRIPTORS = 253  # SCM_MAX_FD


class Channel:
    """One connection: JSON objects, each followed by a NUL."""

    def __init__(self, connection):
        self.connection = connection
        self.received = b""

    def send(self, message, descriptors=()):
        self.send_raw(json.dumps(message).encode() + b"\0", descriptors)

    def send_raw(self, data, descriptors=()):
        # The descriptors ride on the first byte; sendmsg may take less than all.
        sent = socket.send_fds(self.connection, [data], descriptors) if descriptors else 0
        self.connection.sendall(data[sent:])

    def receive(self):
        """The next message and the descriptors that came with it; EOFError at the end."""
        descriptors = []
        while b"\0" not in self.received:
            data, more, flags, _ = socket.recv_fds(
                self.connection, 65536, MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
            if flags & socket.MSG_CTRUNC:
                raise OSError("descriptors were lost: MSG_CTRUNC")
            if not data:
                raise EOFError("the peer closed the connection")
            self.received += data
            descriptors += more
        message, self.received = self.received.split(b"\0", 1)
        return json.loads(message), descriptors
