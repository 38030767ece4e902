# SPDX-License-Identifier: MIT
"""tfhub.dev: addresses of old, which lead to Kaggle."""

import urllib.parse

from hub_host_site import HostSite, decoded_path, moved, page, query_of
from hub_http import Answer
from hub_moods import Where


class TfhubSite(HostSite):
    origin = "tfhub.dev"

    def __init__(self, world, records):
        super().__init__(world, records)
        self.routes = {"handle": self.handle}

    def refuse_as(self, status, code=None, message=None, headers=()):
        answer = page(status, message or "TensorFlow Hub")
        answer.headers += headers
        return answer

    def locate(self, request):
        handle = decoded_path(request)
        return Where(self.origin, "handle", "pages", handle), handle

    def handle(self, request, where, handle):
        query = query_of(request)
        repo = self.world.repos.find("tfhub", handle)
        if not repo:
            return moved(302, self.url("www.kaggle.com") +
                         "/models?tfhub-redirect=true")
        if query.get("tf-hub-format") == "uncompressed":
            place = "gs://tfhub-modules/%s/uncompressed" % repo.id
            return Answer.of_bytes(303, place.encode(),
                                   [("Content-Type", "text/plain")])
        query["tfhub-redirect"] = "true"
        return moved(302, "%s/models/%s?%s" % (
            self.url("www.kaggle.com"), repo.about["to"],
            urllib.parse.urlencode(query)))
