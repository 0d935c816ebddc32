# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""A server that lies, in a chosen way, to every successor that connects to its control socket.

Only with the mode many does it keep its word, and ends once a successor is ready.
"""

import argparse
import fcntl
import os
import resource
import select
import signal
import socket
import sys

sys.dont_write_bytecode = True  # no __pycache__ in the source tree

from varlink import MAX_DESCRIPTORS, Closed, Conversation

HANDOFF = "io.graceful.Handoff."
MODES = """fewer-descriptors more-descriptors no-descriptors wrong-kind not-listening wrong-version
junk huge closes mute hangs many negative-count""".split()


def tcp_socket(address, listening=True):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(address)
    if listening:
        sock.listen(4096)
    sock.setblocking(False)
    return sock


def make_offer(arguments, lock, control):
    """The descriptors on offer, by name."""
    offer = {"@lock": lock, "@control": control}
    if arguments.mode == "many":
        return offer | {f"l{i}": tcp_socket(("127.0.0.1", 0)) for i in range(arguments.count)}
    if arguments.mode == "wrong-kind" and arguments.kind == "pipe":
        offer["http"] = os.fdopen(os.pipe()[0])
    elif arguments.mode == "wrong-kind":
        offer["http"] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        offer["http"].bind(arguments.listen)
    else:
        offer["http"] = tcp_socket(arguments.listen, arguments.mode != "not-listening")
    return offer


def answer_begin(mode, peer, offer):
    if mode == "junk":
        peer.send_bytes(b'{"parameters": {"version": 1,,}\0')
    elif mode == "huge":
        peer.send_bytes(b'{"parameters": {"name": "' + b"x" * (64 << 20))
    elif mode == "wrong-version":
        peer.send({"error": HANDOFF + "IncompatibleVersion", "parameters": {
            "message": "no version in common", "offered": [1], "supported": [99]}})
    elif mode == "hangs":
        signal.pause()
    else:
        count = -1 if mode == "negative-count" else len(offer)
        peer.send({"parameters": {
            "version": 1, "generation": 2, "name": "liar", "descriptors": count}})


def answer_fetch(mode, peer, offer, first):
    names = list(offer)[first:first + MAX_DESCRIPTORS]
    descriptors = [offer[name].fileno() for name in names]
    if mode == "fewer-descriptors":
        descriptors.pop()
    elif mode == "more-descriptors":
        descriptors.append(descriptors[-1])
    elif mode == "no-descriptors":
        descriptors.clear()
    peer.send({"parameters": {"first": first, "names": names}}, descriptors)


def answer(mode, peer, offer):
    """Answers all calls of one successor."""
    while True:
        call = peer.receive()
        method = call["method"].removeprefix(HANDOFF)
        if method == "Begin":
            if mode == "mute":
                return
            answer_begin(mode, peer, offer)
            if mode == "closes":
                return
        elif method == "Fetch":
            answer_fetch(mode, peer, offer, call["parameters"]["first"])
        else:
            peer.send({"parameters": {}})
            if method == "Ready" and mode == "many":
                sys.exit(0)


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("count", type=int, nargs="?", default=1000, help="of sockets, for many")
    parser.add_argument("--control", required=True)
    parser.add_argument("--listen", type=address, default="127.0.0.1:0", metavar="HOST:PORT")
    parser.add_argument("--kind", choices=["pipe", "udp"], default="pipe", help="for wrong-kind")
    arguments = parser.parse_args()

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    lock = open(arguments.control + ".lock", "w")
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    os.fchmod(control.fileno(), 0o600)  # before bind, which makes the path with this mode
    control.bind(arguments.control)
    control.listen()
    control.setblocking(False)  # a successor does so too, and it is shared
    offer = make_offer(arguments, lock, control)
    print("listening", flush=True)
    while True:
        select.select([control], [], [])
        connection, _ = control.accept()
        with connection:
            try:
                answer(arguments.mode, Conversation(connection), offer)
            except (Closed, TimeoutError):
                pass  # it has had enough of the lies


if __name__ == "__main__":
    main()
