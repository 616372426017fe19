"""Makes SQLAlchemy engines.

Called once by whoever owns a process: a command, the worker, a test. The engine is then passed to
every operation. Nothing here runs at import.
"""

from collections.abc import Mapping
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from remit.errors import MisconfiguredError

CONNECT_TIMEOUT_SECONDS = 5

DatabaseRole = Literal["remit_app", "remit_reader", "remit_module"]
"""Whose rights an engine acts with; the migrations say what those are."""

_OPTIONS: Mapping[DatabaseRole, str] = {
    "remit_app": "-c role=remit_app",
    "remit_reader": "-c role=remit_reader -c default_transaction_read_only=on",
    # What a module makes without naming a schema is made in the modules' own.
    "remit_module": "-c role=remit_module -c search_path=module_data,public",
}


def create_database_engine(
    database_url: str,
    *,
    role: DatabaseRole | None = None,
    application_name: str = "remit",
    pool_size: int = 5,
) -> sa.Engine:
    """Return a new engine; no connection is opened yet.

    Args:
        database_url: a `postgresql://` address, with or without a driver name.
        role: acts with this role's rights, even where the login has more; None acts with the
            login's own, for migrations. A login that is no member of the role cannot connect.
        application_name: what `pg_stat_activity` shows for its connections.
        pool_size: connections kept open; as many again may open under load.

    Raises:
        MisconfiguredError: the address is not one of Postgres.
    """
    url = _parse(database_url)
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=pool_size,
        # The connection used last is used next: its statements are prepared, its caches warm.
        pool_use_lifo=True,
        # An error that quoted its values would take a payload into logs and Temporal's history.
        hide_parameters=True,
        connect_args={
            "application_name": application_name,
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            # Prepared at the second use: the few statements of the loop are used over and over.
            "prepare_threshold": 1,
            **_startup_options(url, role),
        },
    )


def _parse(database_url: str) -> sa.URL:
    """Return the address; see :func:`create_database_engine`."""
    try:
        url = sa.make_url(database_url)
    except (ArgumentError, ValueError) as error:  # the latter quotes what is no port
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
    return url


def _startup_options(url: sa.URL, role: DatabaseRole | None) -> dict[str, str]:
    """Return the role as an option of libpq, after those that the address itself has."""
    if role is None:
        return {}
    given = url.query.get("options", ())
    own = (given,) if isinstance(given, str) else given
    return {"options": " ".join((*own, _OPTIONS[role]))}
