# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""The end of a generation: its connections end, and it reports how many are left."""

from __future__ import annotations

import os
import socket
from typing import Callable

from http_service import HttpService
from interface import Protocol
from loop import Loop, Timer
from successor import HANDOFF
from varlink import Channel, Closed, result_of

REPORT_INTERVAL = 1.0
IDLE_GRACE = 1.0


class Drain:
    """Ends the connections of a service. when_ended is called once there are none."""

    def __init__(self, loop: Loop, http: HttpService, limit: float,
                 when_ended: Callable[[], None]) -> None:
        self.cut = 0
        self._http, self._when_ended = http, when_ended
        self._timers: list[Timer] = [loop.after(limit, self.hurry), loop.after(IDLE_GRACE, http.close_idle)]
        http.draining = True
        http.when_empty = self._ended
        if not len(http):
            self._timers.append(loop.after(0, self._ended))

    def hurry(self) -> None:
        self.cut += len(self._http)
        self._http.cut()

    def _ended(self) -> None:
        self._http.when_empty = lambda: None
        for timer in self._timers:
            timer.cancel()
        self._when_ended()


class Reporter:
    """Reports once a second to the process that serves what is left."""

    def __init__(self, loop: Loop, protocol: Protocol, path: str, generation: int,
                 http: HttpService, drain: Drain) -> None:
        self._loop, self._protocol, self._path = loop, protocol, path
        self._generation, self._http, self._drain = generation, http, drain
        self._channel: Channel | None = None
        self._said = self._answered = self._answered_before = 0
        self._outstanding = False
        self._when_finished: Callable[[], None] | None = None
        self._report()

    def finish(self, when_finished: Callable[[], None]) -> None:
        """Reports before the end what was cut since the last report, if a process listens."""
        if self._drain.cut == self._answered:
            when_finished()
            return
        self._when_finished = when_finished
        self._loop.after(REPORT_INTERVAL, when_finished)
        if not self._outstanding:
            self._attempt()

    def _report(self) -> None:
        self._loop.after(REPORT_INTERVAL, self._report)
        self._attempt()

    def _attempt(self) -> None:
        try:
            if not self._channel:
                self._connect()
            if not self._outstanding:
                self._say()
        except OSError:
            pass  # somebody serves by the next time
        except Closed:
            self._close()

    def _connect(self) -> None:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            connection.connect(self._path)
        except OSError:
            connection.close()
            raise
        self._channel = Channel(connection)
        self._answered_before = self._answered
        self._loop.watch(connection.fileno(), self._read)

    def _say(self) -> None:
        self._said = self._drain.cut
        report = {"generation": self._generation, "pid": os.getpid(), "connections": len(self._http),
                  "cut": self._said - self._answered_before}
        self._protocol.check_call(HANDOFF + "Report", report)
        self._outstanding = True
        self._channel.send({"method": HANDOFF + "Report", "parameters": report})

    def _read(self) -> None:
        try:
            for answer in self._channel.receive():
                self._protocol.check_answer(HANDOFF + "Report", answer)
                self._outstanding = False
                self._answered = self._said
                if "error" not in answer and result_of(answer)["hurry"]:
                    self._drain.hurry()
            if self._when_finished and not self._outstanding:
                self.finish(self._when_finished)
        except Closed:
            self._close()

    def _close(self) -> None:
        if self._channel:
            self._loop.forget(self._channel.socket.fileno())
            self._channel.close()
            self._channel = None
            self._outstanding = False
