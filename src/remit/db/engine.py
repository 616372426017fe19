"""Makes SQLAlchemy engines, which are passed to every operation; none is made at import.

Every connection says for itself what a session is to be like, so that neither the environment nor a
default of the database or its login changes what is read, and looks once whether that arrived.
"""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from remit.db.libpq import check_parameters, fixed_parameters, shut_out_variables
from remit.db.session import address_variable, hide_values, where
from remit.errors import MisconfiguredError

if TYPE_CHECKING:
    import psycopg

CONNECT_TIMEOUT_SECONDS = 5

OLDEST_POSTGRES = 14
"""Major version from which on Remit works."""

DatabaseRole = Literal["remit_app", "remit_reader", "remit_module"]
"""Whose rights an engine acts with; the migrations say what those are."""

_SESSION: Mapping[str, str] = {
    # The schema that every rule of the database names.
    "search_path": "public",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "standard_conforming_strings": "on",
    # Operations lock the rows that they judge, and see what others committed before.
    "default_transaction_isolation": "read committed",
}
"""What a session of any engine is like; all of it changes what values or statements mean."""

_ROLES: Mapping[DatabaseRole | None, Mapping[str, str]] = {
    # Whatever role an administrator chose for the database or the login.
    None: {"role": "none"},
    "remit_app": {"role": "remit_app"},
    "remit_reader": {"role": "remit_reader", "default_transaction_read_only": "on"},
    # What a module makes without naming a schema is made in the modules' own.
    "remit_module": {"role": "remit_module", "search_path": "module_data,public"},
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
        MisconfiguredError: the address is not one of Postgres, or has a parameter that cannot be.
            Connecting raises it where the session is not what was asked for.
    """
    url, given = check_address(database_url, address_variable(role))
    wanted = {**_SESSION, **_ROLES[role]}
    engine = sa.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        # The connection used last is used next: its statements are prepared, its caches warm.
        pool_use_lifo=True,
        # An error that quoted its values would take a payload into logs and Temporal's history.
        hide_parameters=True,
        execution_options={"remit_role": role},
        connect_args={**_connection(given, wanted), "application_name": application_name},
    )
    check = partial(_check_new_session, wanted=wanted, place=where(engine))
    sa.event.listen(engine, "connect", check)
    sa.event.listen(engine, "checkin", _let_default_decide)
    if role != "remit_module":  # modules read what they wrote themselves
        sa.event.listen(engine, "connect", _load_carefully)
    hide_values(engine)
    return engine


def check_address(database_url: str, variable: str) -> tuple[sa.URL, Mapping[str, Any]]:
    """Return an address with the driver that Remit uses, and its parameters by libpq's keywords."""
    shut_out_variables()
    form = "write postgresql://user:password@host:port/name"
    try:
        url = sa.make_url(database_url)
        backend = url.get_backend_name()
        if backend in {"postgresql", "postgres"}:
            url = url.set(drivername="postgresql+psycopg")
            _, given = url.get_dialect()().create_connect_args(url)
    except (ArgumentError, ValueError) as error:  # the latter quotes what is no port
        message = f"this is no database address; {form}"
        raise MisconfiguredError(message, field=variable) from error
    if backend not in {"postgresql", "postgres"}:
        message = f"Remit needs Postgres, and {backend!r} is not; {form}"
        raise MisconfiguredError(message, field=variable)
    check_parameters(given, variable)
    return url, given


def _connection(given: Mapping[str, Any], wanted: Mapping[str, str]) -> Mapping[str, object]:
    return {
        **fixed_parameters(given),
        "client_encoding": "UTF8",
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "options": _startup_options(given, wanted),
        # Prepared at the second use: the few statements of the loop are used over and over.
        "prepare_threshold": 1,
    }


def _startup_options(given: Mapping[str, Any], wanted: Mapping[str, str]) -> str:
    """Return the session's settings as an option of libpq, which outweighs the database's own."""
    own = given.get("options", ())
    own = (own,) if isinstance(own, str) else own
    settings = (f"{name}={value}".replace(" ", "\\ ") for name, value in wanted.items())
    return " ".join((*own, *(f"-c {setting}" for setting in settings)))


def _check_new_session(
    connection: "psycopg.Connection", record: object, *, wanted: Mapping[str, str], place: str
) -> None:
    """Ask a new session what it is like; one that is refused is not left open."""
    del record
    names = ("server_version_num", "server_encoding", "client_encoding", *wanted)
    columns = ", ".join(f"current_setting('{name}')" for name in names)
    try:
        connection.autocommit = True
        row = connection.execute(f"SELECT current_user, {columns}".encode()).fetchone() or ()
        connection.autocommit = False
        found = {
            name: str(value) for name, value in zip(("current_user", *names), row, strict=True)
        }
        _check_session(found, wanted, place=place)
    except BaseException:
        connection.close()
        raise


def _load_carefully(connection: "psycopg.Connection", record: object) -> None:
    del record
    # The driver itself reads the environment when it is loaded: not before that was cleaned.
    from remit.db.loading import load_carefully

    load_carefully(connection)


def _check_session(found: Mapping[str, str], wanted: Mapping[str, str], *, place: str) -> None:
    """Refuse a session in which Remit would misread, or act with rights that it was not told."""
    major = int(found["server_version_num"]) // 10_000
    if major < OLDEST_POSTGRES:
        raise MisconfiguredError(
            f"the database at {place} is of Postgres {major}, and Remit needs {OLDEST_POSTGRES} or "
            "later: upgrade it"
        )
    if found["server_encoding"] != "UTF8":
        raise MisconfiguredError(
            f"the database at {place} has the encoding {found['server_encoding']}, which cannot "
            "hold every text: make another with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE "
            "template0"
        )
    right = {**wanted, "client_encoding": "UTF8"}
    if wanted.get("role", "none") != "none":
        right = {"current_user": wanted["role"], **right}
    for name, value in right.items():
        if found[name] != value:
            raise MisconfiguredError(
                f"in the database at {place} {name} is {found[name]!r} and not {value!r} as asked "
                "for: whatever stands between drops the start-up parameter `options`, as poolers "
                "do; let it pass them (session mode), or connect past it"
            )


def _let_default_decide(connection: "psycopg.Connection | None", record: object) -> None:
    """Have the next transaction read or write as its session does.

    SQLAlchemy takes a read-only transaction back by asking for one that writes, which a standby
    refuses, and which would let a reader write.
    """
    del record
    if connection is not None and not connection.closed:
        connection.read_only = None
