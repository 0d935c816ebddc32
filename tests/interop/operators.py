# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""io.graceful.Control, as a server offers it."""

from __future__ import annotations

import os
import socket
import struct
import sys
import time
from typing import TYPE_CHECKING

from control_server import Call
from predecessor import CONTROL, Upgrade

if TYPE_CHECKING:
    from server import Server

READY_TIME = 30.0
DRAIN_REPORT_INTERVAL = 1.0
LAST_EVENTS = ("handed_over", "ended")


def queue_of(listener: socket.socket) -> tuple[int, int]:
    """How many connections wait, and how many may: tcpi_unacked and tcpi_sacked of a listening socket."""
    return struct.unpack_from("II", listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 24)


def address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Monitors:
    def __init__(self) -> None:
        self.generation = 0
        self._calls: list[Call] = []

    def add(self, call: Call, state: str) -> None:
        self._calls.append(call)
        call.session.when_ended.append(lambda: self._calls.remove(call))
        words = "in the probation of an upgrade" if state == "probation" else state
        self._tell_one(call, "watching", f"the server is {words}")

    def tell(self, event: str, message: str) -> None:
        for call in list(self._calls):
            self._tell_one(call, event, message)

    def _tell_one(self, call: Call, event: str, message: str) -> None:
        if not call.answered:
            call.reply({"event": event, "message": message, "generation": self.generation,
                        "pid": os.getpid(), "time_ms": int(time.time() * 1e3)},
                       continues=event not in LAST_EVENTS)


class Operators:
    """Answers operators, and makes the server carry out their orders."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._started = time.monotonic()

    def methods(self) -> dict[str, object]:
        return {"Status": self.status, "Upgrade": self.upgrade, "Abort": self.abort,
                "Commit": self.commit, "Rollback": self.rollback, "Drain": self.drain,
                "Monitor": self.monitor, "Metrics": self.metrics}

    def status(self, call: Call) -> None:
        server = self._server
        answer = {
            "name": server.estate.name, "generation": server.estate.generation, "pid": os.getpid(),
            "uptime_ms": int((time.monotonic() - self._started) * 1e3), "state": server.state,
            "version": "python-" + sys.version.split()[0], "connections": len(server.http),
            "listeners": [], "draining": server.older.listing(),
        }
        for name, listener in server.estate.listeners:
            queue, backlog = queue_of(listener)
            answer["listeners"].append({"name": name, "address": address_of(listener), "queue": queue,
                                        "backlog": backlog})
        if server.state == "probation":
            answer["successor"] = {"pid": server.upgrade.pid}
        if server.last_failure:
            answer["last_failure"] = server.last_failure
        call.reply(answer)

    def upgrade(self, call: Call) -> None:
        if busy := self._server.busy():
            call.fail(CONTROL + "Busy", message=busy)
            return
        asked = call.parameters
        command = asked.get("command") or [sys.executable, *sys.argv]
        environment = self._server.start_environment | (asked.get("environment") or {})
        timeout = asked["timeout_ms"] / 1e3 if asked.get("timeout_ms") else READY_TIME
        self._server.upgrade = Upgrade(self._server, call)
        self._server.upgrade.spawn(command, environment, timeout)

    def abort(self, call: Call) -> None:
        upgrade = self._server.upgrade
        if not upgrade or upgrade.phase_for_status() == "probation":
            call.fail(CONTROL + "NoUpgrade", message="no upgrade could be aborted")
            return
        upgrade.give_up("aborted by an operator")
        call.reply()

    def commit(self, call: Call) -> None:
        if self._on_probation(call):
            self._server.upgrade.end_probation(call)

    def rollback(self, call: Call) -> None:
        if self._on_probation(call):
            self._server.upgrade.roll_back(call.parameters.get("reason") or "asked by an operator")
            call.reply()

    def _on_probation(self, call: Call) -> bool:
        if self._server.state == "probation":
            return True
        call.fail(CONTROL + "NoUpgrade", message="nothing is in probation")
        return False

    def drain(self, call: Call) -> None:
        if busy := self._server.busy():
            call.fail(CONTROL + "Busy", message=busy)
            return
        began = time.monotonic()

        def say(last: bool) -> None:
            call.reply({"phase": "drained" if last else "draining",
                        "elapsed_ms": int((time.monotonic() - began) * 1e3),
                        "connections": len(self._server.http), "cut": self._server.drain.cut},
                       continues=not last)

        def every_second() -> None:
            if not call.answered:
                say(last=False)
                self._server.loop.after(DRAIN_REPORT_INTERVAL, every_second)

        self._server.close_down(lambda: say(last=True), bool(call.parameters.get("now")))
        if call.more:
            every_second()

    def monitor(self, call: Call) -> None:
        if not call.more:
            call.fail("org.varlink.service.ExpectedMore")
            return
        self._server.monitors.add(call, self._server.state)

    def metrics(self, call: Call) -> None:
        estate = self._server.estate
        lines = ["# TYPE interop_generation gauge", f"interop_generation {estate.generation}"]
        for name, value in estate.totals.items():
            lines += [f"# TYPE interop_{name} counter", f"interop_{name}_total {value}"]
        call.reply({"text": "\n".join(lines) + "\n# EOF\n"})
