# SPDX-License-Identifier: MIT
"""HTTP/1.1 as servers speak it: keep-alive, a thread a connection, bodies of
files by sendfile, and the ways in which a connection can misbehave.

A body is a list of steps: ("file", path, offset, count), ("bytes", bytes),
("wait", seconds), ("gzip", path), ("chunks", bytes, or path, offset,
count), ("close",), ("reset",).
"""

import http.client
import io
import itertools
import os
import select
import socket
import struct
import threading
import time
import zlib

HEAD_BYTES_MAX = 1 << 16
BODY_BYTES_MAX = 1 << 24
SLICE_BYTES = 4 << 20
PACED_SLICES_S = 50  # a paced body goes out in so many pieces a second
LISTEN_BACKLOG = 1024
TLS_HELLO = b"\x16"  # what a client of https begins with


class Ended(Exception):
    """The connection is over."""


class Record:
    """One request, as tests see it; filled in while it is answered."""
    __slots__ = ("origin", "method", "path", "status", "range", "bytes",
                 "authorization", "time", "ended", "connection", "repo",
                 "file", "headers")

    def told(self, headers):
        fields = {name: getattr(self, name) for name in self.__slots__}
        if not headers:
            del fields["headers"]
        return fields


class Request:
    """A request's head is in .record and .headers, names in lower case."""

    def __init__(self, record, base, body):
        self.record = record
        self.method = record.method
        self.headers = record.headers
        self.path, _, self.query = record.path.partition("?")
        self.base = base  # "http://host:port" as the client called us
        self.body = body

    def header(self, name):
        return self.headers.get(name.lower())

    def accepts_gzip(self):
        return "gzip" in self.headers.get("accept-encoding", "")


class Answer:
    """@length: None sends the body in chunks; status 0 sends nothing."""

    def __init__(self, status, headers=(), steps=(), length=0):
        self.status = status
        self.headers = list(headers)
        self.steps = list(steps)
        self.length = length
        self.before = []  # steps ahead of the status line
        self.rate = 0  # bytes a second
        self.is_file = False

    @classmethod
    def of_bytes(cls, status, content, headers=()):
        return cls(status, headers, [("bytes", content)], len(content))

    def cut(self, offset, *steps):
        """Puts @steps behind the first @offset bytes of the body."""
        at, left = 0, offset
        while at < len(self.steps) and left > 0:
            size = step_bytes(self.steps[at])
            if size > left:
                self.steps[at:at + 1] = step_halves(self.steps[at], left)
                size = left
            left -= size
            at += 1
        self.steps[at:at] = steps


def step_bytes(step):
    if step[0] == "file":
        return step[3]
    return len(step[1]) if step[0] == "bytes" else 0


def step_halves(step, count):
    if step[0] == "bytes":
        return [("bytes", step[1][:count]), ("bytes", step[1][count:])]
    _, local, offset, total = step
    return [("file", local, offset, count),
            ("file", local, offset + count, total - count)]


class Pace:
    """Bytes come when a line of @rate bytes a second would bring them."""

    def __init__(self, rate):
        self.rate = rate
        self.begun = time.monotonic()
        self.sent = 0
        self.slice = max(1, int(rate / PACED_SLICES_S)) if rate \
            else SLICE_BYTES

    def wait(self, count):
        self.sent += count
        if self.rate:
            due = self.begun + self.sent / self.rate
            time.sleep(max(0, due - time.monotonic()))


class Connection:
    """One client's; serve() returns when it is over."""

    def __init__(self, sock, number, site):
        self.sock = sock
        self.number = number
        self.site = site
        self.pending = b""
        self.steps = {"file": self._send_file, "bytes": self._send_bytes,
                      "wait": self._wait, "gzip": self._send_gzip,
                      "chunks": self._send_chunks,
                      "close": self._close, "reset": self._reset}

    def serve(self):
        try:
            self._wait(None, None, self.site.connect_seconds())
            while self._serve_one():
                pass
        except (Ended, OSError):
            pass
        finally:
            self.sock.close()

    def _serve_one(self):
        request = self._read()
        if request is None:
            return False
        answer = self.site.answer(request)
        request.record.status = answer.status
        try:
            self._send(request, answer)
        finally:
            request.record.ended = time.time()
        return request.header("Connection") != "close"

    # ---- in ----

    def _receive(self):
        piece = self.sock.recv(1 << 16)
        if not piece:
            raise Ended
        self.pending += piece

    def _read(self):
        while b"\r\n\r\n" not in self.pending:
            if len(self.pending) > HEAD_BYTES_MAX or \
                    self.pending[:1] == TLS_HELLO:
                return None
            self._receive()
        head, _, self.pending = self.pending.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        words = first.split(" ")
        if len(words) != 3 or words[2] != "HTTP/1.1":
            return None
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        record = self._record(words, headers)
        body = self._read_body(headers)
        return Request(record, "http://" + headers.get("host", ""), body)

    def _record(self, words, headers):
        record = Record()
        record.origin = self.site.origin
        record.method, record.path = words[:2]
        record.status = record.ended = record.repo = record.file = None
        record.range = headers.get("range")
        record.bytes = 0
        record.authorization = headers.get("authorization")
        record.time = time.time()
        record.connection = self.number
        record.headers = headers
        self.site.records.append(record)
        return record

    def _read_body(self, headers):
        length = int(headers.get("content-length", 0))
        if length > BODY_BYTES_MAX or "transfer-encoding" in headers:
            raise Ended
        while len(self.pending) < length:
            self._receive()
        body, self.pending = self.pending[:length], self.pending[length:]
        return body

    # ---- out ----

    def _send(self, request, answer):
        pace = Pace(answer.rate)
        for step in answer.before:
            self.steps[step[0]](request.record, pace, *step[1:])
        if not answer.status:
            raise Ended
        bodied = request.method != "HEAD" and answer.status not in (204, 304)
        self.sock.send(head_of(answer),
                       socket.MSG_MORE if bodied and answer.length else 0)
        if bodied:
            for step in answer.steps:
                self.steps[step[0]](request.record, pace, *step[1:])

    def _send_file(self, record, pace, local, offset, count):
        with open(local, "rb", buffering=0) as f:
            while count > 0:
                piece = min(count, pace.slice)
                pace.wait(piece)
                sent = os.sendfile(self.sock.fileno(), f.fileno(), offset,
                                   piece)
                if sent == 0:
                    raise Ended  # the file became shorter
                record.bytes += sent
                offset += sent
                count -= sent

    def _send_bytes(self, record, pace, content):
        for at in range(0, len(content), pace.slice):
            piece = content[at:at + pace.slice]
            pace.wait(len(piece))
            self.sock.sendall(piece)
            record.bytes += len(piece)

    def _send_gzip(self, record, pace, local):
        packer = zlib.compressobj(1, zlib.DEFLATED, 31)
        with open(local, "rb") as f:
            while piece := f.read(1 << 20):
                self._send_chunk(record, pace, packer.compress(piece))
        self._send_chunk(record, pace, packer.flush())
        self.sock.sendall(b"0\r\n\r\n")

    def _send_chunks(self, record, pace, source, offset=0, count=None):
        """All of bytes, or a part of a file, of a length not told."""
        with io.BytesIO(source) if isinstance(source, bytes) \
                else open(source, "rb") as f:
            f.seek(offset)
            left = len(source) if count is None else count
            while left > 0 and (piece := f.read(min(left, 1 << 20))):
                self._send_chunk(record, pace, piece)
                left -= len(piece)
        self.sock.sendall(b"0\r\n\r\n")

    def _send_chunk(self, record, pace, content):
        if content:
            self.sock.sendall(b"%x\r\n" % len(content))
            self._send_bytes(record, pace, content)
            self.sock.sendall(b"\r\n")

    def _wait(self, record, pace, seconds):
        """Ends early when the client goes or when moods change."""
        end = time.monotonic() + seconds
        generation = self.site.generation()
        poll = select.poll()
        poll.register(self.sock, select.POLLRDHUP)
        while (left := end - time.monotonic()) > 0:
            if generation != self.site.generation():
                return
            if poll.poll(min(left, 0.05) * 1000):
                raise Ended

    def _close(self, record, pace):
        raise Ended

    def _reset(self, record, pace):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        raise Ended


def head_of(answer):
    reason = http.client.responses.get(answer.status, "Unknown")
    lines = ["HTTP/1.1 %d %s" % (answer.status, reason)]
    lines += ["%s: %s" % header for header in answer.headers]
    if answer.length is None:
        lines.append("Transfer-Encoding: chunked")
    elif answer.status not in (204, 304):
        lines.append("Content-Length: %d" % answer.length)
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def listen(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(LISTEN_BACKLOG)
    return listener


def serve_forever(listener, site):
    """Each connection gets a thread of its own."""
    for number in itertools.count(1):
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(sock, number, site)
        threading.Thread(target=connection.serve, daemon=True).start()
