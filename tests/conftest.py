"""What every test needs: the same random examples each time, and the coverage gates.

`--hypothesis-profile=seeded --hypothesis-seed=N` draws others, as `make soak` does.

Sockets are limited to loopback by `pyproject.toml`. The fixtures of the real servers (`engine`,
`client` and others) stand in `tests/support/servers.py`; nothing is started unless a test asks.
"""

import gc
import logging
import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

pytest_plugins = [
    "tests.support.coverage_gates",
    "tests.support.golden",
    "tests.support.servers",
]

# No deadline: the machines that run the tests share their cores, so a slow example proves nothing.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True, database=None)
settings.register_profile("seeded", settings.get_profile("ci"), derandomize=False)
settings.load_profile("ci")


_UNTRACED = ("adversarial", "architecture")
"""Folders whose tests attack Remit, or read its sources; other tests run what the gates count."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say which tests are not traced, and begin with those that wait for servers.

    The many short files of `tests/unit` come last, so that all processes end at about one time.
    """
    tests = config.rootpath / "tests"
    for folder in _UNTRACED:
        for item in items:
            if item.path.is_relative_to(tests / folder):
                item.add_marker(pytest.mark.untraced)
    items.sort(key=lambda item: item.path.is_relative_to(tests / "unit"))


def pytest_collection_finish() -> None:
    """Take ten thousand tests out of the garbage collector's sight."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Take back what a command that ran in this process made of its logging.

    Later tests would be heard by its handler, which writes to a stream that is closed by then.
    """
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    for added in [each for each in root.handlers if each not in handlers]:
        root.removeHandler(added)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave the summary the last line that is printed.

    Temporal's core keeps timers of workers that are long gone, and complains on standard error, out
    of threads of its own, when one of them runs out while the process ends.
    """
    capture = config.pluginmanager.get_plugin("capturemanager")
    if capture is not None:
        # It would give standard error back when this is done.
        capture.stop_global_capturing()
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
