# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""Messages on a Unix stream socket: a JSON object and a NUL each, with descriptors on the first byte."""

from __future__ import annotations

import array
import collections
import json
import os
import select
import socket
import struct
import time
from typing import Any

Object = dict[str, Any]

MAX_MESSAGE = 64 * 1024
MAX_NESTING = 16
MAX_WAITING = 1024 * 1024
MAX_DESCRIPTORS = 253  # SCM_MAX_FD


class Closed(Exception):
    """The peer has ended the connection, or violates the protocol."""


class VarlinkError(Exception):
    """An error as an answer: its name and its parameters."""

    def __init__(self, name: str, parameters: Object) -> None:
        super().__init__(f"{name}: {parameters.get('message', parameters)}")
        self.name, self.parameters = name, parameters


def nesting(value: Any) -> int:
    if not isinstance(value, (dict, list)):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(nesting, inner), default=0)


def peer_of(connection: socket.socket) -> tuple[int, int]:
    """pid and uid of the process that has connected, or listens, at the other end."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    pid, uid, _ = struct.unpack("iii", credentials)
    return pid, uid


def is_trusted(uid: int) -> bool:
    return uid in (os.geteuid(), 0)


class Channel:
    """One connection that never blocks. Owns the socket, and the descriptors that came until taken."""

    def __init__(self, connection: socket.socket, max_message: int = MAX_MESSAGE) -> None:
        connection.setblocking(False)
        self.socket = connection
        self.pid, self.uid = peer_of(connection)
        self.sender = 0  # of what came last, since name_senders(); 0: not visible from here
        self._max_message = max_message
        self._input = bytearray()
        self._output: collections.deque[tuple[memoryview, list[int]]] = collections.deque()
        self._descriptors: list[int] = []

    def name_senders(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)

    def receive(self) -> list[Object]:
        """Returns the messages that have arrived. Raises Closed after all have been returned."""
        data, truncated = self._receive_bytes()
        if truncated:
            raise Closed("descriptors were lost on the way")
        self._input += data
        *complete, rest = self._input.split(b"\0")
        self._input = bytearray(rest)
        if len(rest) > self._max_message or any(len(m) > self._max_message for m in complete):
            raise Closed("a message is too long")
        return [self._parse(message) for message in complete]

    def _receive_bytes(self) -> tuple[bytes, bool]:
        space = socket.CMSG_SPACE(12) + socket.CMSG_SPACE(MAX_DESCRIPTORS * array.array("i").itemsize)
        try:
            data, ancillary, flags, _ = self.socket.recvmsg(65536, space, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return b"", False
        except OSError as failure:
            raise Closed(failure.strerror) from failure
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                self.sender, _, _ = struct.unpack("iii", content)
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                numbers = array.array("i")
                numbers.frombytes(content[: len(content) - len(content) % numbers.itemsize])
                self._descriptors += numbers
        if not data:
            raise Closed("end of file")
        return data, bool(flags & socket.MSG_CTRUNC)

    @staticmethod
    def _parse(message: bytes | bytearray) -> Object:
        try:
            value = json.loads(message)
        except (ValueError, RecursionError) as failure:
            raise Closed("a message is not JSON") from failure
        if not isinstance(value, dict) or nesting(value) > MAX_NESTING:
            raise Closed("a message is not an object, or nested too deeply")
        return value

    def take_descriptors(self) -> list[int]:
        taken, self._descriptors = self._descriptors, []
        return taken

    def drop_descriptors(self) -> None:
        for fd in self.take_descriptors():
            os.close(fd)

    def send(self, message: Object, descriptors: list[int] | None = None) -> None:
        """Queues a message, and sends what the peer takes now. The descriptors stay the caller's."""
        self.send_bytes(json.dumps(message).encode() + b"\0", descriptors)
        if sum(len(data) for data, _ in self._output) > MAX_WAITING:
            raise Closed("the peer does not read")

    def send_bytes(self, data: bytes, descriptors: list[int] | None = None) -> None:
        """Queues bytes, any number, which need not be a message."""
        self._output.append((memoryview(data), descriptors or []))
        self.flush()

    def flush(self) -> None:
        while self._output:
            data, descriptors = self._output[0]
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
            try:
                sent = self.socket.sendmsg([data], rights if descriptors else [], socket.MSG_NOSIGNAL)
            except BlockingIOError:
                return
            except OSError as failure:
                raise Closed(failure.strerror) from failure
            self._output.popleft()
            if sent < len(data):
                self._output.appendleft((data[sent:], []))

    @property
    def has_output(self) -> bool:
        return bool(self._output)

    def close(self) -> None:
        self.drop_descriptors()
        self.socket.close()


class Conversation:
    """A channel that waits for each message until a deadline. Owns the channel."""

    def __init__(self, connection: socket.socket, patience: float = 30.0) -> None:
        self.channel = Channel(connection, max_message=MAX_WAITING)
        self._patience = patience
        self._received: collections.deque[Object] = collections.deque()

    def send_bytes(self, data: bytes, descriptors: list[int] | None = None) -> None:
        """Returns when the peer has taken them all."""
        self.channel.send_bytes(data, descriptors)
        while self.channel.has_output:
            if not select.select([], [self.channel.socket], [], self._patience)[1]:
                raise TimeoutError("the peer does not read")
            self.channel.flush()

    def send(self, message: Object, descriptors: list[int] | None = None) -> None:
        self.send_bytes(json.dumps(message).encode() + b"\0", descriptors)

    def receive(self) -> Object:
        end = time.monotonic() + self._patience
        while not self._received:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.channel.socket], [], [], left)[0]:
                raise TimeoutError("no message came")
            self._received.extend(self.channel.receive())
        return self._received.popleft()

    def release(self) -> tuple[Channel, collections.deque[Object]]:
        """The channel, and what has arrived on it and was not received."""
        return self.channel, self._received

    def close(self) -> None:
        self.channel.close()


def connect(path: str, patience: float = 30.0) -> Conversation:
    """Connects to a control socket, whose owner must be this user, or root."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(patience)
    connection.connect(path)
    conversation = Conversation(connection, patience)
    if not is_trusted(conversation.channel.uid):
        conversation.close()
        raise PermissionError(f"{path} belongs to user {conversation.channel.uid}")
    return conversation


def result_of(answer: Object) -> Object:
    if "error" in answer:
        raise VarlinkError(answer["error"], answer.get("parameters") or {})
    return answer.get("parameters") or {}
