# SPDX-License-Identifier: MIT
"""What the origins of the other hosts share: routes, refusals, objects."""

import email.utils
import json
import urllib.parse
import xml.sax.saxutils

import hub_files
from hub_errors import ERRORS, Refused
from hub_http import Answer
from hub_moods import Where
from hub_repos import FIRST_DAY
from hub_site import Site

LAST_MODIFIED = email.utils.format_datetime(FIRST_DAY, usegmt=True)
HTML = "text/html; charset=utf-8"
JSON = "application/json; charset=utf-8"
PAGE = b"<!DOCTYPE html>\n<html><head><title>%s</title></head></html>\n"

# What the storage of Google and of Amazon calls a status.
XML_CODES = {
    400: ("InvalidArgument", "Invalid argument."),
    403: ("AccessDenied", "Access denied."),
    404: ("NoSuchKey", "The specified key does not exist."),
    405: ("MethodNotAllowed", "The method is not allowed."),
    429: ("TooManyRequests", "Please reduce your request rate."),
    503: ("ServiceUnavailable", "Please try again."),
}


def json_answer(status, value, headers=()):
    return Answer.of_bytes(status, json.dumps(value).encode(),
                           [("Content-Type", JSON), *headers])


def page(status, title):
    return Answer.of_bytes(status, PAGE % title.encode(),
                           [("Content-Type", HTML)])


def xml_error(status, code=None, message=None, headers=()):
    known = XML_CODES.get(status, ("InternalError", "An internal error."))
    text = "<?xml version='1.0' encoding='UTF-8'?><Error><Code>%s</Code>" \
        "<Message>%s</Message></Error>" % (
            code or known[0], xml.sax.saxutils.escape(message or known[1]))
    return Answer.of_bytes(status, text.encode(), [
        ("Content-Type", "application/xml; charset=UTF-8"), *headers])


def moved(status, location):
    return Answer.of_bytes(status, b"", [("Location", location),
                                         ("Content-Type", HTML)])


def decoded_path(request):
    return urllib.parse.unquote(request.path).lstrip("/")


def query_of(request):
    return dict(urllib.parse.parse_qsl(request.query, keep_blank_values=True))


def quoted(path):
    return urllib.parse.quote(path, safe="/")


def credential(request):
    """The token, or "user:key", that comes with @request; or None."""
    scheme, _, value = (request.header("Authorization") or "").partition(" ")
    if scheme.lower() == "basic":
        return hub_files.base64_text(value)
    return value or None


class HostSite(Site):
    """Subclasses have .origin, .routes: route -> handler(request, where,
    target), and locate().  Refusals have the form of .refuse_as()."""

    origin = None
    methods = ("GET", "HEAD")
    routes = {}

    @property
    def anywhere(self):
        return Where(self.origin, "other")

    def url(self, host):
        return self.world.urls[host]

    def respond(self, request, where, target):
        handler = self.routes.get(where.route)
        if request.method not in self.methods_of(where.route):
            return self.refuse_as(405)
        if handler is None:
            return self.refuse_as(404)
        return handler(request, where, target)

    def methods_of(self, route):
        return self.methods

    def refuse_as(self, status, code=None, message=None, headers=()):
        return xml_error(status, code, message, headers)

    def refuse(self, status, message=None, code=None):
        raise Refused(self.refuse_as(status, code, message))

    # ---- moods ----

    def refusal(self, where, status, code, message, headers):
        return self.refuse_as(status, code, message or None, headers)

    def message_of(self, status, code, what):
        return None

    def error(self, where, name):
        """Codes and messages are the host's own."""
        return ERRORS[name][0], None, ""

    def mood_redirect(self, request, where):
        html = self.moods.take("html", where)
        if html:
            answer = page(200, "Welcome")
            answer.headers = [("Content-Type", html["media_type"])]
            return answer
        if self.moods.take("redirect_loop", where):
            return moved(302, request.record.path)
        return None


class ObjectSite(HostSite):
    """A host of plain files; the repository of kind "web" is named after it."""

    media_type = "application/octet-stream"
    missing = 403  # where listing is not allowed, so is no 404

    def __init__(self, world, records):
        super().__init__(world, records)
        self.routes = {"object": self.object}

    def locate(self, request):
        path = decoded_path(request)
        return Where(self.origin, "object", "bytes", self.origin, path), path

    def object(self, request, where, path):
        repo = self.world.repos.find("web", self.origin)
        file = repo and repo.head.files.get(path)
        if not file:
            return self.refuse_as(self.missing)
        return self.object_answer(request, where, file)

    def object_answer(self, request, where, file):
        return hub_files.file_answer(
            request, where, self.moods, file, self.object_headers(where, file),
            etag='"%s"' % self.etag(file), media_type=self.media_type)

    def etag(self, file):
        return self.world.digests.md5(file.local)

    def object_headers(self, where, file):
        return [("Last-Modified", LAST_MODIFIED)]
