# SPDX-License-Identifier: MIT
"""Tree entries of a hub that means harm."""

OID = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


def file(path, size=0):
    return {"type": "file", "oid": OID, "size": size, "path": path}


def folder(path):
    return {"type": "directory", "oid": OID, "size": 0, "path": path}


EVIL = {
    "dotdot": [file("../evil"), file("ok/../../evil"), file("..")],
    "dot": [file("./evil"), file("ok/./evil"), file(".")],
    "absolute": [file("/etc/evil"), file("//evil")],
    "empty": [file(""), file("ok//evil"), file("evil/")],
    "nul": [file("nul\0evil"), file("\0")],
    "control": [file("new\nline"), file("bell\a")],
    "surrogate": [file("half\ud800evil")],
    "long": [file("l" * 256), file("d/" * 2100 + "evil")],
    "both": [file("both"), folder("both"), file("both/evil")],
    "size": [file("negative", -1), file("huge", 1e300),
             file("word", "12"), file("nothing", None)],
    "type": [{**file("symlink"), "type": "symlink"}, {"type": "file"},
             {**file("path"), "path": ["list"]}],
}


def evil_entries(mood, entries):
    """All of them, or those of the name "only", or those that a test gives."""
    if mood["entries"] is not None:
        return list(mood["entries"])
    if mood["only"] == "duplicate":
        return entries[:1]
    if mood["only"]:
        return EVIL[mood["only"]]
    return [*(entry for group in EVIL.values() for entry in group),
            *entries[:1]]
