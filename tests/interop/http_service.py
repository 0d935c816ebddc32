# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""HTTP/1.1 with keep-alive: as much as the load of the tests needs."""

from __future__ import annotations

import socket
from typing import Callable

from loop import Loop

MAX_HEAD = 16 * 1024


class HttpService:
    """The accepted connections, and what they are told."""

    def __init__(self, loop: Loop, served_by: str) -> None:
        self.loop = loop
        self.draining = False
        self.when_empty: Callable[[], None] = lambda: None
        self._served_by = served_by
        self._connections: set[HttpConnection] = set()

    def __len__(self) -> int:
        return len(self._connections)

    def serve(self, connection: socket.socket) -> None:
        self._connections.add(HttpConnection(self, connection))

    def response(self, closes: bool) -> bytes:
        head = ["HTTP/1.1 200 OK", f"X-Served-By: {self._served_by}", "Content-Length: 6"]
        if closes:
            head.append("Connection: close")
        return ("\r\n".join(head) + "\r\n\r\nhello\n").encode()

    def close_idle(self) -> None:
        for connection in [c for c in self._connections if c.is_idle]:
            connection.close()

    def cut(self) -> int:
        """Closes the remaining connections, and returns how many there were."""
        left = list(self._connections)
        for connection in left:
            connection.close()
        return len(left)

    def gone(self, connection: HttpConnection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self.when_empty()


class HttpConnection:
    def __init__(self, service: HttpService, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._service, self._socket = service, connection
        self._input, self._output = b"", b""
        self._closes = False
        self._watch()

    @property
    def is_idle(self) -> bool:
        return not self._input and not self._output

    def _watch(self) -> None:
        writes = self._write if self._output else None
        self._service.loop.watch(self._socket.fileno(), None if self._closes else self._read, writes)

    def _read(self) -> None:
        try:
            data = self._socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self._input += data
        while not self._closes and (end := self._input.find(b"\r\n\r\n")) >= 0:
            head, self._input = self._input[:end].lower(), self._input[end + 4 :]
            self._closes = self._service.draining or b"connection: close" in head
            self._output += self._service.response(self._closes)
        if len(self._input) > MAX_HEAD:
            self.close()
        else:
            self._write()

    def _write(self) -> None:
        try:
            self._output = self._output[self._socket.send(self._output, socket.MSG_NOSIGNAL) :]
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        if self._closes and not self._output:
            self.close()
        else:
            self._watch()

    def close(self) -> None:
        self._service.loop.forget(self._socket.fileno())
        self._socket.close()
        self._service.gone(self)


class Acceptor:
    """A listening socket that several processes hold. Accepts from it, or leaves it alone."""

    def __init__(self, loop: Loop, name: str, listener: socket.socket, service: HttpService) -> None:
        self.name, self.socket = name, listener
        self._loop, self._service = loop, service

    def start(self) -> None:
        self._loop.watch(self.socket.fileno(), self.accept_all)

    def accept_all(self) -> None:
        """Accepts everything in the queue."""
        while True:
            try:
                connection, _ = self.socket.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            self._service.serve(connection)

    def stop(self) -> None:
        self._loop.forget(self.socket.fileno())

    def close(self) -> None:
        self.stop()
        self.socket.close()
