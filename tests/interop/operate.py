# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""An operator's client: prints each answer as a line of JSON, and holds it against docs/protocol.md."""

from __future__ import annotations

import sys

sys.dont_write_bytecode = True

import argparse
import json

from interface import Protocol
from varlink import Object, connect


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    parser.add_argument("method")
    parser.add_argument("parameters", nargs="?", type=json.loads, default={})
    parser.add_argument("--more", action="store_true")
    parser.add_argument("--count", type=int, default=0, help="answers to read, of a stream; 0: all")
    arguments = parser.parse_args()
    method = arguments.method
    if "." not in method:
        method = "io.graceful.Control." + method
    protocol = Protocol()
    protocol.check_call(method, arguments.parameters)
    call: Object = {"method": method, "parameters": arguments.parameters}
    if arguments.more:
        call["more"] = True
    server = connect(arguments.path)
    server.send(call)
    read = 0
    while True:
        answer = server.receive()
        protocol.check_answer(method, answer)
        print(json.dumps(answer), flush=True)
        read += 1
        if read == arguments.count or not answer.get("continues"):
            return 1 if "error" in answer else 0


if __name__ == "__main__":
    sys.exit(main())
