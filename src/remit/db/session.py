"""One operation is one transaction: how it opens, and what errors of the database become.

Operations call :func:`transaction`; repositories and mutators receive the connection. Postgres
prints the whole row that a rule refused, and psycopg makes that the text of its error. It would go
into run errors, logs, spans and Temporal's history, so :func:`hide_values` takes the values out
where an error arises, for every engine.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import NoReturn

import sqlalchemy as sa
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from remit.errors import (
    InvalidInputError,
    MisconfiguredError,
    RemitError,
    RuleViolationError,
    UnavailableError,
)

_DATA = "22"
"""First characters of the SQLSTATEs about a value; their messages quote it."""

_WORDS = re.compile("(?<=[a-z])(?=[A-Z])")


def hide_values(engine: sa.Engine) -> None:
    """Let no error of this engine quote what a row or a parameter holds."""
    sa.event.listen(engine, "handle_error", _hide)


def error_text(error: BaseException | None) -> str:
    """Return what the database says went wrong, in one line that quotes no value of a row."""
    state = str(getattr(error, "sqlstate", None) or "")
    if state.startswith(_DATA):
        return _WORDS.sub(" ", type(error).__name__).lower()
    lines = str(error or "").strip().splitlines()
    return lines[0] if lines else ""


def _hide(context: ExceptionContext) -> None:
    original, told = context.original_exception, context.sqlalchemy_exception
    if not getattr(original, "sqlstate", None):
        return  # an error of the connection itself, which has seen no row
    whole, short = str(original), error_text(original)
    original.args = (short,)
    if told is not None:
        told.args = tuple(
            each.replace(whole, short) if isinstance(each, str) else each for each in told.args
        )


READ_ONLY, NO_RIGHT = "25006", "42501"

REFUSED = "RM001"
"""SQLSTATE of what the database's own rules refuse, besides constraints. No operation catches it:
either Remit has a defect, or somebody else wrote rows."""

_CONSTRAINTS, _NUL = "23", "cannot contain NUL (0x00)"
_TOO_MUCH = frozenset({"22001", "22003", "22021", "22P05", "54000", "54001"})
"""SQLSTATEs of a value that a column, an index or the server itself has no room for."""

# By SQLSTATE, or its first two characters: what it says of the database, and what helps.
_PASSES: Mapping[str, tuple[str, str]] = {
    READ_ONLY: (
        "only reads",
        "name the primary in DATABASE_URL, or end its default_transaction_read_only",
    ),
    "25P03": ("ended a transaction", "raise idle_in_transaction_session_timeout for this login"),
    "25P04": ("ended a transaction", "raise transaction_timeout for this login"),
    "40": ("gave way to somebody else's transaction", "try again"),
    "53": ("lacks room", "give it more of what it names, then try again"),
    "53300": ("has no connection left", "raise max_connections, or try again"),
    "55P03": ("waited too long for a lock", "raise lock_timeout for this login, or try again"),
    "57014": ("ended a statement", "raise statement_timeout for this login, or try again"),
    "57P03": ("does not answer yet", "try again"),
    "58": ("has trouble with its files", "see its own log"),
    "XX": ("is at fault itself", "see its own log"),
}
_FINAL: Mapping[str, tuple[str, str]] = {
    "0A000": ("cannot do this", "Remit needs a later Postgres, or its extension pgvector"),
    "26000": ("lost a statement", "let the pooler before it use session mode"),
    "28000": (
        "does not let this login in",
        "correct DATABASE_URL, or the password in PGPASSWORD or ~/.pgpass",
    ),
    "3D000": ("is not there", "make it, or correct DATABASE_URL"),
    NO_RIGHT: (
        "refuses this to the role that Remit acts with",
        "run `remit db upgrade`, or give back what it lost",
    ),
    "42703": ("has the schema of another release", "run `remit db upgrade`, or upgrade Remit"),
    "42704": ("lacks what Remit's schema needs", "make its extension pgvector again"),
    "42P05": ("mixed up statements", "let the pooler before it use session mode"),
    "58P01": ("lacks a file", "install the extension pgvector, or see its own log"),
}

# No SQLSTATE reaches the client when a connection is refused: only these words do.
_NO_MEMBER = re.compile(r'permission denied to set role "(remit_\w+)"')
_NO_ROLE = re.compile(r'role "(remit_\w+)" does not exist')
_AT_THE_DOOR: Mapping[str, str] = {
    "too many clients|too many connections|connection slots": "53300",
    "is starting up|shutting down|in recovery mode|not yet accepting|not accepting": "57P03",
    "authentication failed|no password supplied|no pg_hba.conf entry": "28000",
    r'database ".*" does not exist': "3D000",
}


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a transaction that commits when the block ends and rolls back when it raises.

    Raises:
        UnavailableError: Postgres cannot be reached, went away, only reads, or ended the
            transaction for a reason that passes; nothing was committed, unless the connection was
            lost during the commit itself, which a retry with the same idempotency key resolves.
        InvalidInputError: a text holds what no text in UTF-8 can.
        MisconfiguredError: the database has no Remit schema, its login may not act with the
            engine's role, that role lacks a right, or it cannot serve Remit as it is.
        RuleViolationError: a rule of the database refused what was to be written.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        _raise_told(engine, error)
    except UnicodeEncodeError as error:
        # An argument of a command line whose bytes are no text, or JSON with such an escape.
        part = ord(error.object[error.start])
        raise InvalidInputError(
            f"a text holds half a character (U+{part:04X}), as bytes that are not UTF-8 become: "
            "write it in UTF-8"
        ) from error


def address_variable(role: str | None) -> str:
    """Return which variables the address of an engine with this role comes from."""
    return {
        "remit_reader": "DATABASE_READER_URL or DATABASE_URL",
        "remit_module": "DATABASE_MODULE_URL or DATABASE_URL",
    }.get(role or "", "DATABASE_URL")


def _raise_told(engine: sa.Engine, error: DBAPIError) -> NoReturn:
    """Raise what an error of the database means to whoever must act on it; a defect as it is."""
    problem, place = error_text(error.orig) or "no connection", where(engine)
    state = str(getattr(error.orig, "sqlstate", None) or "") or next(
        (state for words, state in _AT_THE_DOOR.items() if re.search(words, problem)), ""
    )
    options = engine.get_execution_options()
    variable = address_variable(options.get("remit_role"))
    if state == READ_ONLY and options.get("postgresql_readonly"):
        raise error  # what is to be a reading writes
    if state == READ_ONLY and options.get("remit_role") == "remit_reader":
        state = NO_RIGHT  # as its transactions are, so is its role
    told: RemitError
    if refusal := _refusal(error, state, problem):
        told = refusal
    elif state == "42P01":
        told = MisconfiguredError(
            f"the database at {place} has no Remit schema; run `remit db upgrade`"
        )
    elif meaning := _FINAL.get(state):
        told = MisconfiguredError(_words(place, problem, meaning, variable))
    elif meaning := _PASSES.get(state) or _PASSES.get(state[:2]):
        told = UnavailableError(_words(place, problem, meaning, variable))
    elif isinstance(error, OperationalError | InterfaceError):
        _check_role(engine, str(error.orig))
        told = UnavailableError(
            f"the database at {place} does not answer ({problem}); start it, or correct {variable}"
        )
    else:
        raise error
    raise told from error


def _refusal(error: DBAPIError, state: str, problem: str) -> RemitError | None:
    diag = getattr(error.orig, "diag", None)
    rule = getattr(diag, "constraint_name", None) or getattr(diag, "column_name", None)
    if state == REFUSED or (rule and state.startswith(_CONSTRAINTS)):
        return RuleViolationError(
            f"the database refuses this ({problem}), and nothing was written; "
            f"{rule or 'a rule'} is the rule"
        )
    if state in _TOO_MUCH:
        return RuleViolationError(
            f"the database cannot hold this ({problem}), and nothing was written; send less of it"
        )
    if _NUL in problem:
        return InvalidInputError("a text holds a NUL byte: remove it")
    return None


def _words(place: str, problem: str, meaning: tuple[str, str], variable: str) -> str:
    what, advice = meaning
    advice = advice.replace("DATABASE_URL", variable)
    return f"the database at {place} {what} ({problem}); {advice}"


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a :func:`transaction` that only reads, and sees one moment in all of its statements."""
    reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with transaction(reading) as connection:
        yield connection


def database_time(connection: sa.Connection) -> datetime:
    """Return the database's clock at the start of this transaction, for what is stamped in it."""
    return connection.execute(sa.select(sa.func.now())).scalar_one()


def wall_clock(connection: sa.Connection) -> datetime:
    """Return the database's clock at this very moment: no other clock judges what is over.

    A transaction may have waited for a lock since it began, and a time limit run out meanwhile. So
    whoever judges one asks when the lock is held.
    """
    moment: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return moment


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
