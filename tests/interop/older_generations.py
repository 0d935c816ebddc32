# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""The reports of other processes that drain."""

from __future__ import annotations

from typing import Any, Callable

from control_server import Call, Session
from varlink import Object


class OlderGenerations:
    """A process is listed from the commit, or from its first report, until its connection ends."""

    def __init__(self, tell: Callable[[str, str], None], totals: Object) -> None:
        self._tell, self._totals = tell, totals
        self._known: dict[tuple[int, int], dict[str, Any]] = {}
        self._reporting: set[Session] = set()
        self._cut: dict[Session, int] = {}

    def listing(self) -> list[Object]:
        return [{"generation": generation, "pid": pid, "hurried": False, **said}
                for (generation, pid), said in sorted(self._known.items())]

    def add(self, generation: int, pid: int) -> None:
        self._known.setdefault((generation, pid), {})

    def remove(self, generation: int, pid: int) -> None:
        if self._known.pop((generation, pid), None) is not None:
            self._tell("generation_ended", f"generation {generation} (pid {pid}) has ended")

    def report(self, call: Call) -> None:
        generation, pid = call.parameters["generation"], call.parameters["pid"]
        self.add(generation, pid)
        known = self._known[generation, pid]
        if "connections" not in known:
            self._tell("draining", f"generation {generation} (pid {pid}) drains")
        known["connections"] = call.parameters["connections"]
        session, cut = call.session, call.parameters["cut"]
        if session not in self._cut:
            session.when_ended.append(lambda: self._ended(session, generation, pid))
        self._totals["cut"] += cut - self._cut.get(session, 0)
        self._cut[session] = cut
        call.reply({"hurry": False})

    def _ended(self, session: Session, generation: int, pid: int) -> None:
        self._cut.pop(session, None)
        self.remove(generation, pid)
