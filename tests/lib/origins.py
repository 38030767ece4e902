# SPDX-License-Identifier: MIT
"""The program's options that make an imitation hub all of its Internet."""


def endpoints(hub, *hosts):
    """"--endpoint", "HOST=URL", ... for @hosts, else for all but the hub's.

    A mount of that hub has "huggingface" already:
    make_mount(hub, *endpoints(hub)).
    """
    options = []
    for host in hosts or hub.hosts:
        options += ["--endpoint", "%s=%s" % (host, hub.hosts[host])]
    return options
