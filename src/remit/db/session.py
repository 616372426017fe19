"""One operation is one transaction: this is how it opens, and how a lost database is told.

Operations call :func:`transaction`; repositories and mutators receive the connection.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError

from remit.errors import InvalidInputError, MisconfiguredError, UnavailableError

UNDEFINED_TABLE, NO_RIGHT = "42P01", "42501"

REFUSED = "RM001"
"""SQLSTATE of what the database's own rules refuse. Nothing catches it: either Remit has a defect,
or somebody else wrote rows."""

# No SQLSTATE reaches the client when a connection is refused: only these words do.
_NO_MEMBER = re.compile(r'permission denied to set role "(remit_\w+)"')
_NO_ROLE = re.compile(r'role "(remit_\w+)" does not exist')


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a transaction that commits when the block ends and rolls back when it raises.

    Raises:
        UnavailableError: Postgres cannot be reached or went away; nothing was committed, unless
            the connection was lost during the commit itself, which a retry with the same
            idempotency key resolves.
        InvalidInputError: a text holds what no text in UTF-8 can.
        MisconfiguredError: the database has no Remit schema, its login may not act with the
            engine's role, or that role lacks a right.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except (OperationalError, InterfaceError) as error:
        _check_role(engine, str(error.orig))
        raise UnavailableError(
            f"the database at {where(engine)} does not answer ({_first_line(error)}); "
            "start it, or correct DATABASE_URL"
        ) from error
    except ProgrammingError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state == NO_RIGHT:
            raise MisconfiguredError(
                f"the database at {where(engine)} refuses this to the role that Remit acts with "
                f"({_first_line(error)}); run `remit db upgrade`, or give back what it lost"
            ) from error
        if state != UNDEFINED_TABLE:
            raise
        raise MisconfiguredError(
            f"the database at {where(engine)} has no Remit schema; run `remit db upgrade`"
        ) from error
    except UnicodeEncodeError as error:
        # An argument of a command line whose bytes are no text, or JSON with such an escape.
        part = ord(error.object[error.start])
        raise InvalidInputError(
            f"a text holds half a character (U+{part:04X}), as bytes that are not UTF-8 become: "
            "write it in UTF-8"
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


def database_time(connection: sa.Connection) -> datetime:
    """Return the database's clock at the start of this transaction; no other clock judges."""
    return connection.execute(sa.select(sa.func.now())).scalar_one()


def where(engine: sa.Engine) -> str:
    """Name the engine's server and database, never its password."""
    url = engine.url
    host = url.query.get("host") or url.host or "localhost"
    port = f":{url.port}" if url.port else ""
    return f"{host}{port}/{url.database}"


def _check_role(engine: sa.Engine, problem: str) -> None:
    """Raise what to do about a role that the login cannot act with; return if it is not that."""
    if found := _NO_MEMBER.search(problem):
        login = engine.url.username or "the login"
        raise MisconfiguredError(
            f"{login} may not act as {found[1]} in the database at {where(engine)}: "
            f"let an administrator run GRANT {found[1]} TO {login}"
        )
    found = _NO_ROLE.search(problem)
    if found and found[1] != engine.url.username:
        raise MisconfiguredError(
            f"the database at {where(engine)} has no role {found[1]}; run `remit db upgrade`"
        )


def _first_line(error: sa.exc.DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0] if error.orig else "no connection"
