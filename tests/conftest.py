# SPDX-License-Identifier: MIT
"""Fixtures for every test in Python: hubs and mounts that clean up."""

import pathlib
import signal
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parent
for folder in ("lib", "hub"):
    sys.path.insert(0, str(TESTS / folder))

from mounted import Mount  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than some seconds")
    config.addinivalue_line("markers", "bench: measures, judges nothing")
    # A shell has those it runs in the background ignore Ctrl-C, and what they
    # start inherits that: tests that send it would wait in vain.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def make_mount(tmp_path):
    """make_mount(hub, *options, env=None, name="m") -> Mount, not started."""
    mounts = []

    def make(hub=None, *options, env=None, name="m"):
        mounts.append(Mount(tmp_path / name, hub, *options, env=env))
        return mounts[-1]

    yield make
    for mount in mounts:
        mount.close()


@pytest.fixture
def make_hub(tmp_path):
    """make_hub() -> a running imitation hub; see tests/hub/README.md."""
    from hub_process import Hub

    hubs = []

    def make(**options):
        hubs.append(Hub(tmp_path / ("hub%d" % len(hubs)), **options))
        hubs[-1].start()
        return hubs[-1]

    yield make
    for hub in hubs:
        hub.close()


@pytest.fixture
def hub(make_hub):
    return make_hub()
