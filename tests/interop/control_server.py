# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""The server's end of the control socket: who may connect, and the calls, with the document's limits."""

from __future__ import annotations

import collections
import socket
import time
from typing import Any, Callable

from interface import Protocol, Undocumented
from loop import Loop
from varlink import Channel, Closed, Object, is_trusted

MAX_CONNECTIONS = 64
IDLE_TIME = 30.0
IDLE_SWEEP = 5.0

VARLINK = "org.varlink.service"


class Call:
    """A client's call, until it is answered."""

    def __init__(self, session: Session, message: Object) -> None:
        self.session = session
        self.method: str = message["method"]
        self.parameters: Object = message.get("parameters") or {}
        self.more = message.get("more") is True
        self._oneway = message.get("oneway") is True
        self.answered = False

    def reply(self, parameters: Object | None = None, continues: bool = False,
              descriptors: list[int] | None = None) -> None:
        self.session.server.protocol.check_reply(self.method, parameters or {})
        answer: Object = {"parameters": parameters or {}}
        if continues:
            answer["continues"] = True
        self._answer(answer, descriptors, last=not continues)

    def fail(self, error: str, **parameters: Any) -> None:
        self.session.server.protocol.check_error(error, parameters)
        self._answer({"error": error, "parameters": parameters}, None, last=True)

    def _answer(self, answer: Object, descriptors: list[int] | None, last: bool) -> None:
        self.answered = last
        if not self._oneway:
            self.session.send(answer, descriptors)
        if last:
            self.session.answered(self)


class Session:
    def __init__(self, server: ControlServer, channel: Channel) -> None:
        self.server, self.channel = server, channel
        self.when_ended: list[Callable[[], None]] = []
        self.protected = False  # takes part in an upgrade
        self.active = time.monotonic()
        self.ended = False
        self._waiting: collections.deque[Call] = collections.deque()
        self._current: Call | None = None
        self._finishing = False
        self._watch()

    @property
    def is_idle(self) -> bool:
        return self._current is None and not self.protected

    def _watch(self) -> None:
        if not self.ended:
            writes = self._write if self.channel.has_output else None
            self.server.loop.watch(self.channel.socket.fileno(), self._read, writes)

    def _read(self) -> None:
        try:
            messages = self.channel.receive()
            self.channel.drop_descriptors()
            calls = [self._call(message) for message in messages]
        except Closed:
            self.close()
            return
        self.active = time.monotonic()
        self._waiting.extend(calls)
        self._next()

    def _call(self, message: Object) -> Call:
        if not isinstance(message.get("method"), str) or "." not in message["method"]:
            raise Closed("not a call")
        return Call(self, message)

    def _next(self) -> None:
        while self._waiting and not self._current and not self.ended:
            self._current = self._waiting.popleft()
            self.server.dispatch(self._current)

    def answered(self, call: Call) -> None:
        if call is self._current:
            self._current = None
            self._next()

    def send(self, message: Object, descriptors: list[int] | None = None) -> None:
        if self.ended:
            return
        try:
            self.channel.send(message, descriptors)
            self._watch()
        except Closed:
            self.close()

    def last_word(self, method: str, answer: Object) -> None:
        """Sends an answer to `method` without a call of it, and ends the connection."""
        self.server.protocol.check_answer(method, answer)
        self._finishing = True
        self.send(answer)
        if not self.ended and not self.channel.has_output:
            self.close()

    def _write(self) -> None:
        try:
            self.channel.flush()
        except Closed:
            self.close()
            return
        if self._finishing and not self.channel.has_output:
            self.close()
        self._watch()

    def close(self) -> None:
        if self.ended:
            return
        self.ended = True
        self.server.loop.forget(self.channel.socket.fileno())
        self.channel.close()
        self.server.sessions.discard(self)
        for callback in self.when_ended:
            callback()


class ControlServer:
    """Owns the listening control socket from start() on."""

    def __init__(self, loop: Loop, protocol: Protocol, complain: Callable[[str], None]) -> None:
        self.loop, self.protocol = loop, protocol
        self.sessions: set[Session] = set()
        self._complain = complain
        self._socket: socket.socket | None = None
        self._methods: dict[str, Callable[[Call], None]] = {
            f"{VARLINK}.GetInfo": self._get_info,
            f"{VARLINK}.GetInterfaceDescription": self._get_description,
        }

    def provide(self, interface: str, methods: dict[str, Callable[[Call], None]]) -> None:
        for name, method in methods.items():
            self._methods[f"{interface}.{name}"] = method

    def start(self, listener: socket.socket) -> None:
        # Called again, so that SO_PEERCRED names this process.
        listener.setblocking(False)
        listener.listen(MAX_CONNECTIONS)
        self._socket = listener
        self.loop.watch(listener.fileno(), self._accept)
        self._sweep()

    def stop_accepting(self) -> None:
        if self._socket:
            self.loop.forget(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def close_all(self) -> None:
        for session in list(self.sessions):
            session.close()

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except BlockingIOError:
            return
        channel = Channel(connection)
        if not is_trusted(channel.uid):
            try:
                channel.send({"error": f"{VARLINK}.PermissionDenied", "parameters": {}})
            except Closed:
                pass
            channel.close()
            return
        if len(self.sessions) >= MAX_CONNECTIONS:
            idle = [session for session in self.sessions if session.is_idle]
            min(idle or self.sessions, key=lambda session: session.active).close()
        self.sessions.add(Session(self, channel))

    def _sweep(self) -> None:
        before = time.monotonic() - IDLE_TIME
        for session in [s for s in self.sessions if s.is_idle and s.active < before]:
            session.close()
        self.loop.after(IDLE_SWEEP, self._sweep)

    def dispatch(self, call: Call) -> None:
        try:
            self.protocol.check_call(call.method, call.parameters)
        except Undocumented as what:
            self._complain(f"undocumented: {what}")
        interface, _, name = call.method.rpartition(".")
        if interface not in self.protocol.interfaces and interface != VARLINK:
            call.fail(f"{VARLINK}.InterfaceNotFound", interface=interface)
        elif call.method not in self._methods:
            call.fail(f"{VARLINK}.MethodNotFound", method=name)
        elif wrong := self.protocol.fault_of_call(call.method, call.parameters):
            call.fail(f"{VARLINK}.InvalidParameter", parameter=wrong)
        else:
            self._methods[call.method](call)

    def _get_info(self, call: Call) -> None:
        call.reply({"vendor": "the graceful authors", "product": "interop", "version": "1", "url": "",
                    "interfaces": [VARLINK, *self.protocol.interfaces]})

    def _get_description(self, call: Call) -> None:
        interface = self.protocol.interfaces.get(call.parameters.get("interface"))
        if interface:
            call.reply({"description": interface.text})
        else:
            call.fail(f"{VARLINK}.InvalidParameter", parameter="interface")
