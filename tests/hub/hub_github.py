# SPDX-License-Identifier: MIT
"""github.com: what its pages and downloads lead to, and LFS's batches."""

import json

import hub_github_bytes as places
from hub_host_site import (HostSite, credential, decoded_path, json_answer,
                           moved, page, quoted)
from hub_moods import Where

LFS_TYPE = "application/vnd.git-lfs+json"
BUDGET = "This repository exceeded its LFS budget. The account responsible " \
    "for the budget should increase it to restore access."


def ref_names(repo, ref):
    """The full names that @ref may mean."""
    return [name + ref for name in ("refs/heads/", "refs/tags/")
            if name + ref in repo.refs]


def split_ref(repo, parts):
    """(ref, the rest) where a ref may hold slashes; ("", ...): none does."""
    for count in range(1, len(parts) + 1):
        ref = "/".join(parts[:count])
        if repo.find(ref):
            return ref, "/".join(parts[count:])
    return "", "/".join(parts[1:])


class GithubSite(HostSite):
    origin = "github.com"

    def __init__(self, world, records):
        super().__init__(world, records)
        self.routes = {"page": self.page, "tree": self.page,
                       "raw": self.raw, "zipball": self.zipball,
                       "archive": self.archive, "release": self.release,
                       "lfs-batch": self.batch}

    def methods_of(self, route):
        return ("POST",) if route == "lfs-batch" else self.methods

    def refuse_as(self, status, code=None, message=None, headers=()):
        answer = page(status, message or "GitHub")
        answer.headers += headers
        return answer

    def locate(self, request):
        parts = decoded_path(request).rstrip("/").split("/")
        name, rest = "/".join(parts[:2]), parts[2:]
        if rest == ["info", "lfs", "objects", "batch"]:
            name, route = name.removesuffix(".git"), "lfs-batch"
        elif rest[:2] == ["releases", "download"] and len(rest) > 3:
            route = "release"
        elif rest and rest[0] in ("tree", "raw", "zipball", "archive"):
            route = rest[0]
        else:
            route = "page" if len(parts) == 2 else "other"
        repo = self.world.repos.find("github", name)
        path = ""
        if route == "release":
            path = "/".join(rest[2:])
        elif route == "raw" and repo:
            path = split_ref(repo, rest[1:])[1]
        return Where(self.origin, route, "pages", repo.id if repo else name,
                     path), (name, repo, rest)

    def respond(self, request, where, target):
        name, repo, rest = target
        if not repo or repo.private and not self.world.repos.may(
                credential(request), repo.id):
            return self.refuse_as(404, None, "Not Found")
        if repo.id.lower() != name.lower():
            return moved(301, "%s/%s/%s" % (self.url(self.origin), repo.id,
                                            quoted("/".join(rest))))
        return super().respond(request, where, (repo, rest))

    def page(self, request, where, target):
        repo, rest = target
        if rest and not split_ref(repo, rest[1:])[0]:
            return self.refuse_as(404, None, "Not Found")
        return page(200, repo.id)

    def raw(self, request, where, target):
        repo, rest = target
        ref, path = split_ref(repo, rest[1:])
        file = ref and repo.find(ref).files.get(path)
        if not file:
            return self.refuse_as(404, None, "Not Found")
        host = places.RAW + "/" if not file.sha256 \
            else places.MEDIA + "/media/"
        host, _, folder = host.partition("/")
        return moved(302, "%s/%s%s/%s/%s" % (
            self.url(host), folder, repo.id, quoted(ref), quoted(path)))

    def zipball(self, request, where, target):
        """300 where a name is both a branch's and a tag's."""
        repo, rest = target
        ref = "/".join(rest[1:]) or repo.branch
        if len(ref_names(repo, ref)) > 1:
            return self.refuse_as(300, None, "Multiple Choices")
        if not repo.find(ref):
            return self.refuse_as(404, None, "Not Found")
        return moved(302, "%s/%s/legacy.zip/%s" % (
            self.url(places.CODELOAD), repo.id, quoted(ref)))

    def archive(self, request, where, target):
        repo, rest = target
        ref = "/".join(rest[1:])
        for suffix, form in ((".zip", "zip"), (".tar.gz", "tar.gz")):
            if ref.endswith(suffix) and repo.find(ref.removesuffix(suffix)):
                return moved(302, "%s/%s/%s/%s" % (
                    self.url(places.CODELOAD), repo.id, form,
                    quoted(ref.removesuffix(suffix))))
        return self.refuse_as(404, None, "Not Found")

    def release(self, request, where, target):
        repo, rest = target
        assets = self.world.repos.find("release", repo.id)
        path = "/".join(rest[2:])
        if not assets or path not in assets.head.files:
            return self.refuse_as(404, None, "Not Found")
        return moved(302, places.signed_asset(self.world, where, assets,
                                              path))

    # ---- LFS ----

    def batch(self, request, where, target):
        repo, _ = target
        headers = [("Content-Type", LFS_TYPE)]
        if self.moods.take("lfs_budget", where):
            answer = json_answer(403, {"message": BUDGET, "request_id": "1",
                                       "documentation_url":
                                       "https://docs.github.com"})
            answer.headers = headers
            return answer
        known = {file.sha256: path for path, file
                 in repo.head.files.items() if file.sha256}
        objects = [self.object(repo, known.get(o["oid"]), o)
                   for o in json.loads(request.body)["objects"]]
        answer = json_answer(200, {"transfer": "basic", "objects": objects})
        answer.headers = headers
        return answer

    def object(self, repo, path, asked):
        told = {"oid": asked["oid"], "size": asked["size"]}
        if not path:
            return {**told, "error": {"code": 404,
                                      "message": "Object does not exist"}}
        href = "%s/media/%s/%s/%s" % (self.url(places.MEDIA), repo.id,
                                      repo.head.sha, quoted(path))
        return {**told, "authenticated": True, "actions": {"download": {
            "href": href, "header": {}, "expires_in": 3600}}}
