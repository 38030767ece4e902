# SPDX-License-Identifier: MIT
"""The RateLimit headers of every answer.  Counts truly, refuses nobody: what
is left never falls below a tenth, so that long tests are not slowed down."""

import threading
import time

WINDOW_S = 300
ANONYMOUS = {"api": 500, "resolvers": 3000, "pages": 100}
FREE = {"api": 1000, "resolvers": 5000, "pages": 200}


class Quota:
    def __init__(self):
        self._lock = threading.Lock()
        self._used = {}  # (window, bucket, token) -> requests

    def headers(self, bucket, token):
        now = int(time.time())
        key = (now // WINDOW_S, bucket, token)
        quota = (FREE if token else ANONYMOUS)[bucket]
        with self._lock:
            self._used[key] = used = self._used.get(key, 0) + 1
        left = max(quota - used, quota // 10)
        return [("RateLimit", '"%s";r=%d;t=%d' % (
                    bucket, left, WINDOW_S - now % WINDOW_S)),
                ("RateLimit-Policy", '"fixed window";"%s";q=%d;w=%d' % (
                    bucket, quota, WINDOW_S))]
