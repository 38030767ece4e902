# SPDX-License-Identifier: MIT
"""One hub and one mount for all tests of staged files."""

import shutil

import pytest

from mounted import Mount
from served import Served


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """Its gigabytes are removed at the end, whatever happened."""
    from hub_process import Hub

    folder = tmp_path_factory.mktemp("importers")
    try:
        with Hub(folder / "hub") as hub:
            mount = Mount(folder / "m", hub)
            try:
                yield Served(hub, mount.start(), folder / "repositories")
            finally:
                mount.close()
    finally:
        shutil.rmtree(folder)
