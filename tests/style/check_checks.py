#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The checks themselves can fail: each finds a fault planted in a small tree,
and finds nothing there without it."""

import os
import subprocess
import sys
import tempfile

import tree

LICENCE = "/* SPDX-License-Identifier: MIT */\n"
BODY = "{\n" + "\tx++;\n" * 70 + "}\n"


def header(name, text=""):
    guard = name.upper().replace("/", "_").replace(".", "_")
    return LICENCE + "#ifndef %s\n#define %s\n%s\n#endif\n" % (guard, guard, text)


CLEAN = {
    "README.md": "# Tree\n\nSee [base](base/README.md#base).\n",
    "base/README.md": "# Base\n",
    "base/thing.h": header("base/thing.h", "\nint thing_get(void);\n"),
    "base/thing.c": LICENCE + '#include "base/thing.h"\n\n#include <stdint.h>\n\n'
                    "/* Never calls system() or strcpy(). */\n"
                    "int thing_get(void)\n{\n\treturn 1;\n}\n",
    "cache/README.md": "# Cache\n",
    "cache/deep.h": header("cache/deep.h"),
    "fs/README.md": "# Fs\n",
    "staging/README.md": "# Staging\n",
    "staging/model_task.c": LICENCE + "enum { TASK_WORDS };\n\n"
                            "static const char *const names[] = {\n"
                            '\t[TASK_WORDS] = "fill-mask",\n};\n',
}

# check, file, its text, what the finding says
PLANTED = [
    ("includes", "base/bad.c", LICENCE + '#include "cache/deep.h"\n', "base/ may not"),
    ("includes", "fs/bad.c", LICENCE + '#include "cache/deep.h"\n', "fs/ may not"),
    ("includes", "cache/bad.c", LICENCE + "#include <curl/curl.h>\n", "alone"),
    ("includes", "base/bad.c", LICENCE + "#include <lmdb.h>\n", "cache/ alone"),
    ("includes", "cache/bad.c", LICENCE + "#include <cjson/cJSON.h>\n", "base/json.c"),
    ("includes", "cache/bad.c", LICENCE + "#include <fuse_lowlevel.h>\n", "fs/ alone"),
    ("includes", "cache/bad.c", LICENCE + '#include "deep.h"\n', "no path from"),
    ("includes", "base/thing.c", LICENCE + "#include <errno.h>\n", "first include"),
    ("includes", "cache/bad.c", LICENCE + '#include <errno.h>\n#include "base/thing.h"\n'
     "#include <stdio.h>\n", "comes after"),
    ("includes", "base/thing.h", header("base/thing.h", '#include "base/thing.h"'),
     "circle"),
    ("functions", "base/bad.c", LICENCE + "int f(int x)\n" + BODY, "72 lines"),
    ("functions", "base/bad.c", LICENCE + "\n" * 600, "601 lines"),
    ("functions", "base/bad.c", LICENCE + "\t" * 10 + "x\n", "81 columns"),
    ("banned", "base/bad.c", LICENCE + "int f(void)\n{\n\treturn atoi(x);\n}\n", "atoi"),
    ("banned", "base/bad.c", LICENCE + "void f(void)\n{\n\tg = malloc (1);\n}\n",
     "mem_alloc"),
    ("banned", "fs/bad.c", LICENCE + 'void f(void)\n{\n\tprintf("a");\n}\n', "log_line"),
    ("banned", "base/bad.c", LICENCE + "int x; // why\n", "// comment"),
    ("banned", "README.md", "FIX" "ME later\n", "do it"),
    ("autos", "base/bad.c", LICENCE + "int f(void)\n{\n\tauto_str struct str s;\n\n"
     "\tif (g())\n\t\treturn 0;\n\tstr_init(&s, 9);\n\treturn 1;\n}\n", "not set"),
    ("names", "cache/thing.h", header("cache/thing.h"), "already"),
    ("names", "base/bad.c", "int x;\n", "first line"),
    ("names", "base/bad.h", header("base/other.h"), "BASE_BAD_H"),
    ("names", "providers/new.c", LICENCE, "README.md"),
    ("format", "base/bad.c", LICENCE + "int  x ;\n", "clang-format"),
    ("headers", "base/bad.h", header("base/bad.h", "size_t f(void);"), "alone"),
    ("headers", "base/bad.h", LICENCE + "struct twice { int x; };\n", "alone"),
    ("alone", "README.md", "Look into /home" "/me/notes.\n", "home"),
    ("alone", "base/bad.c", LICENCE + '"https://pypi' '.org/simple"\n', "registry"),
    ("docs", "README.md", "[gone](gone.md)\n", "nowhere"),
    ("docs", "README.md", "[no](base/README.md#gone)\n", "no heading"),
    ("docs", "packaging/completions/omnihub.zsh", "complete\n", "fill-mask"),
]


def write(root, path, text):
    os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
    with open(os.path.join(root, path), "w", encoding="utf-8") as f:
        f.write(text)


def run(check, here, root):
    script = os.path.join(here, "check_%s.py" % check)
    return subprocess.run([sys.executable, script, root], capture_output=True,
                          text=True, env=dict(os.environ, OMNIHUB_BINARY=""))


def main():
    source = tree.root_argument()
    here = os.path.dirname(os.path.abspath(__file__))
    findings = tree.Findings()
    with tempfile.TemporaryDirectory() as root:
        for path, text in CLEAN.items():
            write(root, path, text)
        write(root, ".clang-format", tree.read(source, ".clang-format"))
        for check in sorted({row[0] for row in PLANTED}):
            done = run(check, here, root)
            if done.returncode != 0:
                findings.add("check_%s.py" % check, 1, "fails on a clean tree: "
                             + done.stdout + done.stderr)
        for check, path, text, want in PLANTED:
            write(root, path, text)
            done = run(check, here, root)
            if done.returncode == 0 or want not in done.stdout:
                findings.add("check_%s.py" % check, 1,
                             "does not find '%s'" % want)
            if path in CLEAN:
                write(root, path, CLEAN[path])
            else:
                os.unlink(os.path.join(root, path))
    findings.finish()


main()
