# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""An operator's client: prints each answer as a line of JSON, and holds it against docs/protocol.md.

usage: operate.py PATH CALL [then CALL]...

Makes the calls one after the other, each on a connection of its own. Behind the answers of each
stands a line that says how the last one ended it: "reply" or "error".
"""

from __future__ import annotations

import sys

sys.dont_write_bytecode = True

import argparse
import json

from interface import Protocol
from varlink import Object, connect


def operate(path: str, protocol: Protocol, words: list[str]) -> str:
    """Makes one call. Returns how it has ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("method")
    parser.add_argument("parameters", nargs="?", type=json.loads, default={})
    parser.add_argument("--more", action="store_true")
    parser.add_argument("--count", type=int, default=0, help="answers to read, of a stream; 0: all")
    arguments = parser.parse_args(words)
    method = arguments.method
    if "." not in method:
        method = "io.graceful.Control." + method
    protocol.check_call(method, arguments.parameters)
    call: Object = {"method": method, "parameters": arguments.parameters}
    if arguments.more:
        call["more"] = True
    server = connect(path)
    server.send(call)
    read = 0
    while True:
        answer = server.receive()
        protocol.check_answer(method, answer)
        print(json.dumps(answer), flush=True)
        read += 1
        if read == arguments.count or not answer.get("continues"):
            server.close()
            return "error" if "error" in answer else "reply"


def main() -> None:
    path, *words = sys.argv[1:]
    protocol = Protocol()
    while words:
        end = words.index("then") if "then" in words else len(words)
        print(operate(path, protocol, words[:end]), flush=True)
        words = words[end + 1 :]


if __name__ == "__main__":
    main()
