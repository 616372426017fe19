"""Makes SQLAlchemy engines.

Called once by whoever owns a process: a command, the worker, a test. The engine is then passed to
every operation. Nothing here runs at import.
"""

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from remit.errors import MisconfiguredError

CONNECT_TIMEOUT_SECONDS = 5


def create_database_engine(
    database_url: str, *, application_name: str = "remit", pool_size: int = 5
) -> sa.Engine:
    """Return a new engine; no connection is opened yet.

    Args:
        database_url: a `postgresql://` address, with or without a driver name.
        application_name: what `pg_stat_activity` shows for its connections.
        pool_size: connections kept open; as many again may open under load.

    Raises:
        MisconfiguredError: the address is not one of Postgres.
    """
    try:
        url = sa.make_url(database_url)
    except ArgumentError as error:
        raise MisconfiguredError(
            "this is no database address; write postgresql://user:password@host:port/name",
            field="DATABASE_URL",
        ) from error
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        raise MisconfiguredError(
            f"Remit needs Postgres, and {url.get_backend_name()!r} is not; "
            "write postgresql://user:password@host:port/name",
            field="DATABASE_URL",
        )
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=pool_size,
        # The connection used last is used next: its statements are prepared, its caches warm.
        pool_use_lifo=True,
        connect_args={
            "application_name": application_name,
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            # Prepared at the second use: the few statements of the loop are used over and over.
            "prepare_threshold": 1,
        },
    )
