"""Keeps what a vendor's SDK would log out of every log: it writes whole requests, texts included.

Providers import an SDK in here. At its import an SDK also reads a variable of its own
(`OPENAI_LOG`, `ANTHROPIC_LOG`) and may set up the logging of the whole process; that is kept from
it too, and from any other package that does so when it is imported.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def sdk_logs_shut(name: str) -> Iterator[None]:
    """Import an SDK without letting it set up logging, and shut its logger up to warnings.

    Args:
        name: the name of its logger, which is that of its package.
    """
    try:
        with logging_left_alone():
            yield
    finally:
        logging.getLogger(name).setLevel(logging.WARNING)


@contextmanager
def logging_left_alone() -> Iterator[None]:
    """Import a package without letting it set up this process's logging."""
    root, guard = logging.getLogger(), logging.NullHandler()
    # `logging.basicConfig` does nothing where the root logger has a handler.
    root.addHandler(guard)
    try:
        yield
    finally:
        root.removeHandler(guard)
