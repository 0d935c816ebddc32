# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""A successor that fails in a chosen way before it serves."""

from __future__ import annotations

import sys

sys.dont_write_bytecode = True  # no __pycache__ in the source tree

import argparse
import os
import resource
import signal

from interface import Protocol
from successor import Takeover
from varlink import Closed, Object, VarlinkError

MODES = """exit-at-once crash-at-start crash-after-begin crash-before-ready
hang-before-begin hang-after-begin hang-before-ready wrong-version not-on-offer out-of-order fail
die-with-ready""".split()

# Additional calls that must be refused: before which call they are made, and what they are.
FORBIDDEN: dict[str, tuple[str, str, Object]] = {
    "out-of-order": ("Begin", "Ready", {}),
    "not-on-offer": ("Fetch", "Fetch", {"first": 100_000}),
}


def crash() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.kill(os.getpid(), signal.SIGSEGV)


def hang() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        signal.pause()


class Rogue(Takeover):
    """Does everything right until its mode says otherwise."""

    def __init__(self, mode: str, control: str) -> None:
        self._mode = mode
        super().__init__(control, os.environ.get("GRACEFUL_UPGRADE"), Protocol())

    def call(self, method: str, parameters: Object) -> Object:
        self._at("before-" + method.lower())
        before, forbidden, with_parameters = FORBIDDEN.get(self._mode, (None, "", {}))
        if method == before:
            self._call_refused(forbidden, with_parameters)
        if method == "Begin" and self._mode == "wrong-version":
            self._call_refused(method, parameters | {"versions": [99]})
        if method == "Fetch" and self._mode == "fail":
            super().call("Fail", {"reason": "database schema is too new"})
            sys.exit(1)
        if method == "Ready" and self._mode == "die-with-ready":
            self._die_with_ready()
        reply = super().call(method, parameters)
        self._at("after-" + method.lower())
        return reply

    def _at(self, point: str) -> None:
        if self._mode == "crash-" + point:
            crash()
        if self._mode == "hang-" + point:
            hang()

    def _call_refused(self, method: str, parameters: Object) -> None:
        """The server must refuse this; exits with status 4 if it does not."""
        print("not refused:", super().call(method, parameters), file=sys.stderr)
        sys.exit(4)

    def _die_with_ready(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        print("rogue: waits for SIGUSR1", flush=True)
        signal.sigwait([signal.SIGUSR1])
        self.ask("Ready", {})
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("--control", required=True)
    arguments = parser.parse_args()
    if arguments.mode == "exit-at-once":
        sys.exit(3)
    if arguments.mode == "crash-at-start":
        crash()
    try:
        rogue = Rogue(arguments.mode, arguments.control)
        rogue.take_everything()
        rogue.ready([])
    except (VarlinkError, Closed, OSError) as refused:
        sys.exit(str(refused))  # to standard error, with exit status 1


if __name__ == "__main__":
    main()
