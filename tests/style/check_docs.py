#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Links lead somewhere; manual and completions know every option and task.

The manual knows every variable of the environment that the program reads.

The options are those that each command's --help tells of, where the program
was built (OMNIHUB_BINARY, else build/omnihub); the tasks are read from
staging/model_task.c.
"""

import os
import re
import subprocess

import tree

COMMANDS = ("mount", "umount", "stage", "convert", "info", "status")
BASE_TASK = "feature-extraction"  # what is staged where no task is said
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")


def anchors(text):
    """The names by which headings can be linked to."""
    found = set()
    for heading in re.findall(r"^#+ (.*)$", text, re.M):
        name = re.sub(r"[^\w\- ]", "", heading.strip().lower())
        found.add(name.replace(" ", "-"))
    return found


def check_links(root, path, text, findings):
    text = re.sub(r"```.*?```", lambda m: tree.blank(m.group()), text, flags=re.S)
    for match in LINK.finditer(text):
        link = match.group(1)
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(path), name)) \
            if name else path
        line = tree.line_of(text, match.start())
        if not os.path.exists(os.path.join(root, target)):
            findings.add(path, line, "the link %s leads nowhere" % link)
        elif anchor and target.endswith(".md") \
                and anchor not in anchors(tree.read(root, target)):
            findings.add(path, line, "no heading for the link %s" % link)


def options_of(root, command):
    binary = os.environ.get("OMNIHUB_BINARY") or os.path.join(root, "build/omnihub")
    if not os.access(binary, os.X_OK):
        return []
    told = subprocess.run([binary, command, "--help"], capture_output=True,
                          text=True, timeout=30)
    return sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", told.stdout)))


def check_manual(root, findings):
    pages = tree.files(os.path.join(root, "packaging/man"))
    manual = "\n".join(tree.read(root, "packaging/man/" + p) for p in pages)
    manual = manual.replace("\\-", "-")
    for command in COMMANDS if pages else ():
        for option in options_of(root, command):
            if not re.search(re.escape(option) + r"(?![\w-])", manual):
                findings.add("packaging/man/" + pages[0], 1,
                             "does not tell of the option " + option)


def check_environment(root, findings):
    """PATH and HOME are what everybody takes them for."""
    manual = "\n".join(tree.read(root, page) for page in tree.files(root)
                       if page.startswith("packaging/man/"))
    for path in tree.files(root, ".c"):
        text = tree.read(root, path)
        if path.startswith("tests/") or "getenv(" not in text:
            continue
        for match in re.finditer(r'"([A-Z][A-Z0-9]+_[A-Z0-9_]+)"', text):
            if not re.search(r"\b%s\b" % match.group(1), manual):
                findings.add(path, tree.line_of(text, match.start()),
                             "the manual does not tell of " + match.group(1))


def tasks_of(root):
    path = "staging/model_task.c"
    if not os.path.exists(os.path.join(root, path)):
        return []
    return re.findall(r'\[TASK_\w+\] =\s*"([^"]+)"', tree.read(root, path))


def check_completions(root, findings):
    """fish writes an option without its dashes."""
    for path in tree.files(root):
        if not path.startswith("packaging/completions/"):
            continue
        text = tree.read(root, path)
        dashes = "-l " if path.endswith(".fish") else "--"
        wanted = [option.replace("--", dashes, 1) for command in COMMANDS
                  for option in options_of(root, command)]
        wanted += [task for task in tasks_of(root) if task != BASE_TASK]
        for word in wanted:
            if not re.search(r"(?<![\w-])%s(?![\w-])" % re.escape(word), text):
                findings.add(path, 1, "does not complete " + word)


def main():
    root = tree.root_argument()
    findings = tree.Findings()
    for path in tree.files(root, ".md"):
        check_links(root, path, tree.read(root, path), findings)
    check_manual(root, findings)
    check_environment(root, findings)
    check_completions(root, findings)
    findings.finish()


main()
