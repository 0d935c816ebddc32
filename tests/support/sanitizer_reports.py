#!/usr/bin/env python3
# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""sanitizer_reports.py DIRECTORY: prints what sanitizers have reported there, a file for each process; status 1 if
there is anything.

Two things are no reports. A process that is killed while LeakSanitizer looks at its threads leaves a line that says so.
And a child of fork(2) that ends by exit(3) has not the threads of its parent: what only they knew of, on their stacks,
LeakSanitizer takes for leaked, and says itself that it may be wrong ("False leaks are possible").
"""

import pathlib
import re
import sys

KILLED = re.compile(r"^==\d+==Unable to get registers from thread.*\n?", re.M)
UNSURE = re.compile(r"^==\d+==Running thread (\d+) was not suspended\. False leaks are possible\.\n?", re.M)
LEAKS = re.compile(r"^=+\n==\d+==ERROR: LeakSanitizer: .*?^SUMMARY: .* leaked in .*?$", re.M | re.S)

reports = []
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    text = KILLED.sub("", path.read_text(encoding="utf-8", errors="replace"))
    pid = int(path.suffix[1:])
    # A thread of this process has a number of its own; one of the parent's has a lower one.
    if any(int(thread) < pid for thread in UNSURE.findall(text)):
        text = LEAKS.sub("", text)
    text = UNSURE.sub("", text)
    if text.strip():
        reports.append(f"{path.name}:\n{text.strip()}\n")

print("\n".join(reports), end="")
sys.exit(bool(reports))
