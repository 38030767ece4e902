# SPDX-License-Identifier: MIT
"""The control channel, a line of JSON each way, and the journal.

An operation that changes the hub is applied, written to the journal, and
then answered: what a test was told has happened outlives a SIGKILL.
"""

import json
import os
import threading
import time
import traceback

from hub_moods import Moods
from hub_repos import Digests, Repos, file_record


class World:
    """What all origins share.

    @urls: host -> the URL of its imitation; @folder: for files that are made.
    """

    def __init__(self, cdn_url, urls, folder):
        self.cdn_url = cdn_url
        self.urls = urls
        self.folder = folder
        self.digests = Digests()
        self.repos = Repos()
        self.moods = Moods()
        self.revoked = 0  # URLs signed until then are expired


class Control:
    def __init__(self, world, records, journal):
        self.world = world
        self.records = records
        self.digests = world.digests
        self.lock = threading.Lock()
        if os.path.exists(journal):
            with open(journal, encoding="utf-8") as lines:
                for line in lines:
                    self.apply(json.loads(line))
        self.journal = open(journal, "a", encoding="utf-8")
        world.moods.told = self.note_times

    def apply(self, op):
        """An operation of the journal."""
        if op["do"] == "moods":
            return self.world.moods.set(op["repo"], op["path"], op["moods"])
        if op["do"] == "calm":
            return self.world.moods.calm()
        if op["do"] == "left":
            return self.world.moods.set_left(op["scope"], op["mood"],
                                             op["times"])
        if op["do"] == "revoke":
            self.world.revoked = op["until"]
            return None
        return self.world.repos.apply(op)

    def write_locked(self, op):
        self.journal.write(json.dumps(op) + "\n")
        self.journal.flush()

    def change(self, op):
        """Applies an operation for good."""
        with self.lock:
            result = self.apply(op)
            self.write_locked(op)
        return result

    def note_times(self, scope, name, times):
        """A mood that is used up stays so."""
        with self.lock:
            self.write_locked({"do": "left", "scope": scope, "mood": name,
                               "times": times})

    # ---- what class Hub asks for ----

    def answer(self, op):
        if op["do"] == "requests":
            headers = op["headers"]
            return [record.told(headers) for record in list(self.records)]
        if op["do"] == "forget":
            return self.records.clear()
        if op["do"] in ("add", "commit"):
            op["files"] = {
                path: asked and file_record(asked, self.digests)
                for path, asked in op["files"].items()}
        if op["do"] == "moods":
            self.revoke(op["moods"])
        return self.change(op)

    def revoke(self, moods):
        """expire="now" is an act, not a state."""
        expire = moods.get("expire")
        if expire and expire["when"] == "now":
            self.change({"do": "revoke", "until": time.time_ns()})
            del moods["expire"]

    def _reply(self, line):
        try:
            return {"ok": self.answer(json.loads(line))}
        except ValueError as mistake:
            return {"error": str(mistake)}
        except Exception as fault:  # ours: told here and in the log
            traceback.print_exc()
            return {"error": repr(fault)}

    def _serve(self, sock):
        with sock, sock.makefile("rwb") as stream:
            for line in stream:
                stream.write(json.dumps(self._reply(line)).encode() + b"\n")
                stream.flush()

    def serve_forever(self, listener):
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=self._serve, args=(sock,),
                             daemon=True).start()
