#!/usr/bin/env python3
# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""lint.py CLANGXX CLANG_TIDY UNITS ALONE: writes a build.ninja to standard output that looks at each
unit of lib and cli by clang-tidy, and compiles each source file by itself.

UNITS and ALONE are build directories, with and without Meson's `unity`. In a unit headers are parsed once,
so clang-tidy takes a seventh of the time; what is included is looked at like the unit itself. That each file
includes what it needs only shows where it is compiled alone.
"""

import json
import os
import shlex
import sys

clangxx, clang_tidy, units, alone = sys.argv[1:]
top = os.getcwd()

# To be run in UNITS: what the compiler says of dependencies is relative to that.
# A unit includes sources, that is what it is for. Nothing else may: tests/run looks for that.
RULES = f"""
builddir = lint
rule tidy
  command = cd $dir && {clangxx} $args -E -o /dev/null -MD -MF $dep -MT $out && {clang_tidy} -p {top}/{units} --quiet --checks=-bugprone-suspicious-include $in 2>$dep.log && touch $out || (cat $dep.log; exit 1)
  description = clang-tidy $name
  deps = gcc
  depfile = $dep
rule compile
  command = cd $dir && {clangxx} $args -fsyntax-only -MD -MF $dep -MT $out && touch $out
  description = compiling $name alone
  deps = gcc
  depfile = $dep
"""


def escape(text):
    return text.replace("$", "$$").replace(":", "$:").replace(" ", "$ ")


def edges(directory, rule, wanted):
    with open(os.path.join(directory, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    seen = set()
    for command in commands:
        source = os.path.normpath(os.path.join(command["directory"], command["file"]))
        name = os.path.relpath(source, top)
        if not wanted(name) or source in seen:
            continue
        seen.add(source)
        out = os.path.join(top, units, "lint", rule, name + ".done")
        os.makedirs(os.path.dirname(out), exist_ok=True)
        yield f"build {escape(out)}: {rule} {escape(source)} | {top}/.clang-tidy"
        yield f"  dir = {command['directory']}"
        yield f"  name = {name}"
        yield f"  dep = {escape(out)}.d"
        yield "  args = " + " ".join(shlex.quote(a) for a in arguments(command, source)).replace("$", "$$")


def arguments(command, source):
    """Of the compiler's, those that say how the source is to be understood."""
    words = iter(shlex.split(command["command"]))
    for word in words:
        if word == clangxx:
            break
    for word in words:
        if word in ("-o", "-MF", "-MQ"):
            next(words)
        elif word not in ("-c", "-MD"):
            yield source if word == command["file"] else word


print(RULES)
for line in edges(units, "tidy", lambda name: name.startswith((f"{units}/lib/", f"{units}/cli/"))):
    print(line)
for line in edges(alone, "compile", lambda name: name.endswith(".cpp") and not name.startswith("build/")):
    print(line)
