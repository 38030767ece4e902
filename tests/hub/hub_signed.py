# SPDX-License-Identifier: MIT
"""Signed URLs of the other hosts' storage.

The signature is good for one path and method.  It holds when the URL was
made and when it ends, so that nothing of it need be kept.
"""

import hashlib
import hmac
import struct
import time
import typing
import urllib.parse

KEY = b"the imitation storage signs with this"
PACKED = struct.Struct(">QQ")  # issued and end, nanoseconds


class Policy(typing.NamedTuple):
    issued: int
    until: int


def _digest(path, packed):
    return hmac.new(KEY, b"GET\n" + path.encode() + b"\n" + packed,
                    hashlib.sha256).digest()


def _stamp(seconds, form):
    return time.strftime(form, time.gmtime(seconds))


def _google4(issued, end):
    return {"X-Goog-Algorithm": "GOOG4-RSA-SHA256",
            "X-Goog-Credential": "imitation@kaggle-161607.iam."
            "gserviceaccount.com/%s/auto/storage/goog4_request" %
            _stamp(issued, "%Y%m%d"),
            "X-Goog-Date": _stamp(issued, "%Y%m%dT%H%M%SZ"),
            "X-Goog-Expires": max(1, end - issued),
            "X-Goog-SignedHeaders": "host"}


def _google2(issued, end):
    return {"GoogleAccessId": "web-data@kaggle-161607.iam."
            "gserviceaccount.com", "Expires": end}


def _amazon4(issued, end):
    return {"X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Date": _stamp(issued, "%Y%m%dT%H%M%SZ"),
            "X-Amz-Expires": max(1, end - issued),
            "X-Amz-SignedHeaders": "host"}


def _azure(issued, end):
    return {"sp": "r", "sv": "2018-11-09", "sr": "b", "spr": "https",
            "se": _stamp(end, "%Y-%m-%dT%H:%M:%SZ")}


# form -> (what tells the end, the name of the signature)
FORMS = {
    "goog": (_google4, "X-Goog-Signature"),
    "expires": (_google2, "Signature"),
    "amz": (_amazon4, "X-Amz-Signature"),
    "azure": (_azure, "sig"),
    "none": (lambda issued, end: {}, "Signature"),
}


def sign(moods, where, path, form, life_s):
    """@path, not encoded, with its query.  Moods can say another form."""
    expire = moods.find("expire", where) or {}
    form = (moods.find("signed_form", where) or {"form": form})["form"]
    now = time.time()
    life = life_s if expire.get("seconds") is None else expire["seconds"]
    told = life if expire.get("told", True) else life_s
    packed = PACKED.pack(time.time_ns(), int((now + life) * 1e9))
    make, name = FORMS[form]
    query = {**make(int(now), int(now + told)),
             name: (packed + _digest(path, packed)).hex()}
    return "%s?%s" % (urllib.parse.quote(path), urllib.parse.urlencode(query))


def is_signed(query):
    return any(name in query for _, name in FORMS.values())


def policy(path, query):
    """The Policy of a URL, or None where it was not signed here."""
    text = next((query[name] for _, name in FORMS.values() if name in query),
                "")
    try:
        signature = bytes.fromhex(text)
    except ValueError:
        return None
    packed, digest = signature[:PACKED.size], signature[PACKED.size:]
    if not hmac.compare_digest(digest, _digest(path, packed)):
        return None
    return Policy(*PACKED.unpack(packed))


class Uses:
    """Whether a URL has ended, by the clock, by decree, or by a mood."""

    def __init__(self):
        self._of = {}  # issued -> requests of that URL

    def is_over(self, policy_of, revoked, expire):
        count = self._of.get(policy_of.issued, 0) + 1
        self._of[policy_of.issued] = count
        if time.time_ns() >= policy_of.until or policy_of.issued <= revoked:
            return True
        return bool(expire and expire["requests"] is not None
                    and count > expire["requests"])
