#!/usr/bin/env python3
# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""test_targets.py DIRECTORY SUITE...: prints the files that the tests of these suites need, for ninja.

`meson test` would build them too, but then there is no moment between the building and the tests.
"""

import json
import os
import sys

directory, suites = sys.argv[1], {f"graceful:{suite}" for suite in sys.argv[2:]}


def introspected(what):
    with open(os.path.join(directory, "meson-info", f"intro-{what}.json"), encoding="utf-8") as file:
        return json.load(file)


found = False
needed = {target for test in introspected("tests") if suites & set(test["suite"]) for target in test["depends"]}
for target in introspected("targets"):
    if target["id"] in needed:
        found = True
        print(*(os.path.relpath(name, os.path.abspath(directory)) for name in target["filename"]))
if not found:
    sys.exit(f"test_targets.py: {directory} has no tests of {' '.join(sys.argv[2:])}")
