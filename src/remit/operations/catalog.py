"""What the workers can execute: told by each when it starts."""

from collections.abc import Sequence

import sqlalchemy as sa

from remit.db.session import snapshot, transaction
from remit.execution.catalog import AnnouncedModule, announce_modules, list_announced
from remit.execution.modules.registry import ModuleInfo


def announce(engine: sa.Engine, infos: Sequence[ModuleInfo]) -> None:
    """Store what a worker can execute, before it serves; grants issued from then on bind to it.

    Raises:
        UnavailableError: the database does not answer.
    """
    with transaction(engine) as connection:
        announce_modules(connection, infos)


def read_modules(engine: sa.Engine) -> list[AnnouncedModule]:
    """Return all that workers have announced, by name.

    Raises:
        UnavailableError: the database does not answer.
    """
    with snapshot(engine) as connection:
        return list_announced(connection)
