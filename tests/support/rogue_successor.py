#!/usr/bin/env python3
# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""A successor that fails in a chosen way, or, with the mode good, does everything right.

It is written from docs/protocol.md alone, so that the server is held to what is promised there.
"""

import argparse
import contextlib
import json
import os
import resource
import selectors
import signal
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True  # no __pycache__ in the source tree

from varlink_wire import Channel

HANDOFF = "io.graceful.Handoff."
MODES = """exit-at-once crash-at-start crash-after-begin crash-after-fetch crash-before-ready
hang-before-begin hang-after-begin hang-before-ready wrong-version not-on-offer out-of-order fail
die-with-ready good""".split()


def crash():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.kill(os.getpid(), signal.SIGSEGV)


def hang():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        signal.pause()


class Refused(Exception):
    """The server replied with an error."""


class Successor:
    def __init__(self, mode, control):
        self.mode = mode
        self.started = time.monotonic()
        self.sockets = {}
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.connect(control)
        self.predecessor = Channel(connection)

    def at(self, point):
        """Fails here, if this is where the mode says so."""
        if self.mode == "crash-" + point:
            crash()
        if self.mode == "hang-" + point:
            hang()

    def call(self, method, **parameters):
        self.predecessor.send({"method": HANDOFF + method, "parameters": parameters})
        reply, descriptors = self.predecessor.receive()
        if "error" in reply:
            raise Refused(json.dumps(reply))
        return reply.get("parameters", {}), descriptors

    def call_refused(self, method, **parameters):
        """A call that the server must refuse: exit status 4 if it does not."""
        print("not refused:", self.call(method, **parameters), file=sys.stderr)
        sys.exit(4)

    def take_over(self):
        self.at("before-begin")
        if self.mode == "out-of-order":
            self.call_refused("Ready")
        token = os.environ.get("GRACEFUL_UPGRADE")
        identity = {"token": token} if token else {}
        if self.mode == "wrong-version":
            self.call_refused("Begin", versions=[99], **identity)
        begun, _ = self.call("Begin", versions=[1], **identity)
        self.name, self.generation = begun["name"], begun["generation"]
        self.at("after-begin")
        if self.mode == "fail":
            self.call("Fail", reason="database schema is too new")
            sys.exit(1)
        if self.mode == "not-on-offer":
            self.call_refused("Fetch", first=100000)
        while len(self.sockets) < begun["descriptors"]:
            fetched, descriptors = self.call("Fetch", first=len(self.sockets))
            assert len(fetched["names"]) == len(descriptors) > 0, fetched
            self.sockets.update(zip(fetched["names"], descriptors))
            self.at("after-fetch")
        self.at("before-ready")
        if self.mode == "die-with-ready":
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
            print("rogue: waits for SIGUSR1", flush=True)
            signal.sigwait([signal.SIGUSR1])
            self.predecessor.send({"method": HANDOFF + "Ready"})
            os.kill(os.getpid(), signal.SIGKILL)
        self.call("Ready")
        with contextlib.suppress(EOFError, OSError):  # it has gone already
            self.call("Settle")

    def serve(self):
        """Until SIGTERM; connections that were accepted are finished."""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        selector = selectors.DefaultSelector()
        for name, descriptor in self.sockets.items():
            if name == "@lock":
                continue
            # Never blocking: O_NONBLOCK is shared with the predecessor.
            listener = socket.socket(fileno=descriptor)
            listener.setblocking(False)
            if name == "@control":
                listener.listen()  # from now on, SO_PEERCRED names this process
            protocol = self.answer_varlink if name == "@control" else self.answer_http
            selector.register(listener, selectors.EVENT_READ, protocol)
        print("serving", flush=True)
        while True:
            for key, _ in selector.select():
                try:
                    connection, _ = key.fileobj.accept()
                except BlockingIOError:
                    continue  # somebody else was faster
                connection.settimeout(10)
                threading.Thread(target=self.answer, args=(key.data, connection)).start()

    @staticmethod
    def answer(protocol, connection):
        with connection, contextlib.suppress(EOFError, OSError):  # the client has gone or is idle
            protocol(connection)

    def answer_http(self, connection):
        request = b""
        while b"\r\n\r\n" not in request:
            data = connection.recv(65536)
            if not data:
                return
            request += data
        body = b"served by a rogue\n"
        connection.sendall(
            f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
            f"X-Served-By: gen-{self.generation}-pid-{os.getpid()}\r\n\r\n".encode() + body)

    def answer_varlink(self, connection):
        channel = Channel(connection)
        while True:
            call, _ = channel.receive()
            channel.send(self.reply_to(call["method"]))

    def reply_to(self, method):
        if method != "io.graceful.Control.Status":
            return {"error": "org.varlink.service.MethodNotFound",
                    "parameters": {"method": method}}
        return {"parameters": {
            "name": self.name, "generation": self.generation, "pid": os.getpid(),
            "uptime_ms": int(1000 * (time.monotonic() - self.started)), "state": "serving",
            "version": "rogue", "connections": 0, "listeners": []}}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("--control", required=True)
    arguments = parser.parse_args()
    if arguments.mode == "exit-at-once":
        sys.exit(3)
    if arguments.mode == "crash-at-start":
        crash()
    successor = Successor(arguments.mode, arguments.control)
    try:
        successor.take_over()
    except (Refused, EOFError, OSError) as error:
        sys.exit(str(error))  # to standard error, with exit status 1
    successor.serve()


if __name__ == "__main__":
    main()
