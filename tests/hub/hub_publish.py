# SPDX-License-Identifier: MIT
"""What class Hub has to fill the other hosts: files of a test, put where
each host would have them."""

import gzip
import hashlib
import io
import json
import pathlib
import tarfile

ZOO = "onnx/models"
ZOO_MIRROR = "onnxmodelzoo"
MANIFEST = "ONNX_HUB_MANIFEST.json"
ZOO_PLACES = ("github", "mirror", "stem")
KERAS_FOLDER = "tensorflow/keras-applications"
KERAS_OWN_BUCKET = "keras-applications"


def content_of(source):
    return bytes(source) if isinstance(source, (bytes, bytearray)) \
        else pathlib.Path(source).read_bytes()


def tar_gz(files, prefix=""):
    """The bytes of a .tar.gz of @files: path -> bytes or Path."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1, mtime=0) \
            as stream, tarfile.open(fileobj=stream, mode="w") as packed:
        for path, source in sorted(files.items()):
            content = content_of(source)
            member = tarfile.TarInfo(prefix + path)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return out.getvalue()


class Publisher:
    """Mixed into class Hub; a source is bytes or a Path."""

    def _put(self, kind, repo_id, files, **options):
        """Into the repository, which is made if there is none."""
        known = self.__dict__.setdefault("_published", set())
        if (kind, repo_id) in known:
            return self.commit(repo_id, files, kind=kind)
        known.add((kind, repo_id))
        return self.add(repo_id, files, kind=kind, **options)

    def web(self, host, path, source):
        """A file of a host that has plain files; returns its real URL."""
        self._put("web", host, {path: source}, lfs=())
        return "https://%s/%s" % (host, path)

    # ---- Keras ----

    def keras(self, path, source):
        """@path: "<family>/<file>", or "<file>" in EfficientNet's bucket."""
        folder = KERAS_FOLDER if "/" in path else KERAS_OWN_BUCKET
        return self.web("storage.googleapis.com", "%s/%s" % (folder, path),
                        source)

    # ---- PyTorch ----

    def torchvision(self, stem, source, prefix=None, folder="models"):
        """"<stem>-<sha8>.pth"; @prefix: a digest that is not the file's."""
        digest = hashlib.sha256(content_of(source)).hexdigest()
        return self.web("download.pytorch.org", "%s/%s-%s.pth" % (
            folder, stem, prefix or digest[:8]), source)

    def torchserve(self, name, source, folder="mar_files"):
        """@name: with its ".mar"."""
        return self.web("torchserve.pytorch.org", "%s/%s" % (folder, name),
                        source)

    # ---- GitHub ----

    def github(self, repo_id, source, **options):
        """A repository of github.com; as add(), whose options it takes."""
        self.__dict__.setdefault("_published", set()).add(
            ("github", repo_id))
        return self.add(repo_id, source, kind="github", **options)

    def release(self, repo_id, tag, files):
        """Assets, name -> source, of a release of a repository()."""
        self._put("release", repo_id, {"%s/%s" % (tag, name): source
                                       for name, source in files.items()},
                  lfs=())

    # ---- the ONNX zoo ----

    def zoo(self, path, source, *, model=None, opset=13, archive=None,
            places=ZOO_PLACES, **metadata):
        """A model of the zoo at @path ("validated/.../mnist-12.onnx").

        @model: its name in the manifest, or None: it is not there.
        @archive: path -> source, its .tar.gz; @places: "github" (the
        pointer, and the bytes at the media host), "mirror" (legacy_models
        of Hugging Face) and "stem" (a repository of its own there).
        """
        files = {path: source}
        if archive is not None:
            files[path.removesuffix(".onnx") + ".tar.gz"] = tar_gz(archive)
        self.zoo_files(files, places)
        if "stem" in places:
            name = path.rpartition("/")[2]
            self._put("models", "%s/%s" % (ZOO_MIRROR,
                                           name.removesuffix(".onnx")),
                      {name: source})
        if model is not None:
            self._zoo_manifest(path, files, model, opset, metadata)

    def zoo_files(self, files, places=("github", "mirror")):
        """Files of the zoo's tree: path -> source."""
        lfs = ("*.onnx", "*.pb", "*.tar.gz", "*.pkl", "*.weight", "*.zip")
        if "github" in places:
            self._put("github", ZOO, files, lfs=lfs)
        if "mirror" in places:
            self._put("models", ZOO_MIRROR + "/legacy_models", files, lfs=lfs)

    def _zoo_manifest(self, path, files, model, opset, metadata):
        entries = self.__dict__.setdefault("_manifest", [])
        told = {"tags": [part.replace("_", " ") for part
                         in path.split("/")[1:4]]}
        for name, source in files.items():
            content = content_of(source)
            digest = hashlib.sha256(content).hexdigest()
            if name == path:
                told.update(model_sha=digest, model_bytes=len(content))
            else:
                told.update(model_with_data_path=name,
                            model_with_data_sha=digest,
                            model_with_data_bytes=len(content))
        entries.append({"model": model, "model_path": path,
                        "onnx_version": "1.9", "opset_version": opset,
                        "metadata": {**told, **metadata}})
        self._put("github", ZOO, {MANIFEST: json.dumps(entries,
                                                       indent=4).encode()})

    # ---- Kaggle and TensorFlow Hub ----

    def kaggle(self, handle, files, *, bundle=True, old=None, **about):
        """A version of a model on Kaggle.

        @handle: "<owner>/<model>/<framework>/<variation>/<version>";
        @files: path -> source, or a folder; @bundle: False: it has none;
        bytes or a Path: that one; @old: its handle on tfhub.dev.
        @about: gated, private, info (more fields of the instance).
        """
        if not isinstance(files, dict):
            files = {local.relative_to(files).as_posix(): local for local
                     in sorted(pathlib.Path(files).rglob("*"))
                     if local.is_file()}
        self.add(handle, files, kind="kaggle", lfs=(), **about)
        if bundle is True:
            bundle = tar_gz(files, "./" if old else "")
        if bundle:
            self.add(handle, {"archive.tar.gz": bundle},
                     kind="kaggle-bundle", lfs=())
        if old:
            self.tfhub(old, handle)

    def tfhub(self, old, handle):
        """An address of old, "<publisher>/<path>/<version>", has moved."""
        self.add(old, {}, kind="tfhub", to=handle)
