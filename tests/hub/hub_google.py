# SPDX-License-Identifier: MIT
"""storage.googleapis.com: public objects, and Kaggle's by signed URLs."""

import base64
import os
import threading
import zipfile
import zlib

import hub_signed
from hub_host_site import ObjectSite, decoded_path, query_of, xml_error
from hub_moods import Where

BUNDLE = "archive.tar.gz"
BUNDLES = "kaggle-models-data"
FILES = "kagglesdsdata/models"
LIFE_S = 259200  # three days
CRC32C_BYTES_MAX = 4 << 20  # beyond, computing it would take seconds


def instance_number(repo):
    """Of a variation; its versions share it."""
    return zlib.crc32(repo.id.rpartition("/")[0].encode()) % 10 ** 6


def version_number(repo):
    return 1000 + repo.number


def signed_bundle(world, where, repo):
    path = "/%s/%d/%d/bundle/%s" % (BUNDLES, instance_number(repo),
                                    version_number(repo), BUNDLE)
    return signed(world, where._replace(path=BUNDLE), path)


def signed_file(world, where, repo, name):
    path = "/%s/%d/%d/%s" % (FILES, instance_number(repo),
                             version_number(repo), name)
    return signed(world, where, path)


def signed(world, where, path):
    return world.urls["storage.googleapis.com"] + hub_signed.sign(
        world.moods, where, path, "goog", LIFE_S)


def zipped(folder, file, name):
    """@file as the only member of a ZIP, made once."""
    digest = zlib.crc32(name.encode())
    local = os.path.join(folder, "%s.%08x.zip" % (file.oid, digest))
    if not os.path.exists(local):
        new = "%s.%d" % (local, threading.get_ident())
        with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.write(file.local, name.rpartition("/")[2])
        os.replace(new, local)
    return file._replace(local=local, size=os.path.getsize(local))


class GoogleSite(ObjectSite):
    origin = "storage.googleapis.com"
    missing = 404

    def __init__(self, world, records):
        super().__init__(world, records)
        self.routes["signed"] = self.signed
        self.uses = hub_signed.Uses()

    def locate(self, request):
        path = decoded_path(request)
        if not path.startswith((BUNDLES + "/", FILES + "/")):
            return super().locate(request)
        repo, name = self.kaggle_file(path)
        return Where(self.origin, "signed", "bytes", repo and repo.id,
                     name), (repo, name, path)

    def methods_of(self, route):
        """Of a signed URL, it is for the handler to say."""
        return ("GET", "HEAD", "PUT", "POST", "DELETE") \
            if route == "signed" else self.methods

    def kaggle_file(self, path):
        """The version that @path is of, and the file's name there."""
        head = FILES if path.startswith(FILES) else BUNDLES
        _, version, name = (path[len(head) + 1:].split("/", 2) + ["", ""])[:3]
        name = name if head == FILES else name.removeprefix("bundle/")
        for repo in self.world.repos.all("kaggle"):
            if str(version_number(repo)) == version:
                return repo, name
        return None, name

    # ---- signed ----

    def signed(self, request, where, target):
        repo, name, path = target
        policy = hub_signed.policy("/" + path, query_of(request))
        if not policy or request.method != "GET":
            return xml_error(403, "SignatureDoesNotMatch",
                             "The signature does not match.")
        if request.header("Authorization"):
            return xml_error(403, None, "Only one kind of authentication.")
        if self.uses.is_over(policy, self.world.revoked,
                             self.moods.find("expire", where)):
            return xml_error(403, "ExpiredToken", "The URL has expired.")
        file = repo and self.file_of(repo, name, path)
        if not file:
            return xml_error(404)
        return self.object_answer(request, where, file)

    def file_of(self, repo, name, path):
        if path.startswith(BUNDLES):
            bundle = self.world.repos.find("kaggle-bundle", repo.id)
            return bundle and bundle.head.files.get(name)
        files = repo.head.files
        if name not in files and name.removesuffix(".zip") in files:
            name = name.removesuffix(".zip")
            return zipped(self.world.folder, files[name], name)
        return files.get(name)

    # ---- objects ----

    def object_headers(self, where, file):
        return [*super().object_headers(where, file),
                *self.hash_headers(where, file),
                ("x-goog-stored-content-length", file.size),
                ("x-goog-stored-content-encoding", "identity"),
                ("x-goog-generation", "1767225600000000"),
                ("Server", "UploadServer")]

    def hash_headers(self, where, file):
        mood = self.moods.take("goog_hash", where) or {"form": "lines"}
        form = mood["form"]
        if form == "none":
            return []
        md5 = bytes.fromhex(self.world.digests.md5(file.local))
        if form == "wrong":
            md5 = bytes(byte ^ 0xFF for byte in md5)
        told = ["md5=" + base64.b64encode(md5).decode()]
        if file.size <= CRC32C_BYTES_MAX:
            told.insert(0, "crc32c=" + self.world.digests.crc32c(file.local))
        if form == "no_md5":
            told = told[:-1]
        if form == "joined":
            told = [",".join(told)]
        return [("x-goog-hash", text) for text in told]

    def mood_redirect(self, request, where):
        if self.moods.take("bad_signature", where):
            return xml_error(403, "SignatureDoesNotMatch",
                             "The signature does not match.")
        return super().mood_redirect(request, where)
