"""One operation is one transaction: this is how it opens, and how a lost database is told.

Operations call :func:`transaction`; repositories and mutators receive the connection.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError

from remit.errors import MisconfiguredError, UnavailableError

UNDEFINED_TABLE = "42P01"


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a transaction that commits when the block ends and rolls back when it raises.

    Raises:
        UnavailableError: Postgres cannot be reached or went away; nothing was committed, unless
            the connection was lost during the commit itself, which a retry with the same
            idempotency key resolves.
        MisconfiguredError: the database has no Remit schema.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except (OperationalError, InterfaceError) as error:
        raise UnavailableError(
            f"the database at {where(engine)} does not answer ({_first_line(error)}); "
            "start it, or correct DATABASE_URL"
        ) from error
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != UNDEFINED_TABLE:
            raise
        raise MisconfiguredError(
            f"the database at {where(engine)} has no Remit schema; run `remit db upgrade`"
        ) from error


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a transaction that only reads, and sees one moment in all of its statements.

    Raises:
        UnavailableError: as :func:`transaction`.
        MisconfiguredError: as :func:`transaction`.
    """
    reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with transaction(reading) as connection:
        yield connection


def where(engine: sa.Engine) -> str:
    """Name the engine's server and database, never its password."""
    url = engine.url
    host = url.query.get("host") or url.host or "localhost"
    port = f":{url.port}" if url.port else ""
    return f"{host}{port}/{url.database}"


def _first_line(error: sa.exc.DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0] if error.orig else "no connection"
