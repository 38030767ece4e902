# SPDX-License-Identifier: MIT
"""Archives that mean harm, each by the row of the hazard it is about:
name -> bytes.  What all of them may show is good.txt."""

import functools
import gzip
import io
import struct
import tarfile
import zipfile
import zlib

MIB = 1 << 20
GOOD = b"good"


def _member(name, content=b"", kind=tarfile.REGTYPE, link="", size=None):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, 0o6777
    info.size = len(content) if size is None else size
    return info, content


def tar(*members, good=True):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for info, content in ((_member("good.txt", GOOD),) if good else ()) \
                + members:
            t.addfile(info, io.BytesIO(content))
    return out.getvalue()


def packed(content, level=6):
    return gzip.compress(content, level, mtime=0)


def _stack(content, layers):
    for _ in range(layers):
        content = packed(content)
    return content


def _bomb(size):
    """A member of zeros, hundreds of times smaller when it is packed."""
    engine = zlib.compressobj(1, zlib.DEFLATED, 31)
    info, _ = _member("bomb.bin", size=size)
    parts = [engine.compress(info.tobuf())]
    zeros = bytes(MIB)
    parts += [engine.compress(zeros) for _ in range(size // MIB)]
    return b"".join(parts) + engine.compress(bytes(1024)) + engine.flush()


def _sparse():
    """A PAX member that claims 4 EiB for a byte."""
    info, _ = _member("sparse.bin", b"x")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0",
                        "GNU.sparse.name": "sparse.bin",
                        "GNU.sparse.realsize": str(1 << 62)}
    return packed(tar((info, b"x")))


LINK, HARD = tarfile.SYMTYPE, tarfile.LNKTYPE


@functools.cache
def tars():
    whole = packed(tar(_member("other.bin", bytes(range(256)) * 4096)))
    return {
        "Z-01-dotdot": packed(tar(_member("../../evil", b"evil"),
                                  _member("a/../../evil", b"evil"))),
        "Z-01-absolute": packed(tar(_member("/tmp/evil", b"evil"),
                                    _member("//evil", b"evil"))),
        "Z-02-symlink": packed(tar(_member("evil", kind=LINK, link="/etc"),
                                   _member("evil/passwd", b"evil"))),
        "Z-02-symlink-up": packed(tar(_member("evil", kind=LINK,
                                              link="../../.."))),
        "Z-03-hardlink": packed(tar(_member("evil", kind=HARD,
                                            link="/etc/passwd"))),
        "Z-03-hardlink-itself": packed(tar(_member("evil", kind=HARD,
                                                   link="evil"))),
        "Z-04-devices": packed(tar(_member("evil0", kind=tarfile.CHRTYPE),
                                   _member("evil1", kind=tarfile.BLKTYPE),
                                   _member("evil2", kind=tarfile.FIFOTYPE))),
        "Z-07-bomb": _bomb(1600 * MIB),
        "Z-08-size-lie": packed(tar(_member("evil.bin", b"x"))[:1024 + 512]
                                + _member("evil", size=1 << 40)[0].tobuf()),
        "Z-12-duplicate": packed(tar(_member("twice", b"one"),
                                     _member("twice", b"two!"))),
        "Z-12-file-and-folder": packed(tar(_member("both", b"file"),
                                           _member("both/evil", b"in"))),
        "Z-15-sparse": _sparse(),
        "Z-16-checksum": packed(b"\xff" * 512 + tar()),
        "Z-18-layers": _stack(tar(), 12),
        "Z-19-no-tar": packed(b"not a tar at all" * 4096),
        "Z-21-trailing": packed(tar()) + b"garbage" * 100,
        "truncated": whole[:len(whole) // 2],
        "empty-gzip": packed(b""),
    }


def _zip(members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        z.writestr("good.txt", GOOD)
        for name, content in members:
            z.writestr(zipfile.ZipInfo(name), content, method)
    return bytearray(out.getvalue())


def _local_of(body, name):
    return body.index(b"PK\3\4", body.index(name) - 30)


def _central_of(body, name):
    return body.rindex(b"PK\1\2", 0, body.rindex(name))


def _changed(body, at, form, value):
    struct.pack_into(form, body, at, value)
    return body


@functools.cache
def zips():
    plain = [("evil.dat", b"evil" * 1000)]
    name = b"evil.dat"
    good = _zip(plain)
    central = _central_of(good, name)
    return {
        "Z-01-dotdot-zip": _zip([("../../evil", b"x"), ("a/../../evil",
                                                        b"x")]),
        "Z-01-absolute-zip": _zip([("/tmp/evil", b"x")]),
        "Z-05-overlap": _changed(bytearray(good), central + 42, "<I", 0),
        "Z-08-size-lie-zip": _changed(bytearray(good), central + 24, "<I",
                                      0xFFFFFFF0),
        "Z-09-mismatch": _changed(bytearray(good), _local_of(good, name) + 30,
                                  "<c", b"X"),
        "Z-10-second-end": good + good[-22:],
        "Z-11-count": _changed(bytearray(good), len(good) - 12, "<H", 65535),
        "Z-13-crc": _changed(_changed(bytearray(good), central + 16, "<I", 1),
                             _local_of(good, name) + 14, "<I", 1),
        "Z-14-encrypted": _changed(bytearray(good), central + 8, "<H", 1),
        "Z-14-method": _changed(bytearray(good), central + 10, "<H", 99),
        "truncated-zip": good[:len(good) // 2],
    }
