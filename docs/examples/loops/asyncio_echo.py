#!/usr/bin/env python3
# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""An echo server on asyncio that can be upgraded, by means of ctypes. Usage: asyncio_echo.py [ADDRESS]"""
import asyncio
import ctypes
import os
import socket
import sys
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char, c_char_p, c_int, c_int64, c_size_t, c_void_p

library = ctypes.CDLL(os.environ.get("GRACEFUL_LIBRARY", "libgraceful.so.0"))
function, resume_type = CFUNCTYPE(None, c_void_p), CFUNCTYPE(c_int, c_void_p)
stage_type = CFUNCTYPE(None, c_void_p, c_int)
log_type = CFUNCTYPE(None, c_void_p, c_int, c_char_p)
NEVER = ctypes.cast(None, function)


class Options(Structure):
    _fields_ = [("size", c_size_t), ("name", c_char_p), ("control_path", c_char_p), ("ready_timeout_ms", c_int64),
                ("probation_ms", c_int64), ("drain_timeout_ms", c_int64), ("idle_grace_ms", c_int64),
                ("data", c_void_p), ("log", log_type), ("dispatch", c_int), ("post", function),
                ("on_commit", function), ("on_drain", function), ("on_end", function)]


class Listener(Structure):
    _fields_ = [("size", c_size_t), ("data", c_void_p), ("on_resume", resume_type), ("on_pause", function),
                ("on_stop", function), ("backlog", c_int), ("blocking", c_int)]


class Error(Structure):
    _fields_ = [("code", c_int), ("message", c_char * 1020)]


def check(code, error):
    if code != 0:
        raise SystemExit(f"asyncio_echo: {error.message.decode()}")


async def main(address):
    loop, ended, error = asyncio.get_running_loop(), asyncio.Event(), Error()
    upgrader, fd = c_void_p(), c_int(-1)

    async def echo(reader, writer):
        task, token = asyncio.current_task(), c_void_p()
        on_stage = stage_type(lambda data, stage: task.cancel() if stage >= 1 else None)
        check(library.graceful_track(upgrader, on_stage, None, byref(token), byref(error)), error)
        library.graceful_connection_idle(token, 1)
        writer.transport.set_write_buffer_limits(0)  # drain() waits until all is sent
        try:
            while text := await reader.read(4096):
                library.graceful_connection_idle(token, 0)
                writer.write(text)
                await writer.drain()
                library.graceful_connection_idle(token, 1)
        except (asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()
            library.graceful_connection_release(token)

    def accept():
        try:
            client, _ = listener.accept()
        except OSError:
            return  # the other process was faster, say
        clients.add(task := loop.create_task(serve(client)))
        task.add_done_callback(clients.discard)

    async def serve(client):
        client.setblocking(False)
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, client)
        await echo(reader, asyncio.StreamWriter(transport, protocol, reader, loop))

    clients = set()
    on_end = function(lambda data: ended.set())
    on_resume = resume_type(lambda data: loop.add_reader(fd.value, accept) or 0)
    on_pause = function(lambda data: loop.remove_reader(fd.value) and None)
    on_stop = function(lambda data: (loop.remove_reader(fd.value), listener.close()) and None)
    options = Options(ctypes.sizeof(Options), b"asyncio-echo", os.environ.get("CONTROL", "").encode() or None,
                      -1, -1, -1, -1, None, log_type(), 1, NEVER, NEVER, NEVER, on_end)
    hooks = Listener(ctypes.sizeof(Listener), None, on_resume, on_pause, on_stop, 0, 0)
    check(library.graceful_new(byref(options), byref(upgrader), byref(error)), error)
    library_fd = library.graceful_descriptor(upgrader)
    try:
        check(library.graceful_listen(upgrader, b"echo", address.encode(), byref(hooks), byref(fd), byref(error)), error)
        listener = socket.socket(fileno=fd.value)
        check(library.graceful_handle_signals(upgrader, byref(error)), error)
        check(library.graceful_ready(upgrader, byref(error)), error)
        loop.add_reader(library_fd, library.graceful_dispatch, upgrader)
        await ended.wait()
    finally:
        loop.remove_reader(library_fd)
        library.graceful_free(upgrader)


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:8080"))
