# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""Handing over: one upgrade, from the spawn to the commit or the rollback."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from typing import Any, Callable, Protocol as Shape

from control_server import Call, Session
from loop import Loop, Timer
from successor import HANDOFF, VERSIONS, Estate
from varlink import MAX_DESCRIPTORS

CONTROL = "io.graceful.Control."
ANSWER_TIME = 3.0  # within which a successor asks Settle
DEATH_TIME = 3.0   # from the end of its connection to its end, for the reason


class Host(Shape):
    """The server that hands over."""

    loop: Loop
    estate: Estate
    probation_s: float

    def pause(self, unwanted: list[str]) -> None: ...
    def resume(self) -> None: ...
    def hand_over(self) -> None: ...
    def upgrade_ended(self, outcome: str, reason: str) -> None: ...
    def tell(self, event: str, message: str) -> None: ...


class Child:
    """A spawned process, until it is reaped."""

    def __init__(self, loop: Loop, command: list[str], environment: dict[str, str],
                 when_ended: Callable[[], None]) -> None:
        self._process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
        self._loop, self._when_ended = loop, when_ended
        self._pidfd = os.pidfd_open(self._process.pid)
        self.pid = self._process.pid
        loop.watch(self._pidfd, self._reap)

    @property
    def ended(self) -> bool:
        return self._process.returncode is not None

    def how(self) -> str:
        code = self._process.returncode
        if code is None:
            return "did not end"
        if code < 0:
            return f"was killed by signal {-code} ({signal.Signals(-code).name})"
        return f"exited with status {code}"

    def kill(self) -> None:
        if not self.ended:
            self._process.kill()

    def _reap(self) -> None:
        self._process.wait()
        self._loop.forget(self._pidfd)
        os.close(self._pidfd)
        self._when_ended()


class Phases:
    """The durations of the phases, reported to the caller of Upgrade."""

    def __init__(self, call: Call | None) -> None:
        self._call = call
        self._start = self._last = time.monotonic()
        self.durations_us: dict[str, int] = {}

    def reached(self, phase: str, last: bool = False, **more: int) -> None:
        now = time.monotonic()
        took, self._last = now - self._last, now
        self.durations_us[phase] = int(took * 1e6)
        if self._call and (last or self._call.more):
            report = {"phase": phase, "elapsed_ms": int((now - self._start) * 1e3),
                      "duration_ms": int(took * 1e3), **more}
            self._call.reply(report, continues=not last)

    def failed(self, reason: str) -> None:
        if self._call:
            self._call.fail(CONTROL + "UpgradeFailed", message=reason)


class Upgrade:
    """One upgrade. step is one of waiting, begun, passed, probation, asked, over."""

    def __init__(self, host: Host, call: Call | None = None) -> None:
        self.step = "waiting"
        self.generation = host.estate.generation + 1
        self.pid = 0
        self.token = secrets.token_hex(16) if call else None
        self._host = host
        self._phases = Phases(call)
        self._child: Child | None = None
        self._session: Session | None = None
        self._passed = 0
        self._settle: Call | None = None
        self._end_asked_by: list[Call] = []
        self._timer: Timer | None = None

    # Calls of operators.

    def spawn(self, command: list[str], environment: dict[str, str], timeout: float) -> None:
        environment = environment | {"GRACEFUL_UPGRADE": self.token or ""}
        try:
            self._child = Child(self._host.loop, command, environment, self._look_for_the_end)
        except OSError as failure:
            self.give_up(f"cannot execute {command[0]}: {failure.strerror}")
            return
        self.pid = self._child.pid
        self._phases.reached("spawned", pid=self.pid)
        self._tell("spawned")
        self._wait(timeout, lambda: self.give_up("the successor was not ready in time"))

    def give_up(self, reason: str) -> None:
        """Aborts before Ready, while this process still accepts."""
        self._end()
        if self._child:
            self._child.kill()
        self._tell_aborted(reason)
        self._failed("failed", reason)

    def end_probation(self, asked_by: Call | None = None) -> None:
        if asked_by:
            self._end_asked_by.append(asked_by)
        if self.step == "asked":
            return
        self.step = "asked"
        self._wait(ANSWER_TIME, self._unanswered)
        if self._settle:
            waiting, self._settle = self._settle, None
            waiting.reply({"settled": False})

    def roll_back(self, reason: str) -> None:
        self._host.resume()
        self._end()
        if self._settle:
            self._settle.fail(HANDOFF + "RolledBack", message=reason)
        else:
            self._tell_aborted(reason)
        self._failed("rolled_back", f"rolled back: {reason}")

    def _tell_aborted(self, reason: str) -> None:
        if self._session:
            self._session.last_word(
                HANDOFF + "Settle", {"error": HANDOFF + "Aborted", "parameters": {"message": reason}})

    def _unanswered(self) -> None:
        """Kills the successor: one that is stopped or hangs would not end by itself."""
        if self._child:
            self._child.kill()
        self.roll_back("the successor did not answer at the end of its probation")

    # Calls of the successor.

    def begin(self, call: Call) -> None:
        self._session = call.session
        self._session.protected = True
        self._session.when_ended.append(self._look_for_the_end)
        self.pid = self._session.channel.pid
        self.step = "begun"
        self._phases.reached("begun", generation=self.generation)
        self._tell("begun")
        estate = self._host.estate
        call.reply({"version": VERSIONS[0], "generation": self.generation, "name": estate.name,
                    "descriptors": len(estate.descriptors()), "totals": estate.totals})

    def fetch(self, call: Call) -> None:
        on_offer = self._host.estate.descriptors()
        first = call.parameters["first"]
        if not 0 <= first < len(on_offer):
            call.fail(HANDOFF + "NotOnOffer", message=f"there are {len(on_offer)} descriptors")
            return
        if not self._is_next(call, self.step == "begun" and first == self._passed):
            return
        batch = on_offer[first : first + MAX_DESCRIPTORS]
        self._passed += len(batch)
        call.reply({"first": first, "names": [name for name, _ in batch]},
                   descriptors=[descriptor for _, descriptor in batch])
        if self._passed == len(on_offer):
            self.step = "passed"
            self._phases.reached("passed", sockets=len(self._host.estate.listeners))
            self._tell("passed")

    def ready(self, call: Call) -> None:
        if not self._is_next(call, self.step == "passed"):
            return
        self._host.pause(call.parameters.get("unwanted") or [])
        self.step = "probation"
        self._phases.reached("ready", pid=self.pid, generation=self.generation)
        call.reply({"durations_us": self._phases.durations_us})
        self._tell("ready")
        if self._host.probation_s:
            self._wait(self._host.probation_s, self.end_probation)
        else:
            self.end_probation()  # the first Settle is the answer

    def settle(self, call: Call) -> None:
        if not self._is_next(call, self.step in ("probation", "asked") and not self._settle):
            return
        self._settle = call
        if self.step == "asked":
            self._commit()

    def fail(self, call: Call) -> None:
        reason = f"the successor gives up: {call.parameters['reason']}"
        call.reply()
        (self.roll_back if self.step in ("probation", "asked") else self.give_up)(reason)

    # The end.

    def told_to_end(self) -> None:
        """The server ends. In a probation its successor already serves."""
        if self.phase_for_status() == "probation":
            self._commit()
        else:
            self.give_up("the server was told to end")

    def _commit(self) -> None:
        self._end()
        self._host.hand_over()
        if self._settle:
            self._settle.reply({"settled": True})
        elif self._session:
            self._session.last_word(HANDOFF + "Settle", {"parameters": {"settled": True}})
        self._phases.reached("committed", last=True, pid=self.pid, generation=self.generation)
        self._tell("committed")
        self._host.tell("handed_over", "the successor serves")
        for asked in self._end_asked_by:
            asked.reply()

    def _failed(self, outcome: str, reason: str) -> None:
        self._host.upgrade_ended(outcome, reason)
        self._phases.failed(reason)
        self._tell("failed", reason)
        for asked in self._end_asked_by:
            asked.fail(CONTROL + "UpgradeFailed", message=reason)

    def _look_for_the_end(self) -> None:
        """Called when the connection has ended, and when the child has ended."""
        if self.step == "over" or (self._session and not self._session.ended):
            return
        if self.step in ("probation", "asked"):
            self._host.resume()
            self.step = "lost"
            self._wait(DEATH_TIME, self._lost)
        if not self._child or self._child.ended:
            self._lost()

    def _lost(self) -> None:
        how = self._child.how() if self._child else "closed its connection"
        if self.step == "lost":
            self._end()
            self._failed("rolled_back", f"rolled back: the successor {how} in its probation")
        else:
            self.give_up(f"the successor {how}")

    def _end(self) -> None:
        self.step = "over"
        self._wait(None)

    def _wait(self, seconds: float | None, callback: Callable[[], None] = lambda: None) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._host.loop.after(seconds, callback) if seconds is not None else None

    def _is_next(self, call: Call, condition: bool) -> bool:
        if call.session is self._session and condition:
            return True
        name = call.method.rpartition(".")[2]
        call.fail(HANDOFF + "OutOfOrder", message=f"{name} is not the next call: {self.step}")
        return False

    def _tell(self, event: str, message: str = "") -> None:
        self._host.tell(event, message or f"{event}: generation {self.generation} (pid {self.pid})")

    def phase_for_status(self) -> str:
        return "probation" if self.step in ("probation", "asked") else "upgrading"

    def belongs_to(self, session: Any) -> bool:
        return self._session is session
