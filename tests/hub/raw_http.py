# SPDX-License-Identifier: MIT
"""One HTTP request as it is: no redirect followed, nothing decoded."""

import http.client
import typing
import urllib.parse


class Reply(typing.NamedTuple):
    """@broken: the connection ended before the answer did."""
    status: int
    headers: object
    body: bytes
    broken: bool

    def header(self, name):
        return self.headers.get(name)


def connect(url, timeout=20):
    parts = urllib.parse.urlsplit(url)
    return http.client.HTTPConnection(parts.netloc, timeout=timeout)


def target_of(url):
    """Path and query, exactly as written."""
    return "/" + url.split("://", 1)[1].partition("/")[2]


def exchange(connection, method, target, headers=None, body=None):
    try:
        connection.request(method, target, body, headers or {})
        response = connection.getresponse()
    except (http.client.RemoteDisconnected, ConnectionResetError):
        return Reply(0, {}, b"", True)
    try:
        content, broken = response.read(), False
    except http.client.IncompleteRead as cut:
        content, broken = cut.partial, True
    except ConnectionResetError:
        content, broken = b"", True
    return Reply(response.status, response.headers, content, broken)


def ask(url, method="GET", headers=None, body=None, timeout=20):
    """A Reply from a connection of its own; status 0: there was none."""
    connection = connect(url, timeout)
    try:
        return exchange(connection, method, target_of(url), headers, body)
    finally:
        connection.close()
