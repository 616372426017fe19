"""What the workers can execute: told by each when it starts."""

from collections.abc import Sequence

import sqlalchemy as sa

from remit.db.session import snapshot, transaction
from remit.execution.catalog import announce_modules, announced_module
from remit.execution.modules.registry import ModuleInfo


def announce(engine: sa.Engine, infos: Sequence[ModuleInfo]) -> None:
    """Store what a worker can execute, before it serves; grants issued from then on bind to it.

    Raises:
        UnavailableError: the database does not answer.
    """
    with transaction(engine) as connection:
        announce_modules(connection, infos)


def announced_names(engine: sa.Engine) -> tuple[str, ...]:
    """Return the names of all modules that workers have announced, in order.

    Raises:
        UnavailableError: the database does not answer.
    """
    with snapshot(engine) as connection:
        return announced_module(connection, "").names
