# SPDX-License-Identifier: MIT
"""One hub and one mount for all tests of staged files; another pair for
those of the other hubs.  With pytest-xdist, as many for each worker."""

import re
import shutil

import pytest

from elsewhere import OPTIONS, Elsewhere
from mounted import Mount
from origins import endpoints
from served import CACHE, FULL, SPECS, Served


def full_model(item):
    """The model of full size that a test is of, or ""."""
    callspec = getattr(item, "callspec", None)
    values = callspec.params.values() if callspec else ()
    return next((each for each in values
                 if isinstance(each, str) and each in FULL), "")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """What is of one model of full size comes last, and model by model: its
    files are there for no longer."""
    items.sort(key=full_model)


def together(test_id):
    """What stays on one worker: a file of tests, but for those of models of
    full size all tests of one model."""
    name = next((each for each in FULL
                 if re.search(r"[\[-]%s[]-]" % each, test_id)), None)
    return SPECS[name]["repo_id"] if name else test_id.split("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return together(nodeid)

    return Scheduling(config, log)


def one_of_each(folder, make, options):
    """@make(hub, mount, folder); gigabytes are removed at the end, whatever
    happened.  @options: a function from the hub to the mount's."""
    from hub_process import Hub

    try:
        with Hub(folder / "hub") as hub:
            mount = Mount(folder / "m", hub, *options(hub))
            try:
                yield make(hub, mount.start(), folder / "repositories")
            finally:
                mount.close()
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    yield from one_of_each(tmp_path_factory.mktemp("importers"), Served,
                           lambda hub: CACHE)


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory):
    yield from one_of_each(tmp_path_factory.mktemp("elsewhere"), Elsewhere,
                           lambda hub: [*OPTIONS, *endpoints(hub)])


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    """elsewhere for one file of tests, which others do not notice: they
    measure what a first look costs."""
    yield from one_of_each(tmp_path_factory.mktemp("apart"), Elsewhere,
                           lambda hub: [*OPTIONS, *endpoints(hub)])
