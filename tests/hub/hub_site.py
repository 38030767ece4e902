# SPDX-License-Identifier: MIT
"""One origin: finds out what a request is about, lets the moods have their
say, and asks for an answer."""

import collections
import traceback

import hub_errors
from hub_http import Answer

RECORDS_MAX = 1000000


class Site:
    """Subclasses have .origin, locate(request) -> (Where, Target) and
    respond(request, where, target) -> Answer."""

    origin = None

    def __init__(self, world, records):
        self.world = world
        self.moods = world.moods
        self.records = records

    def generation(self):
        return self.moods.generation

    def connect_seconds(self):
        """A new connection costs a round trip."""
        return self._delay_seconds(self.anywhere)

    def _delay_seconds(self, where):
        delay = self.moods.find("delay_ms", where)
        return delay["ms"] / 1000 if delay else 0

    def answer(self, request):
        try:
            where, target = self.locate(request)
            request.record.repo = where.repo
            if where.path:
                request.record.file = "%s/%s" % (where.repo, where.path)
            answer = self._mood_refusal(request, where, target) \
                or self._respond(request, where, target)
            return self._moody(answer, where)
        except Exception:  # a fault of ours is a 500, and told in the log
            traceback.print_exc()
            return Answer.of_bytes(500, b"the imitation hub failed\n")

    def _respond(self, request, where, target):
        try:
            return self.respond(request, where, target)
        except hub_errors.Refused as refused:
            return refused.answer

    def _mood_refusal(self, request, where, target):
        """An answer that a mood puts in the place of the true one."""
        drop = self.moods.find("drop_connection", where)
        if drop and drop["after"] is None:
            self.moods.take("drop_connection", where)
            answer = Answer(0)
            answer.before.append((drop["how"],))
            return answer
        for name, make in (("rate_limit", self.rate_limited),
                           ("retry_after", self.retry_after),
                           ("burst", self.burst), ("status", self.status),
                           ("error", self.error_mood)):
            mood = self.moods.take(name, where)
            if mood:
                return make(mood, where, self.extra_headers(where, target))
        return self.mood_redirect(request, where)

    def refusal(self, where, status, code, message, headers):
        """In the form that the origin has for it."""
        return hub_errors.refusal(where.bucket == "api", status, code,
                                  message, headers)

    def error(self, where, name):
        """Status, code and message of what is an error by that name."""
        return hub_errors.ERRORS[name]

    def extra_headers(self, where, target):
        """Headers of refusals that a mood makes."""
        return []

    def mood_redirect(self, request, where):
        return None

    def rate_limited(self, mood, where, headers):
        headers = [(name, value) for name, value in headers
                   if name != "RateLimit"]
        headers.append(("RateLimit", '"%s";r=0;t=%d' % (where.bucket,
                                                        mood["reset"])))
        return self.refusal(where, 429, None, "We had to rate limit you",
                            headers)

    def retry_after(self, mood, where, headers):
        headers = [*headers, ("Retry-After", str(mood["seconds"]))]
        return self.refusal(where, 429, None, "Too many requests", headers)

    def burst(self, mood, where, headers):
        statuses = mood["statuses"]
        return self.refusal(where, statuses[mood["turn"] % len(statuses)],
                            None, "The hub is not well", headers)

    def status(self, mood, where, headers):
        code = mood["error_code"]
        message = mood["error_message"] or self.message_of(
            mood["status"], code, where.repo)
        return self.refusal(where, mood["status"], code, message, headers)

    def message_of(self, status, code, what):
        return hub_errors.message_of(status, code, what)

    def error_mood(self, mood, where, headers):
        status, code, message = self.error(where, mood["name"])
        return self.refusal(where, status, code, message.format(where.repo),
                            headers)

    def _moody(self, answer, where):
        """Adds what a mood does to the time that @answer takes."""
        if not self.moods.any():
            return answer
        seconds = self._delay_seconds(where)
        if seconds:
            answer.before.insert(0, ("wait", seconds))
        drop = self.moods.find("drop_connection", where)
        if drop and answer.is_file and drop["after"] is not None \
                and drop["after"] < (answer.length or 0):
            self.moods.take("drop_connection", where)
            answer.cut(drop["after"], (drop["how"],))
        self._stall(answer, where)
        slow = self.moods.find("bytes_per_second", where)
        if slow:
            answer.rate = slow["rate"]
        return answer

    def _stall(self, answer, where):
        stall = self.moods.find("stall", where)
        if not stall:
            return
        if stall["after"] is None:
            answer.before.append(("wait", stall["seconds"]))
        elif answer.is_file and stall["after"] < (answer.length or 0):
            answer.cut(stall["after"], ("wait", stall["seconds"]))
        else:
            return
        self.moods.take("stall", where)


def new_records():
    return collections.deque(maxlen=RECORDS_MAX)
