#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sums up JUnit files: test_summary.py DIR; exits 0 if nothing failed.

Besides DIR/<suite>.xml there may be DIR/<suite>.broken, a line for each thing
that kept a suite from running: each counts as a failure.
"""

import glob
import os
import sys
import xml.etree.ElementTree as ElementTree


def judge(case):
    kinds = {child.tag for child in case}
    if kinds & {"failure", "error"}:
        return "failed"
    if "skipped" in kinds or case.get("status") in ("notrun", "disabled"):
        return "skipped"
    return "passed"


def name_of(case):
    group = case.get("classname") or ""
    name = case.get("name") or "?"
    return name if group in ("", name) else group + "::" + name


def main():
    total = {"passed": 0, "failed": 0, "skipped": 0}
    failures = []
    print()
    for path in sorted(glob.glob(os.path.join(sys.argv[1], "*"))):
        suite, kind = os.path.splitext(os.path.basename(path))
        count = {"passed": 0, "failed": 0, "skipped": 0}
        if kind == ".xml":
            for case in ElementTree.parse(path).iter("testcase"):
                verdict = judge(case)
                count[verdict] += 1
                if verdict == "failed":
                    failures.append("%s: %s" % (suite, name_of(case)))
        elif kind == ".broken":
            with open(path, encoding="utf-8") as lines:
                for line in lines:
                    count["failed"] += 1
                    failures.append("%s: %s" % (suite, line.strip()))
        print("%-16s %5d passed %4d failed %4d skipped"
              % (suite, count["passed"], count["failed"], count["skipped"]))
        for verdict in total:
            total[verdict] += count[verdict]
    for failure in failures:
        print("failed: " + failure)
    if total["skipped"]:
        print("%d skipped" % total["skipped"])
    print("%d passed, %d failed" % (total["passed"], total["failed"]))
    sys.exit(1 if total["failed"] or not total["passed"] else 0)


main()
