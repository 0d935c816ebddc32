# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""A loop in which one thread waits for descriptors and for times."""

from __future__ import annotations

import heapq
import itertools
import selectors
import signal
import socket
import time
from typing import Callable

Callback = Callable[[], None]


class Timer:
    def __init__(self, callback: Callback) -> None:
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        self.callback = None


class Loop:
    """Calls back when a watched descriptor is ready or a time has come, until stop()."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._running = False

    def watch(self, fd: int, on_read: Callback | None, on_write: Callback | None = None) -> None:
        """Replaces the callbacks for fd; without any, stops watching it."""
        events = (selectors.EVENT_READ if on_read else 0) | (selectors.EVENT_WRITE if on_write else 0)
        known = fd in self._selector.get_map()
        if not events:
            if known:
                self._selector.unregister(fd)
        elif known:
            self._selector.modify(fd, events, (on_read, on_write))
        else:
            self._selector.register(fd, events, (on_read, on_write))

    def forget(self, fd: int) -> None:
        """Call it before closing fd: if another process holds the file, epoll would keep watching it."""
        self.watch(fd, None)

    def after(self, seconds: float, callback: Callback) -> Timer:
        timer = Timer(callback)
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), timer))
        return timer

    def on_signals(self, numbers: list[int], callback: Callable[[int], None]) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        signal.set_wakeup_fd(theirs.fileno())
        self._signal_ends = (ours, theirs)
        for number in numbers:
            signal.signal(number, lambda *_: None)
        self.watch(ours.fileno(), lambda: [callback(n) for n in ours.recv(64)] and None)

    def stop(self) -> None:
        self._running = False

    def run(self) -> None:
        self._running = True
        while self._running:
            for key, events in self._selector.select(self._run_timers()):
                # Skip it if an earlier callback of this round has stopped watching
                # it, or watches it differently.
                if self._selector.get_map().get(key.fd) != key:
                    continue
                on_read, on_write = key.data
                if events & selectors.EVENT_WRITE and on_write:
                    on_write()
                elif events & selectors.EVENT_READ and on_read:
                    on_read()

    def _run_timers(self) -> float | None:
        while self._timers:
            when, _, timer = self._timers[0]
            left = when - time.monotonic()
            if timer.callback and left > 0:
                return left
            heapq.heappop(self._timers)
            if timer.callback:
                timer.callback()
                if not self._running:
                    return 0
        return None
