# SPDX-License-Identifier: MIT
"""The imitation CDN: another origin, whose URLs are signed by the hub.

A URL says which file it is for; nothing of it is kept, so that it is as good
after the hub was killed and started.
"""

import base64
import hashlib
import hmac
import json
import time
import urllib.parse
import xml.sax.saxutils

import hub_files
from hub_http import Answer
from hub_moods import Where
from hub_site import Site

LIFE_S = 3600
KEY = b"the imitation hub signs with this"


def signature(policy):
    return hmac.new(KEY, policy.encode(), hashlib.sha256).hexdigest()


def lifetime(policy, form):
    """The query that tells when a URL expires, as the CDNs have it."""
    if form == "none":
        return {}
    if form == "amz":
        begun = policy["told"] - LIFE_S
        return {"X-Amz-Algorithm": "AWS4-HMAC-SHA256",
                "X-Amz-Date": time.strftime("%Y%m%dT%H%M%SZ",
                                            time.gmtime(begun)),
                "X-Amz-Expires": LIFE_S}
    return {"Expires": policy["told"]}


def signed_path(moods, where, repo, commit, file):
    """Path and query of a new URL for @file."""
    expire = moods.find("expire", where) or {}
    form = moods.find("signed_form", where) or {"form": "expires"}
    now = time.time()
    until = now + (LIFE_S if expire.get("seconds") is None
                   else expire["seconds"])
    policy = {"kind": repo.kind, "repo": repo.id, "path": where.path,
              "commit": commit.sha, "issued": time.time_ns(), "until": until,
              "told": int(until if expire.get("told", True)
                          else now + LIFE_S)}
    text = base64.urlsafe_b64encode(json.dumps(policy).encode()).decode()
    name = hashlib.sha256(repo.id.encode()).hexdigest()
    query = urllib.parse.urlencode({
        "response-content-disposition": hub_files.disposition(where.path),
        **lifetime(policy, form["form"]), "Policy": text,
        "Signature": signature(text), "Key-Pair-Id": "IMITATION"})
    return "/repos/%s/%s/%s/%s?%s" % (name[:2], name[2:4], name, file.etag,
                                      query)


class CdnSite(Site):
    origin = "cdn"
    anywhere = Where("cdn", "cdn")

    def __init__(self, world, records):
        super().__init__(world, records)
        self.uses = {}  # issued -> requests of that URL

    def locate(self, request):
        query = urllib.parse.parse_qs(request.query)
        text = query.get("Policy", [""])[0]
        told = query.get("Signature", [""])[0]
        if not text or not hmac.compare_digest(told, signature(text)):
            return self.anywhere, None
        policy = json.loads(base64.urlsafe_b64decode(text))
        return Where("cdn", "cdn", None, policy["repo"],
                     policy["path"]), policy

    def respond(self, request, where, policy):
        if policy is None:
            return denied("AccessDenied")
        if request.method not in ("GET", "HEAD"):
            return denied("MethodNotAllowed", 405)
        if self.is_expired(where, policy):
            return denied("Request has expired")
        repo = self.world.repos.find(policy["kind"], policy["repo"])
        commit = repo and repo.commits.get(policy["commit"])
        file = commit and commit.files.get(policy["path"])
        if not file:
            return denied("NoSuchKey", 404)
        if file.size > hub_files.PLAIN_GET_BYTES_MAX and \
                request.method == "GET" and not request.header("Range"):
            return denied("The object is too large", 400)
        return hub_files.file_answer(
            request, where, self.moods, file,
            [("Cache-Control", "public, max-age=31536000"),
             ("X-Cache", "Hit from imitation")])

    def is_expired(self, where, policy):
        issued = policy["issued"]
        self.uses[issued] = self.uses.get(issued, 0) + 1
        if time.time() >= policy["until"] or issued <= self.world.revoked:
            return True
        expire = self.moods.find("expire", where)
        return bool(expire and expire["requests"] is not None
                    and self.uses[issued] > expire["requests"])


def denied(why, status=403):
    text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" \
        "<Error><Code>AccessDenied</Code><Message>%s</Message></Error>\n"
    content = (text % xml.sax.saxutils.escape(why)).encode()
    return Answer.of_bytes(status, content,
                           [("Content-Type", "application/xml")])
