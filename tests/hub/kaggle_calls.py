# SPDX-License-Identifier: MIT
"""A download by Kaggle's own client, in a process of its own.

  kaggle_calls.py HANDLE [PATH]

Prints one line of JSON: {"result": where it is}, or {"raised": names of the
exception's classes, "status": ..., "text": ...}.
"""

import json
import sys

import kagglehub


def main():
    handle, path = sys.argv[1], (sys.argv[2:] + [None])[0]
    try:
        told = {"result": kagglehub.model_download(handle, path)}
    except Exception as raised:
        response = getattr(raised, "response", None)
        told = {"raised": [kind.__name__ for kind in type(raised).__mro__],
                "status": getattr(response, "status_code", None),
                "text": str(raised)}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
