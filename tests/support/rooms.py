#!/usr/bin/env python3
# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""rooms.py: fails where a file of lib/ or cli/ includes what its room may not; see "Rooms" in docs/design.md."""

import pathlib
import re
import sys

# What each room may include besides itself. All may include the public surface.
ROOMS = {
    "os": [],
    "wire": ["os"],
    "control": ["os", "wire"],
    "listen": ["os"],
    "drain": ["os", "wire", "control"],
    "service": ["os", "wire", "control", "listen"],
    "handoff": ["os", "wire", "control"],
    "supervisor": ["os", "wire", "control"],
    "server": ["os", "wire", "control", "listen", "drain", "service", "handoff"],
    "testing": [],
}

# State machines, and other code that must compile without Asio. They do no I/O.
NO_ASIO = ["os/", "wire/", "testing/"]
MACHINES = [
    "drain/drain_plan",
    "handoff/predecessor",
    "handoff/successor",
    "server/life",
    "supervisor/keeper",
    "supervisor/notification",
]
IO = re.compile(r"boost/asio|sys/(?!types)|unistd\.h|fcntl\.h|poll\.h|fstream|filesystem|thread|mutex")

INCLUDE = re.compile(r'^#include ["<]([^">]+)[">]', re.M)

wrong = []
for top in ("lib", "cli"):
    for path in sorted(pathlib.Path(top).rglob("*.[ch]pp")):
        room = path.parts[1] if top == "lib" else "cli"
        name = "/".join(path.parts[1:]).removesuffix(path.suffix)
        for included in INCLUDE.findall(path.read_text(encoding="utf-8")):
            to = included.split("/")[0]
            if "/" in included and to in ROOMS and to != room and to not in ROOMS.get(room, []):
                wrong.append(f"{path}: '{room}' may not include '{to}' ({included})")
            if name in MACHINES and IO.match(included):
                wrong.append(f"{path}: a machine does no I/O ({included})")
            if any(name.startswith(each) for each in NO_ASIO) and included.startswith("boost/asio"):
                wrong.append(f"{path}: '{room}' does not know Asio ({included})")

for each in wrong:
    print(f"rooms.py: {each}", file=sys.stderr)
sys.exit(bool(wrong))
