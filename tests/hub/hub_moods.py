# SPDX-License-Identifier: MIT
"""The imitation hub's moods: how it misbehaves on request.

A mood's value is True, a number or a word, short for the option that its
row names, or a dict of options.  README.md says what each does.
"""

import threading
import typing

from hub_errors import ERRORS
from hub_evil import EVIL
from hub_hosts import HOSTS

# Options that every mood knows: how many requests it hits, which origin
# (a host, "any", or what hub_hosts.py says of hosts: "hub" or "cdn"), and
# which route or bucket of routes.
COMMON = ("times", "origin", "on")

ROUTES = ("info", "tree", "paths-info", "refs", "commits", "auth-check",
          "list", "whoami", "xet-read-token", "raw", "resolve",
          "resolve-cache", "cdn", "other",
          # of the other hosts
          "download", "page", "handle", "zipball", "archive", "release",
          "lfs-batch", "branches", "tags", "media", "codeload", "asset",
          "object", "signed")
BUCKETS = ("api", "resolvers", "pages", "bytes")


class Kind(typing.NamedTuple):
    """A mood: what a number and a word are short for, and its options.

    @words: those that are known; empty where any may be.
    """
    number: str
    word: str
    words: tuple
    options: dict


def kind(number="times", word=None, words=(), **options):
    return Kind(number, word, words, options)


MOODS = {
    # Bytes of files.
    "cdn_ignores_range": kind(origin="cdn"),
    "cdn_wrong_range": kind(
        word="form", words=("start", "total", "shifted", "missing"),
        form="start", origin="cdn"),
    "cdn_short": kind("after", after=0, origin="cdn"),
    "cdn_corrupt": kind(at=None, origin="cdn"),
    "cdn_gzip": kind(word="when", words=("always", "asked"), when="always",
                     origin="cdn"),
    "etag_changes": kind(origin="cdn"),
    "no_length": kind(origin="cdn"),
    "lfs_pointer": kind(),
    "auto_zip": kind(),
    "goog_hash": kind(word="form", words=("joined", "no_md5", "none",
                                          "wrong"), form="joined"),
    # Signed URLs.
    "expire": kind(word="when", words=("now",), when=None, seconds=None,
                   requests=None, told=True),
    "signed_form": kind(word="form", words=("expires", "amz", "goog", "azure",
                                            "none"), form="expires"),
    "bad_signature": kind(),
    # Time.
    "stall": kind("seconds", seconds=3600, after=None),
    "delay_ms": kind("ms", ms=0),
    "bytes_per_second": kind("rate", rate=0),
    "drop_connection": kind(word="how", words=("reset", "close"), how="reset",
                            after=None),
    # Refusals.
    "rate_limit": kind(reset=1, origin="hub"),
    "retry_after": kind(seconds=1, origin="hub"),
    "burst": kind(statuses=[503, 500, 502, 504]),
    "status": kind("status", status=500, error_code=None, error_message=None,
                   origin="hub"),
    "error": kind(word="name", words=tuple(ERRORS), name=None, origin="hub"),
    "html": kind(word="media_type", media_type="text/html; charset=utf-8",
                 origin="hub"),
    "lfs_budget": kind(),
    # Redirects.
    "redirect_loop": kind(origin="hub", on="resolve"),
    "cross_scheme": kind(word="scheme", scheme="file", origin="hub",
                         on="resolve"),
    # Listings.
    "tree_page": kind("entries", entries=1000),
    "next_link_elsewhere": kind(),
    "next_link_loop": kind(),
    "evil_entries": kind(word="only", words=(*EVIL, "duplicate"), only=None,
                         entries=None),
    "moved_between_pages": kind(word="commit", commit=None),
    "truncated": kind("entries", entries=1),
}


def options_of(name, value):
    """@value of mood @name as its options, or None where it is off."""
    if name not in MOODS:
        raise ValueError("no such mood: " + name)
    known = MOODS[name]
    if value is None or value is False:
        return None
    if value is True:
        given = {}
    elif isinstance(value, (int, float)):
        given = {known.number: value}
    elif isinstance(value, dict):
        given = value
    elif known.word:
        given = {known.word: value}
    else:
        raise ValueError("%s: not a mood's value: %r" % (name, value))
    for option in given:
        if option not in known.options and option not in COMMON:
            raise ValueError("%s has no option %s" % (name, option))
    return check(known, {"times": None, "origin": "any", "on": None,
                         **known.options, **given})


def check(known, options):
    word = known.word and options[known.word]
    if word is not None and known.words and word not in known.words:
        raise ValueError("no such %s: %r" % (known.word, word))
    if options["origin"] not in ("hub", "cdn", "any", *HOSTS):
        raise ValueError("no such origin: %r" % options["origin"])
    if options["on"] not in (None, *ROUTES, *BUCKETS):
        raise ValueError("no such route: %r" % options["on"])
    return options


def folded(moods):
    """@moods with error_code and error_message put into their status."""
    moods = dict(moods)
    extra = {key: moods.pop(key) for key in ("error_code", "error_message")
             if key in moods}
    if extra:
        status = moods.get("status")
        if status is None:
            raise ValueError("error_code and error_message need a status")
        if not isinstance(status, dict):
            status = {"status": status}
        moods["status"] = {**status, **extra}
    return moods


class Where(typing.NamedTuple):
    """What a request is about."""
    origin: str
    route: str
    bucket: str = None
    repo: str = None
    path: str = None

    def scopes(self):
        """The nearest first: a file's moods, its repository's, all's."""
        if self.path:
            yield (self.repo, self.path)
        if self.repo:
            yield (self.repo, "")
        yield ("", "")


class Moods:
    """Those in force.  Safe from any thread."""

    def __init__(self):
        self._lock = threading.Lock()
        self._of = {}
        self.generation = 0  # changes when waits in progress must end
        self.told = lambda scope, name, times: None  # of each use

    def set(self, repo, path, moods):
        """@moods: name -> options, or None, which ends one."""
        with self._lock:
            scope = (repo or "", path or "")
            here = self._of.setdefault(scope, {})
            for name, options in moods.items():
                here.pop(name, None)
                if options is not None:
                    here[name] = {**options, "scope": scope}
            if moods.get("stall", self) is None:
                self.generation += 1

    def any(self):
        return bool(self._of)

    def calm(self):
        with self._lock:
            self._of.clear()
            self.generation += 1

    def find(self, name, where):
        """The options of mood @name at @where, or None; costs nothing."""
        if not self._of:
            return None
        with self._lock:
            return self._find_locked(name, where)

    def take(self, name, where):
        """As find(), and one of its times is used up; "turn" counts them."""
        if not self._of:
            return None
        with self._lock:
            options = self._find_locked(name, where)
            if options is None:
                return None
            options["turn"] = options.get("turn", -1) + 1
            if options["times"] is not None:
                options["times"] -= 1
            taken = dict(options)
        if taken["times"] is not None:
            self.told(taken["scope"], name, taken["times"])
        return taken

    def set_left(self, scope, name, times):
        """At most @times are left of a mood."""
        with self._lock:
            options = self._of.get(tuple(scope), {}).get(name)
            if options:
                options["times"] = min(options["times"], times)

    def _find_locked(self, name, where):
        for scope in where.scopes():
            options = self._of.get(scope, {}).get(name)
            if options is None or options["times"] == 0:
                continue
            if options["origin"] not in ("any", where.origin,
                                         HOSTS.get(where.origin)):
                continue
            if options["on"] in (None, where.route, where.bucket):
                return options
        return None
