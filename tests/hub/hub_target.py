# SPDX-License-Identifier: MIT
"""From the path of a request to what it means, and no further."""

import typing
import urllib.parse

KINDS = ("models", "datasets", "spaces")
API_VERBS = ("revision", "tree", "paths-info", "refs", "commits",
             "auth-check", "xet-read-token")
FILE_VERBS = ("resolve", "raw")


class Target(typing.NamedTuple):
    """@rest: decoded; a file's path, a folder, or "".  @name: as asked."""
    route: str
    bucket: str
    kind: str = None
    name: str = None
    revision: str = None
    rest: str = ""
    tail: str = ""  # what follows the name in the request, not decoded

    @property
    def api(self):
        return self.bucket == "api"

    @property
    def prefix(self):
        """What stands before the name in the request."""
        if self.api:
            return "/api/%s/" % self.kind
        return "/" if self.kind == "models" else "/%s/" % self.kind


def decoded(parts):
    return "/".join(urllib.parse.unquote(part) for part in parts)


def split_name(parts, verbs):
    """How many parts are the repository's name: two, or one old one."""
    if len(parts) > 2 and parts[2] in verbs:
        return 2
    return 1 if len(parts) < 2 or parts[1] in verbs else 2


def of_repo(kind, parts, verbs):
    """name, verb, revision, the rest, and all behind the name as it came."""
    count = split_name(parts, verbs)
    name, tail = decoded(parts[:count]), parts[count:]
    verb = tail[0] if tail else None
    revision = urllib.parse.unquote(tail[1]) if len(tail) > 1 else None
    return name, verb, revision, decoded(tail[2:]), "".join(
        "/" + part for part in tail)


def parse_api(parts):
    if parts == ["whoami-v2"]:
        return Target("whoami", "api")
    if parts[0] == "resolve-cache" and len(parts) == 6:
        name, revision = decoded(parts[2:4]), parts[4]
        return Target("resolve-cache", "resolvers", parts[1], name, revision,
                      decoded(parts[5:]))
    if parts[0] not in KINDS:
        return Target("other", "api")
    if len(parts) == 1 or parts[1:] == [""]:
        return Target("list", "api", parts[0])
    name, verb, revision, rest, tail = of_repo(parts[0], parts[1:], API_VERBS)
    if verb not in (None, *API_VERBS):
        return Target("other", "api")
    if verb in (None, "revision"):
        verb = "info"
    return Target(verb, "api", parts[0], name, revision, rest, tail)


def parse(path):
    """The Target of a request's path, which has no query."""
    parts = path.split("/")[1:]
    if parts[0] == "api" and len(parts) > 1:
        return parse_api(parts[1:])
    kind = "models"
    if parts[0] in KINDS[1:]:
        kind, parts = parts[0], parts[1:]
    if not parts:
        return Target("other", "pages")
    name, verb, revision, rest, tail = of_repo(kind, parts, FILE_VERBS)
    if verb not in FILE_VERBS or not rest:
        return Target("other", "pages")
    return Target(verb, "resolvers", kind, name, revision, rest, tail)
