#!/usr/bin/env python3
# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""summary.py DIRECTORY: says what tests/run has seen: each stage's time, what failed, and the slowest.

DIRECTORY has `stages`, a line for each (number, seconds, exit status, name); NUMBER.json, Meson's log of the
tests of a stage; and NUMBER.report, what the sanitizers have found there. The last line counts test cases; a program that has none, or did not get so far, is one.
"""

import json
import os
import re
import sys
from collections import Counter

directory = sys.argv[1]
COUNT = re.compile(r"^\[doctest\] test cases: *\d+ *\| *(\d+) passed *\| *(\d+) failed", re.M)
DURATION = re.compile(r"^(\d+\.\d+) s: (.*)$", re.M)
CASE = re.compile(r"^TEST CASE:  (.*)$", re.M)
SKIPPED = re.compile(r"MESSAGE: skipped: (.*)$", re.M)
ERROR = re.compile(r": (FATAL )?ERROR:")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def tests_of(number):
    try:
        with open(os.path.join(directory, f"{number}.json"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    except FileNotFoundError:
        return []


def report_of(number):
    try:
        with open(os.path.join(directory, f"{number}.report"), encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[:200])
    except FileNotFoundError:
        return ""


def failed_cases(output):
    """By its name, what doctest has printed of each test case with an error."""
    failed = {}
    for section in re.split(r"^={70,}$", output, flags=re.M):
        found = CASE.search(section)
        if found and ERROR.search(section):
            failed[found[1]] = section.strip()
    return failed


with open(os.path.join(directory, "stages"), encoding="utf-8") as file:
    stages = [line.rstrip("\n").split("\t") for line in file]

passed = failed = 0
failures, slowest, skipped = [], [], Counter()
print("\n=== Summary\n")
for number, seconds, status, stage in stages:
    stage_passed = stage_failed = 0
    tests = tests_of(number)
    for test in tests:
        output = COLOUR.sub("", test.get("stdout", ""))
        program = test["name"].split(" / ")[-1]
        good = test["result"] == "OK"
        counts = COUNT.findall(output)
        skipped.update(SKIPPED.findall(output))
        if good and counts:
            stage_passed += sum(int(count[0]) for count in counts)
        elif good:
            stage_passed += 1
        elif test["result"] != "SKIP":
            cases = failed_cases(output)
            stage_passed += sum(int(count[0]) for count in counts)
            stage_failed += max(len(cases), 1)
            if not cases:
                cases = {"": "\n".join((output + test.get("stderr", "")).splitlines()[-60:])}
            failures.append((stage, program, test["result"].lower(), cases))
        timed = [(float(time), program, case) for time, case in DURATION.findall(output)]
        slowest += timed or [(test["duration"], program, "")]
    report = report_of(number)
    if report or (status != "0" and not stage_failed):
        stage_failed += 1
        failures.append((stage, "", "", {"": report} if report else {}))
    passed += stage_passed
    failed += stage_failed
    if not tests and status == "0":
        passed += 1
    told = f"{stage_passed} passed" if tests else ("passed" if status == "0" else "")
    print(f"{int(seconds):6} s  {stage:45} {told}{f'  {stage_failed} FAILED' if stage_failed else ''}")
print(f"{sum(int(s[1]) for s in stages):6} s")

if slowest:
    print("\nThe ten slowest tests:")
    for time, program, case in sorted(slowest, reverse=True)[:10]:
        print(f"{time:8.1f} s  {program}{': ' + case if case else ''}")

for stage, program, _, cases in failures:
    for case, printed in cases.items():
        print(f"\n--- {program or stage}{': ' + case if case else ''}\n{printed}")
if failures:
    print("\nFailed:")
    for stage, program, result, cases in failures:
        how = "" if result in ("", "fail") else f" ({result})"
        print(f"  {stage}{': ' + program if program else ''}{how}")
        for case in filter(None, cases):
            print(f"    {case}")
    print("\nAll that a stage printed is above; all that its tests did, in build/*/meson-logs/testlog.txt.")

if skipped:
    print("\nSkipped, in whole or in part:")
    for reason, count in skipped.most_common():
        print(f"{count:6} x {reason}")

print(f"\n{passed} passed, {failed} failed")
