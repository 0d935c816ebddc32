# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""A server that was written from docs/protocol.md: takes over, serves HTTP, hands over."""

from __future__ import annotations

import sys

sys.dont_write_bytecode = True

import argparse
import os
import signal
from typing import Callable

from control_server import Call, ControlServer
from drain import Drain, Reporter
from http_service import Acceptor, HttpService
from interface import Protocol
from loop import Loop
from older_generations import OlderGenerations
from operators import Monitors, Operators
from predecessor import HANDOFF, VERSIONS, Upgrade
from successor import Estate, Takeover


def say(line: str) -> None:
    print("interop:", line, flush=True)


class Server:
    """The life of a process, from what it has taken over to the end of its connections."""

    def __init__(self, arguments: argparse.Namespace, environment: dict[str, str]) -> None:
        self.start_environment = environment
        self.probation_s = arguments.probation
        self.loop = Loop()
        self.monitors = Monitors()
        self.upgrade: Upgrade | None = None
        self.drain: Drain | None = None
        self.last_failure = ""
        self._arguments = arguments
        self._protocol = Protocol()
        self._control = ControlServer(self.loop, self._protocol, say)
        self._paused: list[Acceptor] = []
        self._committed = False

    def take_over(self, token: str | None) -> None:
        takeover = Takeover(self._arguments.control, token, self._protocol)
        self.estate: Estate = takeover.take_everything()
        self._predecessor = (self.estate.generation - 1, takeover.predecessor)
        self.http = HttpService(self.loop, f"gen-{self.estate.generation}-pid-{os.getpid()}")
        self.monitors.generation = self.estate.generation
        self.older = OlderGenerations(self.monitors.tell, self.estate.totals)
        self._offer_methods()
        takeover.ready(self._arguments.leave)
        self._leave(self._arguments.leave)
        self._acceptors = [Acceptor(self.loop, name, listener, self.http)
                           for name, listener in self.estate.listeners]
        for acceptor in self._acceptors:
            acceptor.start()
        say(f"ready: generation {self.estate.generation} pid {os.getpid()}")
        self._probation = takeover.probation(self.loop)
        self._probation.when_settled = self._settled
        self._probation.when_rolled_back = self._rolled_back
        self._probation.when_predecessor_ended = self._predecessor_ended
        self._probation.start()
        self.loop.on_signals([signal.SIGTERM, signal.SIGINT], self._end_asked)
        self.loop.run()

    def _offer_methods(self) -> None:
        self._control.provide("io.graceful.Control", Operators(self).methods())
        self._control.provide("io.graceful.Handoff", {
            "Begin": self._begin, "Report": self.older.report,
            "Fetch": lambda call: self._of_successor(call, Upgrade.fetch),
            "Ready": lambda call: self._of_successor(call, Upgrade.ready),
            "Settle": lambda call: self._of_successor(call, Upgrade.settle),
            "Fail": lambda call: self._of_successor(call, Upgrade.fail),
        })

    def _leave(self, unwanted: list[str]) -> None:
        for name, listener in self.estate.listeners:
            if name in unwanted:
                listener.close()
        self.estate.listeners = [pair for pair in self.estate.listeners if pair[0] not in unwanted]

    # As a successor.

    def _settled(self) -> None:
        self._committed = True
        self._path_at_commit = os.stat(self._arguments.control)
        self.estate.totals["committed"] += 1
        self.older.add(*self._predecessor)
        self._control.start(self.estate.control)
        say(f"committed: generation {self.estate.generation}")

    def _predecessor_ended(self) -> None:
        self.older.remove(*self._predecessor)
        say(f"generation {self.estate.generation - 1} has ended")

    def _rolled_back(self, reason: str) -> None:
        say(f"goes back: {reason}")
        self._stop_accepting()
        self.estate.control.close()
        os.close(self.estate.lock)
        self._drain_and_report()

    # As a predecessor.

    @property
    def state(self) -> str:
        if self.drain:
            return "draining"
        return self.upgrade.phase_for_status() if self.upgrade else "serving"

    def busy(self) -> str:
        return "" if self.state == "serving" else f"this process is {self.state}"

    def _begin(self, call: Call) -> None:
        versions, token = call.parameters["versions"], call.parameters.get("token")
        expected = self.upgrade if self.upgrade and self.upgrade.step == "waiting" else None
        if not set(versions) & set(VERSIONS):
            call.fail(HANDOFF + "IncompatibleVersion", message=f"{versions} offered, {VERSIONS} supported",
                      offered=versions, supported=VERSIONS)
        elif token and not (expected and token == expected.token):
            call.fail(HANDOFF + "NotExpected", message="no upgrade with this token runs")
        elif not token and (busy := self.busy()):
            call.fail(HANDOFF + "Busy", message=busy)
        else:
            if not expected:
                self.upgrade = Upgrade(self)
            self.upgrade.begin(call)

    def _of_successor(self, call: Call, method: Callable[[Upgrade, Call], None]) -> None:
        if self.upgrade and self.upgrade.belongs_to(call.session):
            method(self.upgrade, call)
        else:
            call.fail(HANDOFF + "OutOfOrder", message="Begin comes first")

    def pause(self, unwanted: list[str]) -> None:
        for acceptor in self._acceptors:
            if acceptor.name not in unwanted:
                acceptor.stop()
                self._paused.append(acceptor)

    def resume(self) -> None:
        for acceptor in self._paused:
            acceptor.start()
        self._paused = []

    def hand_over(self) -> None:
        for acceptor in self._acceptors:
            if acceptor not in self._paused:
                acceptor.accept_all()  # nobody else holds it
        self._stop_accepting()
        self._control.stop_accepting()
        os.close(self.estate.lock)
        self.estate.listeners = []
        self.upgrade = None
        self._drain_and_report()

    def upgrade_ended(self, outcome: str, reason: str) -> None:
        self.upgrade = None
        self.estate.totals[outcome] += 1
        self.last_failure = reason
        say(f"keeps serving: {reason}")

    def tell(self, event: str, message: str) -> None:
        self.monitors.tell(event, message)

    # The end.

    def close_down(self, when_drained: Callable[[], None], now: bool = False) -> None:
        """Ends without a successor."""
        for acceptor in self._acceptors:
            acceptor.accept_all()
        self._stop_accepting()

        def ended() -> None:
            when_drained()
            self.tell("ended", "this process ends")
            self._remove_paths()
            self._exit()

        self.drain = Drain(self.loop, self.http, self._arguments.drain, ended)
        if now:
            self.drain.hurry()

    def _remove_paths(self) -> None:
        """Removes the socket and then the lock, unless another process has replaced them."""
        path = self._arguments.control
        for name, ours in ((path, self._path_at_commit), (path + ".lock", os.fstat(self.estate.lock))):
            if os.path.exists(name) and os.path.samestat(os.stat(name), ours):
                os.unlink(name)

    def _stop_accepting(self) -> None:
        for acceptor in self._acceptors:
            acceptor.close()

    def _drain_and_report(self) -> None:
        self.drain = Drain(self.loop, self.http, self._arguments.drain,
                           lambda: reporter.finish(self._exit))
        reporter = Reporter(self.loop, self._protocol, self._arguments.control, self.estate.generation,
                            self.http, self.drain)

    def _exit(self) -> None:
        say(f"drained: generation {self.estate.generation}")
        self._control.close_all()
        self.loop.stop()

    def _end_asked(self, _: int) -> None:
        if not self._committed:
            self._probation.ask_back(self._arguments.control, "the successor was told to end")
            return
        if self.upgrade:
            self.upgrade.told_to_end()
        if not self.drain:
            self.close_down(lambda: None)


def leave_channel(environment: dict[str, str], token: str | None) -> None:
    """Closes a connection that was passed: this server uses the control path."""
    environment.pop("GRACEFUL_CONTROL_PATH", None)
    passed_token, *rest = environment.pop("GRACEFUL_CHANNEL", "").split(":")
    if token and passed_token == token and len(rest) == 2:
        number, inode = map(int, rest)
        if number >= 3 and os.fstat(number).st_ino == inode:
            os.close(number)


def seconds(text: str) -> float:
    """Reads one number and its unit, as the tests write it."""
    for unit, size in (("min", 60), ("ms", 1e-3), ("s", 1)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * size
    return float(text)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--control", required=True)
    parser.add_argument("--probation", type=seconds, default=0, help="of a successor: 1min, 2s, 200ms")
    parser.add_argument("--drain", type=seconds, default=10, help="until connections are cut")
    parser.add_argument("--leave", action="append", default=[], help="a listener that is not wanted")
    arguments = parser.parse_args()
    environment = dict(os.environ)
    token = environment.pop("GRACEFUL_UPGRADE", None)
    takeover = environment.pop("GRACEFUL_TAKEOVER", None) == "1"
    leave_channel(environment, token)
    if not token and not takeover:
        sys.exit("interop: nobody has asked this process to take over")
    Server(arguments, environment).take_over(token)


if __name__ == "__main__":
    main()
