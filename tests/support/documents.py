#!/usr/bin/env python3
# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""documents.py TOP: the documents show what is built, and the man page fits a terminal.

What the README shows as C++ is in an example, word for word. No line of the man page is wider than 80
columns: its literal lines are looked at, and where there is a man(1) all that it renders. Nor is one
of docs/demo --help.
"""
import pathlib
import re
import shutil
import subprocess
import sys

COLUMNS = 80
INDENT = 7  # of man(1), for what is not filled

# How each piece of C++ in the README begins, and which file contains it.
SHOWN = {
    "#include <graceful.hpp>": "docs/examples/hello.cpp",
    "struct vars {": "docs/examples/hello_pool.cpp",
    "TEST_CASE(": None,  # a part of what docs/testing.md has, which tests/consumer builds
}


def readme_code(top: pathlib.Path) -> list[str]:
    wrong = []
    text = (top / "README.md").read_text()
    pieces = re.findall(r"^```cpp\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    for begin, name in SHOWN.items():
        shown = [piece for piece in pieces if piece.startswith(begin)]
        if len(shown) != 1:
            wrong.append(f"README.md: {len(shown)} pieces of C++ begin with '{begin}', not 1")
        elif name and shown[0] not in (top / name).read_text():
            wrong.append(f"README.md: what begins with '{begin}' is not what {name} has")
    if len(pieces) != len(SHOWN):
        wrong.append(f"README.md: {len(pieces)} pieces of C++, of which {len(SHOWN)} are known here")
    return wrong


def too_wide(name: str, lines: list[str], columns: int) -> list[str]:
    return [f"{name}: wider than {COLUMNS} columns: {line}" for line in lines if len(line) > columns]


def man_page(page: pathlib.Path) -> list[str]:
    source = page.read_text()
    literal = "\n".join(re.findall(r"^\.(?:nf|EX)\n(.*?)^\.(?:fi|EE)$", source, re.MULTILINE | re.DOTALL))
    wrong = too_wide(page.name, literal.splitlines(), COLUMNS - INDENT)
    if shutil.which("man"):
        rendered = subprocess.run(
            ["man", "-l", str(page)],
            env={"MANWIDTH": str(COLUMNS), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
            stdout=subprocess.PIPE, text=True, check=True,
        )
        wrong += too_wide("man " + page.name, re.sub(".\b", "", rendered.stdout).splitlines(), COLUMNS)
    return wrong


def demo_help(top: pathlib.Path) -> list[str]:
    name = "docs/demo --help"
    said = subprocess.run([str(top / "docs/demo"), "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    wrong = [] if said.startswith("Usage: docs/demo") else [f"{name} does not say how to call it"]
    return wrong + too_wide(name, said.splitlines(), COLUMNS)


def main() -> int:
    top = pathlib.Path(sys.argv[1])
    wrong = readme_code(top) + man_page(top / "docs" / "graceful-ctl.1")
    wrong += demo_help(top)
    print("\n".join(wrong) or "the documents are as they should be")
    return 1 if wrong else 0


sys.exit(main())
