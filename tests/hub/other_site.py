# SPDX-License-Identifier: MIT
"""What the tests of the other hosts publish, and how they ask for it."""

import hashlib
import urllib.parse

from hub_process import Hub
from raw_http import ask

AGENT = {"User-Agent": "omnihub-test"}
BYTES = bytes(range(256)) * 40
ZOO_PATH = "validated/vision/classification/mnist/model/mnist-12.onnx"
ODD_PATH = "Computer_Vision/a_Opset16_timm/a_Opset16.onnx"
HANDLE = "google/yamnet/tensorFlow2/classification/2"
OLD = "google/yamnet/classification/5"
FILES = {"saved_model.pb": b"pb" * 90, "variables/variables.index": b"index",
         "variables/variables.data-00000-of-00001": BYTES,
         "assets/a b+%c.txt": b"odd"}
MANY = {"f%03d.txt" % n: b"%d" % n for n in range(60)}
KERAS = "/tensorflow/keras-applications/vgg16/vgg16_weights.h5"
MAR = "/mar_files/alexnet.mar"
TOKEN, USER = "kaggle-token", "someone:key"


def digest_of(content, name="sha256"):
    return hashlib.new(name, content).hexdigest()


TORCH = "/models/resnet18-%s.pth" % digest_of(BYTES)[:8]
WRONG = "/models/resnet18-00000000.pth"
API = "/api/v1/models/"
ASSET = "/rwightman/timm/releases/download/v0.1-w/net_a-1234abcd.pth"


def fill(hub):
    hub.keras("vgg16/vgg16_weights.h5", BYTES)
    hub.keras("efficientnetb0.h5", BYTES)
    hub.torchvision("resnet18", BYTES)
    hub.torchvision("resnet18", BYTES, prefix="00000000")
    hub.torchserve("alexnet.mar", BYTES)
    hub.zoo(ZOO_PATH, BYTES, model="MNIST", opset=12,
            archive={"mnist/model.onnx": BYTES, "mnist/x.pb": b"x"})
    hub.zoo(ODD_PATH, BYTES)
    hub.kaggle(HANDLE, FILES, old=OLD)
    hub.kaggle(HANDLE[:-1] + "1", FILES, bundle=False)
    hub.kaggle("google/yamnet/tfLite/lite/1", {"1.tflite": b"tflite"},
               bundle=b"\x1f\x8bthis one")
    hub.kaggle("o/many/keras/base/1", MANY)
    hub.kaggle("google/gemma/keras/gemma_2b/1", {"config.json": b"{}"},
               gated="manual")
    hub.kaggle("o/private/other/v/1", {"f": b"1"}, private=True)
    hub.tfhub("google/nowhere/1", "google/deleted/tensorFlow1/x/1")
    hub.github("o/r", {"hubconf.py": b"x = 1\n", "sub/a.txt": b"a",
                       "sub/w.bin": BYTES}, tags=["v1", "both"])
    hub.commit("o/r", {"later.txt": b"later"}, kind="github")
    hub.commit("o/r", {"b.txt": b"b"}, branch="both", kind="github")
    hub.commit("o/r", {"s.txt": b"s"}, branch="with/slash", kind="github")
    hub.github("old/m", {"f.txt": b"f"}, branch="master")
    hub.github("o/private", {"f.txt": b"f"}, private=True)
    hub.github("huggingface/timm", {"README.md": b"# timm\n"},
               renamed_from=["rwightman/timm"])
    hub.release("huggingface/timm", "v0.1-w", {"net_a-1234abcd.pth": BYTES})
    for token in (TOKEN, USER):
        hub.token(token, grants="*")
    hub.token("stranger")


class OtherSite:
    def __init__(self, folder):
        self.hub = Hub(folder / "hub").start()
        fill(self.hub)

    def get(self, host, path, method="GET", headers=AGENT, body=None):
        return ask(self.hub.hosts[host] + path, method, headers, body)

    def host_of(self, url):
        parts = urllib.parse.urlsplit(url)
        origin = "%s://%s" % (parts.scheme, parts.netloc)
        return {own: host for host, own in self.hub.hosts.items()}[origin]

    def follow(self, host, path, headers=AGENT, method="GET"):
        """([(host, status)...], the last Reply, its URL), as a client that
        leaves its credentials behind."""
        url, hops = self.hub.hosts[host] + path, []
        while True:
            reply = ask(url, method, headers)
            hops.append((self.host_of(url), reply.status))
            if reply.status not in (301, 302) or len(hops) > 10:
                return hops, reply, url
            url = urllib.parse.urljoin(url, reply.header("Location"))
            headers = {name: value for name, value in headers.items()
                       if name != "Authorization"}
