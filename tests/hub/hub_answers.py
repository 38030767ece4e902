# SPDX-License-Identifier: MIT
"""The hub's own origin: who may see what, resolve, and the routes."""

import gzip
import urllib.parse

import hub_api
import hub_errors
import hub_files
import hub_target
from hub_cdn import signed_path
from hub_http import Answer
from hub_moods import Where
from hub_quota import Quota
from hub_site import Site

EXPOSED = ("X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,"
           "X-Total-Count,ETag,Link,Accept-Ranges,Content-Range,"
           "X-Linked-Size,X-Linked-ETag,X-Xet-Hash")
GZIP_BYTES_MIN = 1024


def quoted(text):
    return urllib.parse.quote(text, safe="")


def token_of(request):
    """The bearer's token, or None."""
    scheme, _, value = (request.header("Authorization") or "").partition(" ")
    return value if scheme.lower() == "bearer" and value else None


def redirect(status, location, headers=()):
    """Its Content-Length is that of a text, not of a file."""
    word = "Found" if status == 302 else "Temporary Redirect"
    text = "%s. Redirecting to %s" % (word, location)
    return Answer.of_bytes(status, text.encode(), [
        ("Location", location), ("Vary", "Accept"),
        ("Content-Type", "text/plain; charset=utf-8"), *headers])


class HubSite(Site):
    origin = "hub"
    anywhere = Where("hub", "other")

    def __init__(self, world, records):
        super().__init__(world, records)
        self.quota = Quota()
        self.json_routes = {
            "info": hub_api.info, "tree": hub_api.tree,
            "paths-info": hub_api.paths_info, "refs": hub_api.refs,
            "commits": hub_api.commits, "auth-check": self.auth_check,
            "xet-read-token": hub_api.xet_read_token,
        }
        self.file_routes = {
            "resolve": self.resolve, "resolve-cache": self.resolve_cache,
            "raw": self.raw,
        }

    def locate(self, request):
        target = hub_target.parse(request.path)
        name = target.name
        repo = name and self.world.repos.find(target.kind, name)
        path = target.rest if target.bucket == "resolvers" else ""
        return Where("hub", target.route, target.bucket,
                     repo.id if repo else name, path), target

    def respond(self, request, where, target):
        token = token_of(request)
        if token is not None and token not in self.world.repos.tokens:
            hub_errors.refuse(target.api, "bad_token")
        methods = ("POST",) if target.route == "paths-info" \
            else ("GET", "HEAD")
        if request.method not in methods:
            hub_errors.refuse(target.api, "method")
        if target.name is None:
            return self.without_repo(request, target, token)
        repo = self.visible(target, token)
        if repo.id != target.name and target.route != "resolve-cache":
            return redirect(307, self.true_path(repo, target, request))
        if repo.disabled:
            hub_errors.refuse(target.api, "disabled")
        revision = target.revision or "HEAD"
        commit = repo.find(revision)
        if not commit:
            hub_errors.refuse(target.api, "revision", revision)
        if target.route in self.file_routes:
            self.demand_grant(repo, token, target)
            return self.file_routes[target.route](request, where, target,
                                                  repo, commit)
        if where.route == "auth-check":
            self.demand_grant(repo, token, target)
        call = hub_api.Call(self.world, self.moods, request, where, target,
                            repo, commit)
        return self.json_routes[target.route](call)

    def without_repo(self, request, target, token):
        if target.route == "whoami":
            if token is None:
                hub_errors.refuse(True, "anonymous")
            return hub_api.whoami(token)
        if target.route == "list":
            return hub_api.list_repos(self.world, self.moods, request,
                                      target, token)
        return hub_errors.refuse(target.api, "route")

    def visible(self, target, token):
        """The repository, if who asks may know of it."""
        repo = self.world.repos.find(target.kind, target.name)
        if repo and (not repo.private or
                     self.world.repos.may(token, repo.id)):
            return repo
        return hub_errors.refuse(target.api,
                                 "anonymous" if token is None else "repo")

    @staticmethod
    def true_path(repo, target, request):
        query = "?" + request.query if request.query else ""
        return target.prefix + repo.id + target.tail + query

    def demand_grant(self, repo, token, target):
        if not repo.gated or self.world.repos.may(token, repo.id):
            return
        hub_errors.refuse(target.api, "gated_anonymous" if token is None
                          else "gated", repo.id)

    @staticmethod
    def auth_check(call):
        return Answer.of_bytes(200, b"OK")

    # ---- files ----

    @staticmethod
    def file_of(commit, path):
        file = commit.files.get(path)
        if not file:
            hub_errors.refuse(False, "entry",
                              headers=[("X-Repo-Commit", commit.sha)])
        return file

    def resolve(self, request, where, target, repo, commit):
        file = self.file_of(commit, target.rest)
        shape = {"A": self.resolve_to_cache, "B": self.resolve_to_cdn,
                 "C": self.direct}[file.shape]
        if request.header("If-None-Match") == '"%s"' % file.etag:
            shape = self.direct
        return shape(request, where, repo, commit, file)

    def direct(self, request, where, repo, commit, file):
        return hub_files.file_answer(request, where, self.moods, file,
                                     [("X-Repo-Commit", commit.sha)])

    def resolve_to_cache(self, request, where, repo, commit, file):
        location = "/api/resolve-cache/%s/%s/%s/%s?%s=&etag=%s" % (
            repo.kind, repo.id, commit.sha, quoted(where.path),
            quoted(request.path), quoted('"%s"' % file.etag))
        return redirect(307, location, [("X-Repo-Commit", commit.sha)])

    def resolve_to_cdn(self, request, where, repo, commit, file):
        location = self.world.cdn_url + signed_path(
            self.moods, where, repo, commit, file)
        etag = '"%s"' % file.etag
        return redirect(302, location, [
            ("X-Repo-Commit", commit.sha), ("Accept-Ranges", "bytes"),
            ("X-Linked-ETag", etag), ("X-Linked-Size", file.size),
            ("ETag", etag)])

    def resolve_cache(self, request, where, target, repo, commit):
        return self.direct(request, where, repo, commit,
                           self.file_of(commit, target.rest))

    def raw(self, request, where, target, repo, commit):
        file = self.file_of(commit, target.rest)
        if not file.sha256:
            return self.direct(request, where, repo, commit, file)
        return Answer.of_bytes(200, file.pointer, [
            ("X-Repo-Commit", commit.sha),
            ("Content-Type", "text/plain; charset=utf-8")])

    # ---- what every answer has, and moods of the hub ----

    def answer(self, request):
        answer = super().answer(request)
        if answer.status:
            present = {name for name, _ in answer.headers}
            answer.headers += [header for header in self.always(request)
                               if header[0] not in present]
            compress(request, answer)
        return answer

    def always(self, request):
        bucket = hub_target.parse(request.path).bucket
        trace = request.header("X-Amzn-Trace-Id")
        return [*self.quota.headers(bucket, token_of(request)),
                ("X-Request-Id", trace or "Root=1-%x" % id(request)),
                ("X-Powered-By", "huggingface-moon"),
                ("Access-Control-Expose-Headers", EXPOSED)]

    def extra_headers(self, where, target):
        repo = target.name and self.world.repos.find(target.kind, target.name)
        commit = repo and repo.find(target.revision or "HEAD")
        return [("X-Repo-Commit", commit.sha)] if commit else []

    def mood_redirect(self, request, where):
        if self.moods.take("redirect_loop", where):
            return redirect(307, request.record.path)
        cross = self.moods.take("cross_scheme", where)
        if not cross:
            return None
        place = "" if cross["scheme"] == "file" else \
            self.world.cdn_url.split("://")[1]
        return redirect(302, "%s://%s%s" % (cross["scheme"], place,
                                            request.path))


def compress(request, answer):
    """JSON goes packed to those who take it so."""
    if ("Content-Type", hub_api.JSON_TYPE) not in answer.headers or \
            answer.length < GZIP_BYTES_MIN or not request.accepts_gzip():
        return
    packed = gzip.compress(answer.steps[0][1], 1)
    answer.steps, answer.length = [("bytes", packed)], len(packed)
    answer.headers.append(("Content-Encoding", "gzip"))
