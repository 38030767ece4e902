# SPDX-License-Identifier: MIT
"""The hosts that have GitHub's bytes: raw files, LFS's, archives made while
they are sent, and release assets by signed URLs."""

import io
import tarfile
import uuid
import zipfile

import hub_files
import hub_github
import hub_signed
from hub_host_site import (HostSite, credential, decoded_path, query_of,
                           xml_error)
from hub_http import Answer
from hub_moods import Where

RAW = "raw.githubusercontent.com"
MEDIA = "media.githubusercontent.com"
CODELOAD = "codeload.github.com"
ASSETS = "release-assets.githubusercontent.com"
TEXT = "text/plain; charset=utf-8"
ASSET_LIFE_S = 3600
ZIP_DATE = (2026, 1, 1, 0, 0, 0)


class TreeSite(HostSite):
    """/<owner>/<repository>/<ref>/<path>"""

    def refuse_as(self, status, code=None, message=None, headers=()):
        text = "%d: %s" % (status, message or "Not Found")
        return Answer.of_bytes(status, text.encode(),
                               [("Content-Type", TEXT), *headers])

    def located(self, route, parts):
        name = "/".join(parts[:2])
        repo = self.world.repos.find("github", name)
        ref, path = hub_github.split_ref(repo, parts[2:]) if repo \
            else ("", "/".join(parts[3:]))
        return Where(self.origin, route, "bytes", repo.id if repo else name,
                     path), (repo, ref, path)

    def respond(self, request, where, target):
        repo, ref, path = target
        if not repo or repo.private and not self.world.repos.may(
                credential(request), repo.id):
            return self.refuse_as(404)
        if not ref:
            return self.refuse_as(404)
        return super().respond(request, where, (repo, repo.find(ref), path))


class RawSite(TreeSite):
    origin = RAW

    def __init__(self, world, records):
        super().__init__(world, records)
        self.routes = {"raw": self.raw}

    def locate(self, request):
        return self.located("raw", decoded_path(request).split("/"))

    def raw(self, request, where, target):
        _, commit, path = target
        file = commit.files.get(path)
        if not file:
            return self.refuse_as(404)
        if file.sha256:
            return Answer.of_bytes(200, file.pointer,
                                   [("Content-Type", TEXT)])
        return hub_files.file_answer(
            request, where, self.moods, file,
            [("Cache-Control", "max-age=300")], media_type=TEXT)


class MediaSite(TreeSite):
    origin = MEDIA

    def __init__(self, world, records):
        super().__init__(world, records)
        self.routes = {"media": self.media}

    def locate(self, request):
        parts = decoded_path(request).split("/")
        if parts[0] != "media":
            return Where(self.origin, "other", "bytes"), (None, "", "")
        return self.located("media", parts[1:])

    def media(self, request, where, target):
        _, commit, path = target
        file = commit.files.get(path)
        if not file or not file.sha256:
            return self.refuse_as(404)
        if self.moods.take("lfs_pointer", where):
            return Answer.of_bytes(200, file.pointer,
                                   [("Content-Type", TEXT)])
        return hub_files.file_answer(request, where, self.moods, file, [],
                                     media_type="application/octet-stream")


# ---- archives ----

def zip_of(commit, folder):
    """LFS files are pointers there, unless a repository says otherwise."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(zipfile.ZipInfo(folder + "/", ZIP_DATE), b"")
        for path, content in contents(commit):
            packed.writestr(zipfile.ZipInfo(folder + "/" + path, ZIP_DATE),
                            content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def tar_of(commit, folder):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as packed:
        for path, content in contents(commit):
            member = tarfile.TarInfo(folder + "/" + path)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return out.getvalue()


def contents(commit):
    for path, file in sorted(commit.files.items()):
        if file.sha256:
            yield path, file.pointer
        else:
            with open(file.local, "rb") as f:
                yield path, f.read()


class CodeloadSite(TreeSite):
    """Its answers are made while they go: no length, and no ranges."""

    origin = CODELOAD

    def __init__(self, world, records):
        super().__init__(world, records)
        self.routes = {"codeload": self.codeload}

    def locate(self, request):
        parts = decoded_path(request).split("/")
        where, target = self.located("codeload", parts[:2] + parts[3:])
        return where._replace(path=None), (
            *target[:2], parts[2] if len(parts) > 2 else "")

    def codeload(self, request, where, target):
        repo, commit, form = target
        owner, name = repo.id.split("/")
        folder = "%s-%s-%s" % (owner, name, commit.sha[:7]) \
            if form == "legacy.zip" else "%s-%s" % (name, commit.sha)
        make = tar_of if form == "tar.gz" else zip_of
        answer = Answer(200, [
            ("Content-Type", "application/x-gzip" if make is tar_of
             else "application/zip"),
            ("Content-Disposition", "attachment; filename=%s.%s" % (
                folder, form.removeprefix("legacy."))),
            ("ETag", '"%s"' % commit.sha)])
        answer.steps = [("chunks", make(commit, folder))]
        answer.length = None
        return answer


# ---- release assets ----

def asset_path(repo, path):
    return "/github-production-release-asset/%d/%s" % (
        repo.number, uuid.uuid5(uuid.NAMESPACE_URL, repo.id + "/" + path))


def signed_asset(world, where, repo, path):
    return world.urls[ASSETS] + hub_signed.sign(
        world.moods, where, asset_path(repo, path), "azure", ASSET_LIFE_S)


class AssetSite(HostSite):
    origin = ASSETS

    def __init__(self, world, records):
        super().__init__(world, records)
        self.routes = {"asset": self.asset}
        self.uses = hub_signed.Uses()

    def locate(self, request):
        path = "/" + decoded_path(request)
        for repo in self.world.repos.all("release"):
            for name, file in repo.head.files.items():
                if asset_path(repo, name) == path:
                    return Where(self.origin, "asset", "bytes", repo.id,
                                 name), (path, file)
        return Where(self.origin, "other", "bytes"), (path, None)

    def asset(self, request, where, target):
        path, file = target
        policy = hub_signed.policy(path, query_of(request))
        if not policy:
            return xml_error(403, "AuthenticationFailed")
        if request.header("Authorization"):
            return xml_error(400, "InvalidAuthenticationInfo")
        if self.uses.is_over(policy, self.world.revoked,
                             self.moods.find("expire", where)):
            return xml_error(403, "AuthenticationFailed",
                             "Signature not valid in this time")
        return hub_files.file_answer(
            request, where, self.moods, file,
            [("Server", "Windows-Azure-Blob")],
            etag='"0x%s"' % file.etag[:15].upper(),
            media_type="application/octet-stream")

    def mood_redirect(self, request, where):
        if self.moods.take("bad_signature", where):
            return xml_error(403, "AuthenticationFailed")
        return super().mood_redirect(request, where)
