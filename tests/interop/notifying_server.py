#!/usr/bin/env python3
# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""A server that knows nothing of graceful, but speaks sd_notify(3) and sd_listen_fds(3).

usage: notifying_server.py PORT [never-ready | names-supervisor | names=PID]

Answers each HTTP request on a connection of its own, deposits its listening socket with whoever
started it, and takes it from there.
"""
import array
import os
import signal
import socket
import sys


def notify(text, *descriptors):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.connect(os.environ["NOTIFY_SOCKET"])
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        out.sendmsg([text.encode()], rights if descriptors else [])


def listener(port):
    if os.environ.get("LISTEN_PID") == str(os.getpid()):
        names = os.environ["LISTEN_FDNAMES"].split(":")
        print("passed:", os.environ["LISTEN_FDS"], *names, flush=True)
        kept = socket.socket(fileno=3 + names.index("http"))
        kept.setblocking(True)
        return kept
    return socket.create_server(("127.0.0.1", port), backlog=1024)


def serve(sock):
    body = b"hello\n"
    head = b"HTTP/1.1 200 OK\r\nX-Served-By: gen-1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    while True:
        connection, _ = sock.accept()
        with connection:
            request = b""
            while b"\r\n\r\n" not in request:
                piece = connection.recv(4096)
                if not piece:
                    break
                request += piece
            else:
                connection.sendall(head % len(body) + body)


def main():
    mode = sys.argv[2] if len(sys.argv) > 2 else ""
    notify("STATUS=starting")
    if mode == "never-ready":
        print("never ready", flush=True)
        while True:
            signal.pause()
    if mode == "names-supervisor":
        notify("MAINPID=%d" % os.getppid())
    if mode.startswith("names="):
        notify("MAINPID=" + mode.removeprefix("names="))
    sock = listener(int(sys.argv[1]))
    notify("FDSTORE=1\nFDNAME=http", sock.fileno())
    notify("READY=1\nSTATUS=python serves")
    print("listening on", sock.getsockname()[1], flush=True)
    serve(sock)


main()
