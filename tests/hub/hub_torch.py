# SPDX-License-Identifier: MIT
"""download.pytorch.org and torchserve.pytorch.org: objects of Amazon's
storage behind a CDN."""

from hub_host_site import ObjectSite, xml_error

# Above it an upload is in parts, and its ETag is no digest of the content.
PART_BYTES = 8 << 20


class S3Site(ObjectSite):
    media_type = "binary/octet-stream"

    def etag(self, file):
        md5 = super().etag(file)
        parts = -(-file.size // PART_BYTES)
        return md5 if parts <= 1 else "%s-%d" % (md5, parts)

    def object_headers(self, where, file):
        return [*super().object_headers(where, file), ("Server", "AmazonS3"),
                ("X-Cache", "Hit from cloudfront")]


class DownloadSite(S3Site):
    origin = "download.pytorch.org"

    def object(self, request, where, path):
        """Refuses who does not say what it is, and Python's default name."""
        agent = request.header("User-Agent") or ""
        if not agent or agent.startswith("Python-urllib"):
            return xml_error(403)
        return super().object(request, where, path)


class ServeSite(S3Site):
    origin = "torchserve.pytorch.org"
    media_type = "application/x-www-form-urlencoded"
