# SPDX-License-Identifier: MIT
"""api.github.com: repositories, branches, tags, commits and trees."""

import time

from hub_github import split_ref
from hub_host_site import (HostSite, credential, decoded_path, json_answer,
                           query_of)
from hub_moods import Where
from hub_repos import date_text

DOCS = "https://docs.github.com/rest"
HOURLY = 60  # without a token
AGENT = "Request forbidden by administrative rules. Please make sure your " \
    "request has a User-Agent header"


class ApiSite(HostSite):
    origin = "api.github.com"

    def __init__(self, world, records):
        super().__init__(world, records)
        self.used = 0
        self.routes = {"info": self.info, "branches": self.branches,
                       "tags": self.tags, "commits": self.commit,
                       "tree": self.tree}

    def refuse_as(self, status, code=None, message=None, headers=()):
        known = {404: "Not Found", 429: "API rate limit exceeded"}
        return json_answer(status, {
            "message": message or known.get(status, "GitHub is not well"),
            "documentation_url": DOCS, "status": str(status)}, headers)

    def rate_limited(self, mood, where, headers):
        """403, and nothing remains until the reset."""
        return self.refuse_as(403, None, "API rate limit exceeded", [
            ("X-RateLimit-Limit", HOURLY), ("X-RateLimit-Remaining", 0),
            ("X-RateLimit-Reset", int(time.time()) + mood["reset"])])

    def locate(self, request):
        parts = decoded_path(request).split("/")
        name, rest = "/".join(parts[1:3]), parts[3:]
        if parts[0] != "repos" or len(parts) < 3:
            route = "other"
        elif rest[:2] == ["git", "trees"]:
            route, rest = "tree", rest[2:]
        elif rest:
            route, rest = rest[0], rest[1:]
        else:
            route = "info"
        repo = self.world.repos.find("github", name)
        return Where(self.origin, route, "api",
                     repo.id if repo else name), (name, repo, rest)

    def respond(self, request, where, target):
        name, repo, rest = target
        self.used += 1
        who = credential(request)
        if not request.header("User-Agent"):
            return self.refuse_as(403, None, AGENT)
        if who is not None and who not in self.world.repos.tokens:
            return self.refuse_as(401, None, "Bad credentials")
        if not repo or repo.private and not self.world.repos.may(who,
                                                                 repo.id):
            return self.refuse_as(404)
        if repo.id.lower() != name.lower():
            location = request.record.path.replace(name, repo.id, 1)
            return json_answer(301, {
                "message": "Moved Permanently", "documentation_url": DOCS,
                "url": self.url(self.origin) + location},
                [("Location", self.url(self.origin) + location)])
        return super().respond(request, where, (repo, rest))

    def answer(self, request):
        answer = super().answer(request)
        if answer.status and "X-RateLimit-Limit" not in dict(answer.headers):
            answer.headers += [
                ("X-RateLimit-Limit", HOURLY),
                ("X-RateLimit-Remaining", max(0, HOURLY - self.used)),
                ("X-RateLimit-Reset", int(time.time()) + 3600),
                ("X-GitHub-Media-Type", "github.v3; format=json")]
        return answer

    def info(self, request, where, target):
        repo, _ = target
        owner, name = repo.id.split("/")
        return json_answer(200, {
            "id": repo.number, "name": name, "full_name": repo.id,
            "owner": {"login": owner}, "private": repo.private,
            "default_branch": repo.branch,
            "html_url": "https://github.com/" + repo.id})

    def branches(self, request, where, target):
        return self.named(request, target[0], "refs/heads/")

    def tags(self, request, where, target):
        return self.named(request, target[0], "refs/tags/")

    @staticmethod
    def named(request, repo, prefix):
        query = query_of(request)
        size = int(query.get("per_page", 30))
        start = (int(query.get("page", 1)) - 1) * size
        refs = sorted((ref.removeprefix(prefix), sha) for ref, sha
                      in repo.refs.items() if ref.startswith(prefix))
        return json_answer(200, [
            {"name": name, "commit": {"sha": sha}}
            for name, sha in refs[start:start + size]])

    def commit(self, request, where, target):
        repo, rest = target
        ref, more = split_ref(repo, rest) if rest else (repo.branch, "")
        if not ref or more:
            return self.refuse_as(422, None, "No commit found for SHA: " +
                                  "/".join(rest))
        commit = repo.find(ref)
        told = {"sha": commit.sha, "commit": {
            "message": commit.title, "tree": {"sha": commit.tree_oid},
            "committer": {"name": "GitHub", "email": "noreply@github.com",
                          "date": date_text(commit.stamp).replace(".000", "")}},
            "parents": [{"sha": commit.parent}] if commit.parent else []}
        return json_answer(200, told if rest else [told],
                           [("ETag", '"%s"' % commit.sha)])

    def tree(self, request, where, target):
        """The whole of a commit's, or its root."""
        repo, rest = target
        commit = repo.find("/".join(rest))
        if not commit:
            return self.refuse_as(404)
        recursive = "recursive" in query_of(request)
        entries = [self.entry(repo, entry) for path, (entry, _)
                   in commit.entries.items() if recursive or "/" not in path]
        truncated = self.moods.take("truncated", where)
        if truncated:
            entries = entries[:truncated["entries"]]
        return json_answer(200, {
            "sha": commit.sha, "tree": entries, "truncated": bool(truncated),
            "url": "https://api.github.com/repos/%s/git/trees/%s" % (
                repo.id, commit.sha)}, [("ETag", '"%s"' % commit.sha)])

    @staticmethod
    def entry(repo, entry):
        """Of an LFS file, the size is its pointer's."""
        is_file = entry["type"] == "file"
        kind = "blob" if is_file else "tree"
        told = {"path": entry["path"], "mode": "100644" if is_file
                else "040000", "type": kind, "sha": entry["oid"],
                "url": "https://api.github.com/repos/%s/git/%ss/%s" % (
                    repo.id, kind, entry["oid"])}
        if is_file:
            told["size"] = entry.get("lfs", {}).get("pointerSize",
                                                    entry["size"])
        return told
