# SPDX-License-Identifier: MIT
"""How the hub refuses: status, error code and message of each situation."""

import json

from hub_http import Answer

LOG_IN = 'Bearer realm="Authentication required", charset="UTF-8"'

# name: (status, X-Error-Code, message); {} is what the request named
ERRORS = {
    "entry": (404, "EntryNotFound", "Entry not found"),
    "revision": (404, "RevisionNotFound", "Invalid rev id: {}"),
    "repo": (404, "RepoNotFound", "Repository not found"),
    "anonymous": (401, None, "Invalid username or password."),
    "bad_token": (401, None, "Invalid credentials in Authorization header"),
    "gated_anonymous": (401, "GatedRepo",
                        "{} is restricted: be authenticated, log in"),
    "gated": (403, "GatedRepo",
              "{} is restricted and you are not in the authorized list: "
              "ask for access"),
    "disabled": (403, None, "Access to this resource is disabled."),
    "scope": (403, None, "The token does not allow this"),
    "route": (404, None, "Not found"),
    "method": (405, None, "Method not allowed"),
}


class Refused(Exception):
    """Carries the answer."""

    def __init__(self, answer):
        super().__init__(answer.status)
        self.answer = answer


def message_of(status, code, what):
    """The usual message of a status and code that a mood asks for."""
    for known_status, known_code, message in ERRORS.values():
        if (known_status, known_code) == (status, code):
            return message.format(what)
    return "The hub is in a mood for %d" % status


def refusal(api, status, code, message, headers=()):
    """@api: the body is JSON; else it is a short text."""
    headers = [("X-Error-Message", message), *headers]
    if code:
        headers.append(("X-Error-Code", code))
    if status == 401:
        headers.append(("WWW-Authenticate", LOG_IN))
    if api:
        content = json.dumps({"error": message}).encode()
        headers.append(("Content-Type", "application/json; charset=utf-8"))
    else:
        content = message.encode()
        headers.append(("Content-Type", "text/plain; charset=utf-8"))
    return Answer.of_bytes(status, content, headers)


def refuse(api, name, what="", headers=()):
    status, code, message = ERRORS[name]
    raise Refused(refusal(api, status, code, message.format(what), headers))
