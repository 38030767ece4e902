# SPDX-License-Identifier: MIT
"""Answers that carry the bytes of a file: ranges, ETags, and their moods."""

import base64
import binascii
import re
import urllib.parse

from hub_http import Answer

PLAIN_GET_BYTES_MAX = 50 * 10 ** 9  # above it the CDN demands a Range
PACKED_BYTES_MIN = 1024
RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


class Unsatisfiable(Exception):
    pass


def parse_range(text, size):
    """(start, stop), or None where the whole file is meant."""
    match = RANGE.match(text or "")
    if not match or match.group() == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(size, int(last or size) + 1)
        if last and int(last) < start:
            return None
    if start >= size or start >= stop:
        raise Unsatisfiable
    return start, stop


def disposition(path):
    name = urllib.parse.quote(path.rsplit("/", 1)[-1])
    return "inline; filename*=UTF-8''%s; filename=\"%s\";" % (name, name)


def wanted(request, file, etag):
    """The range asked for, unless its If-Range names another file."""
    if request.header("If-Range") not in (None, etag):
        return None
    return parse_range(request.header("Range"), file.size)


def base64_text(text):
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def file_answer(request, where, moods, file, headers, etag=None,
                media_type=None):
    """200, 206, 304 or 416 for @file.

    @etag: else the hub's; @media_type: of a host that gives files no name.
    """
    etag = etag or '"%s"' % file.etag
    if moods.take("etag_changes", where):
        etag = '"changed-%x"' % id(request)
    headers = [*headers, ("ETag", etag), ("Accept-Ranges", "bytes")]
    if not media_type:
        headers.append(("Content-Disposition", disposition(where.path)))
    if request.header("If-None-Match") in (etag, "W/" + etag):
        return Answer(304, headers)
    headers.append(("Content-Type", media_type or (
        "application/octet-stream" if file.sha256
        else "text/plain; charset=utf-8")))
    try:
        part = wanted(request, file, etag)
    except Unsatisfiable:
        return Answer(416, [*headers,
                            ("Content-Range", "bytes */%d" % file.size)])
    return moody_answer(request, where, moods, file, part, headers)


def moody_answer(request, where, moods, file, part, headers):
    if gzips(request, where, moods) or \
            not part and packs_text(request, where, file):
        return packed_answer(file, headers)
    if part and moods.take("cdn_ignores_range", where):
        part = None
    wrong = moods.take("cdn_wrong_range", where) if part else None
    start, stop = part or (0, file.size)
    if wrong:
        told, (start, stop) = wrong_range(wrong["form"], start, stop,
                                          file.size)
        headers += told
    elif part:
        headers.append(range_header(start, stop, file.size))
    answer = Answer(206 if part else 200, headers,
                    [("file", file.local, start, stop - start)], stop - start)
    answer.is_file = True
    corrupt(answer, where, moods, file, start, stop)
    short = moods.find("cdn_short", where)
    if short and short["after"] < answer.length:
        moods.take("cdn_short", where)
        answer.cut(short["after"], ("close",))
    elif moods.take("no_length", where):
        answer.steps = [("chunks", file.local, start, stop - start)]
        answer.length = None
    return answer


def packs_text(request, where, file):
    """The hub itself sends its text files so to those who take it."""
    return where.origin == "hub" and not file.sha256 and \
        file.size >= PACKED_BYTES_MIN and request.accepts_gzip()


def packed_answer(file, headers):
    """In chunks: its length is not known, and parts cannot be had."""
    headers = [h for h in headers if h[0] != "Accept-Ranges"]
    answer = Answer(200, [*headers, ("Content-Encoding", "gzip")],
                    [("gzip", file.local)], None)
    answer.is_file = True
    return answer


def gzips(request, where, moods):
    gzip = moods.find("cdn_gzip", where)
    if not gzip or gzip["when"] == "asked" and not request.accepts_gzip():
        return False
    moods.take("cdn_gzip", where)
    return True


def range_header(start, stop, size):
    return ("Content-Range", "bytes %d-%d/%d" % (start, stop - 1, size))


def wrong_range(form, start, stop, size):
    """Headers of an untrue 206, and the bytes that it sends."""
    if form == "missing":
        return [], (start, stop)
    if form == "total":
        return [range_header(start, stop, size + 1)], (start, stop)
    if form == "start":
        return [range_header(start + 1, stop + 1, size)], (start, stop)
    by = 1 if stop < size else -min(1, start)
    part = (start + by, stop + by)  # "shifted"
    return [range_header(*part, size)], part


def corrupt(answer, where, moods, file, start, stop):
    """Flips a byte: that at "at" of the file, or the middle one."""
    mood = moods.find("cdn_corrupt", where)
    if not mood or start == stop:
        return
    at = (start + stop) // 2 if mood["at"] is None else mood["at"]
    if not start <= at < stop:
        return
    moods.take("cdn_corrupt", where)
    with open(file.local, "rb") as f:
        f.seek(at)
        flipped = bytes([f.read(1)[0] ^ 0xFF])
    answer.steps = [("file", file.local, start, at - start),
                    ("bytes", flipped),
                    ("file", file.local, at + 1, stop - at - 1)]
