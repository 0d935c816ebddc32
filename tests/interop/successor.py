# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""Taking over, as docs/protocol.md describes it: steps 2 to 7 of a successor."""

from __future__ import annotations

import collections
import dataclasses
import fcntl
import os
import select
import socket
from typing import Callable

from interface import Protocol
from loop import Loop
from varlink import Channel, Closed, Object, VarlinkError, connect, result_of

HANDOFF = "io.graceful.Handoff."
VERSIONS = [1]
# How long a process may take from the end of its connection to its own end: it may dump its core.
DEATH_TIME = 10.0


@dataclasses.dataclass
class Estate:
    """The sockets that a server holds and its successor takes. Owns them."""

    name: str
    generation: int
    totals: Object
    lock: int
    control: socket.socket
    listeners: list[tuple[str, socket.socket]]

    def descriptors(self) -> list[tuple[str, int]]:
        """Returns them in the order in which they are passed."""
        first = [("@lock", self.lock), ("@control", self.control.fileno())]
        return first + [(name, listener.fileno()) for name, listener in self.listeners]


class Takeover:
    """Begin, Fetch and Ready, one call at a time, each with a deadline."""

    def __init__(self, path: str, token: str | None, protocol: Protocol) -> None:
        self._conversation = connect(path)
        self._protocol = protocol
        self._token = token
        self._conversation.channel.name_senders()
        self.predecessor = 0
        self.pidfd = -1

    def ask(self, method: str, parameters: Object) -> None:
        self._protocol.check_call(HANDOFF + method, parameters)
        self._conversation.send({"method": HANDOFF + method, "parameters": parameters})

    def call(self, method: str, parameters: Object) -> Object:
        try:
            self.ask(method, parameters)
        except Closed:
            pass  # what the predecessor said before can still be read, and counts
        answer = self._conversation.receive()
        self._protocol.check_answer(HANDOFF + method, answer)
        return result_of(answer)

    def take_everything(self) -> Estate:
        begun = self.call("Begin", {"versions": VERSIONS} | ({"token": self._token} if self._token else {}))
        self.predecessor = self._conversation.channel.sender
        self.pidfd = os.pidfd_open(self.predecessor)
        if begun["version"] not in VERSIONS:
            raise Closed(f"the predecessor chose version {begun['version']}")
        names: list[str] = []
        descriptors: list[int] = []
        while len(names) < begun["descriptors"]:
            batch = self.call("Fetch", {"first": len(names)})
            came = self._conversation.channel.take_descriptors()
            descriptors += came
            if len(came) != len(batch["names"]) or not came or batch["first"] != len(names):
                raise Closed(f"{len(came)} descriptors for {batch}")
            names += batch["names"]
        if len(names) != begun["descriptors"] or names[:2] != ["@lock", "@control"]:
            raise Closed(f"{names} came, {begun['descriptors']} were on offer")
        fcntl.flock(descriptors[0], fcntl.LOCK_EX | fcntl.LOCK_NB)  # ours already, so it succeeds
        control, *listeners = map(self._adopt, descriptors[1:])
        totals = dict.fromkeys(("committed", "failed", "rolled_back", "cut"), 0) | begun.get("totals", {})
        return Estate(begun["name"], begun["generation"], totals, descriptors[0], control,
                      list(zip(names[2:], listeners)))

    @staticmethod
    def _adopt(descriptor: int) -> socket.socket:
        adopted = socket.socket(fileno=descriptor)
        if not adopted.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            raise Closed("a socket that came does not listen")
        # The flag is shared with the predecessor: it may be set, but never cleared.
        adopted.setblocking(False)
        return adopted

    def ready(self, unwanted: list[str]) -> None:
        try:
            self.call("Ready", {"unwanted": unwanted} if unwanted else {})
        except Closed:
            if not died(self.pidfd):
                raise

    def probation(self, loop: Loop) -> Probation:
        """Returns what is needed after Ready. This object is of no use any more."""
        return Probation(loop, self._protocol, *self._conversation.release(), self.pidfd)

    def close(self) -> None:
        self._conversation.close()
        if self.pidfd >= 0:
            os.close(self.pidfd)


def died(pidfd: int) -> bool:
    """Whether a process whose connection has ended has died."""
    return bool(select.select([pidfd], [], [], DEATH_TIME)[0])


class Probation:
    """Settle, and the predecessor's end. Owns the connection and the pidfd."""

    def __init__(self, loop: Loop, protocol: Protocol, channel: Channel,
                 early: collections.deque[Object], pidfd: int) -> None:
        self.settled = False
        self.when_settled: Callable[[], None] = lambda: None
        self.when_rolled_back: Callable[[str], None] = lambda reason: None
        self.when_predecessor_ended: Callable[[], None] = lambda: None
        self._loop, self._protocol, self._channel, self._early = loop, protocol, channel, early
        self._pidfd = pidfd

    def start(self) -> None:
        self._loop.watch(self._channel.socket.fileno(), self._read)
        try:
            self._ask()
            self._hear(list(self._early))
        except Closed:
            self._lost()

    def ask_back(self, path: str, reason: str) -> None:
        """Asks for a rollback as an operator does; the answer to Settle tells the result."""
        predecessor = connect(path)
        predecessor.send({"method": "io.graceful.Control.Rollback", "parameters": {"reason": reason}})
        predecessor.close()

    def _ask(self) -> None:
        try:
            self._channel.send({"method": HANDOFF + "Settle", "parameters": {}})
        except Closed:
            pass  # reading tells, after what was said before

    def _read(self) -> None:
        try:
            messages = self._channel.receive()
            self._channel.drop_descriptors()
            self._hear(messages)
        except Closed:
            self._lost()

    def _hear(self, messages: list[Object]) -> None:
        for message in messages:
            self._protocol.check_answer(HANDOFF + "Settle", message)
            try:
                answer = result_of(message)
            except VarlinkError as failure:
                self._back(str(failure))
                return
            if answer["settled"]:
                self._settle()
            else:
                self._ask()

    def _settle(self) -> None:
        if not self.settled:
            self.settled = True
            self.when_settled()

    def _back(self, reason: str) -> None:
        self._close()
        self.when_rolled_back(reason)

    def _lost(self) -> None:
        self._loop.forget(self._channel.socket.fileno())
        if self.settled:
            self._dead()
            return
        lives = "the predecessor has closed the connection, and lives"
        patience = self._loop.after(DEATH_TIME, lambda: self._back(lives))

        def dead() -> None:
            patience.cancel()
            self._settle()
            self._dead()

        self._loop.watch(self._pidfd, dead)

    def _dead(self) -> None:
        self._close()
        self.when_predecessor_ended()

    def _close(self) -> None:
        self._loop.forget(self._channel.socket.fileno())
        self._loop.forget(self._pidfd)
        self._channel.close()
        os.close(self._pidfd)
