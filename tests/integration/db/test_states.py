"""A database that is not as expected says so in one line, and nothing is half-written."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from remit.db import migrate
from remit.db.engine import create_database_engine
from remit.db.session import snapshot, transaction
from remit.directives.repository import DirectiveFilter
from remit.errors import MisconfiguredError, RemitError, RuleViolationError, UnavailableError
from remit.operations.evidence.records import read_directives
from remit.operations.gate import proposals
from remit.stack.layout import DataDir
from remit.stack.postgres import SUPERUSER, EmbeddedPostgres
from tests.support.contents import AUTHORITY, counts, directive, proposed
from tests.support.people import AGENT
from tests.support.servers import as_login, execute, renamed

STATES: dict[str, tuple[type[RemitError], str]] = {
    # Passes by itself, or by somebody's doing that is no change of Remit's.
    "08006": (UnavailableError, "does not answer"),
    "25006": (UnavailableError, "only reads"),
    "25P03": (UnavailableError, "idle_in_transaction_session_timeout"),
    "25P04": (UnavailableError, "transaction_timeout"),
    "40001": (UnavailableError, "try again"),
    "40P01": (UnavailableError, "try again"),
    "53000": (UnavailableError, "lacks room"),
    "53100": (UnavailableError, "lacks room"),
    "53200": (UnavailableError, "lacks room"),
    "53300": (UnavailableError, "max_connections"),
    "53400": (UnavailableError, "lacks room"),
    "55P03": (UnavailableError, "lock_timeout"),
    "57014": (UnavailableError, "statement_timeout"),
    "57P01": (UnavailableError, "does not answer"),
    "57P02": (UnavailableError, "does not answer"),
    "57P03": (UnavailableError, "does not answer yet"),
    "57P05": (UnavailableError, "does not answer"),
    "58000": (UnavailableError, "see its own log"),
    "58030": (UnavailableError, "see its own log"),
    "XX000": (UnavailableError, "see its own log"),
    "XX001": (UnavailableError, "see its own log"),
    "XX002": (UnavailableError, "see its own log"),
    # Needs somebody's hand.
    "0A000": (MisconfiguredError, "pgvector"),
    "26000": (MisconfiguredError, "session mode"),
    "3D000": (MisconfiguredError, "DATABASE_URL"),
    "42501": (MisconfiguredError, "remit db upgrade"),
    "42703": (MisconfiguredError, "remit db upgrade"),
    "42704": (MisconfiguredError, "pgvector"),
    "42P01": (MisconfiguredError, "remit db upgrade"),
    "42P05": (MisconfiguredError, "session mode"),
    "58P01": (MisconfiguredError, "pgvector"),
    # A rule's refusal.
    "RM001": (RuleViolationError, "the database refuses this (one line), and nothing was written"),
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_of_a_database_is_one_line_of_its_kind(state: str, engine: sa.Engine) -> None:
    kind, words = STATES[state]
    statement = f"DO $$ BEGIN RAISE EXCEPTION E'one line\\nmore' USING ERRCODE = '{state}'; END $$"
    with pytest.raises(RemitError) as caught, transaction(engine) as connection:
        connection.execute(sa.text(statement))
    assert type(caught.value) is kind
    assert caught.value.retryable is (kind is UnavailableError)
    [line] = str(caught.value).splitlines()
    assert words in line
    assert "one line" in line or state == "42P01"


@pytest.mark.parametrize("state", ["22012", "23505", "42601", "42883", "P0001"])
def test_what_a_wrong_statement_brings_about_stays_a_defect(state: str, engine: sa.Engine) -> None:
    statement = f"DO $$ BEGIN RAISE EXCEPTION 'wrong' USING ERRCODE = '{state}'; END $$"
    with pytest.raises(sa.exc.DBAPIError), transaction(engine) as connection:
        connection.execute(sa.text(statement))


def test_a_refusal_by_a_rule_names_the_rule(empty_engine: sa.Engine) -> None:
    done = proposed(empty_engine)
    with pytest.raises(RuleViolationError) as caught, transaction(empty_engine) as connection:
        connection.execute(
            sa.text("UPDATE directives SET status = 'draft' WHERE id = :id"), {"id": done.id}
        )
    [line] = str(caught.value).splitlines()
    assert line.startswith("the database refuses this (")
    assert line.endswith(", and nothing was written; remit_directive_status is the rule")
    assert caught.value.error_type == "rule_violation"
    assert not caught.value.retryable


@contextmanager
def limited(url: str, *settings: str) -> Iterator[sa.Engine]:
    """Give a database limits; yield an engine on it, as the services see it."""
    name = sa.make_url(url).database
    execute(as_login(url, SUPERUSER), *(f"ALTER DATABASE {name} {each}" for each in settings))
    engine = create_database_engine(url, role="remit_app", pool_size=1)
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("SET transaction_timeout = '100ms'", "raise transaction_timeout"),
        ("SET statement_timeout = '100ms'", "raise statement_timeout"),
        (
            "SET idle_in_transaction_session_timeout = '100ms'",
            "idle_in_transaction_session_timeout",
        ),
    ],
)
def test_a_limit_that_ends_a_transaction_is_named(
    setting: str, words: str, own_database_url: str
) -> None:
    with limited(own_database_url, setting) as engine, pytest.raises(UnavailableError, match=words):
        dawdle(engine, lambda _: until_alone(own_database_url) if "idle" in setting else None)


def dawdle(engine: sa.Engine, meanwhile: Callable[[int], None]) -> None:
    """Take half a minute for one transaction; what happens meanwhile is told its process id."""
    with transaction(engine) as connection:
        meanwhile(connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one())
        connection.execute(sa.text("SELECT pg_sleep(30)"))


def until_alone(url: str) -> None:
    """Return once no other session is in the database."""
    execute(
        as_login(url, SUPERUSER),
        "DO $$ BEGIN WHILE EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend') LOOP "
        "PERFORM pg_sleep(0.01), pg_stat_clear_snapshot(); END LOOP; END $$",
    )


def test_a_lock_that_is_not_given_in_time_is_named(own_database_url: str) -> None:
    with limited(own_database_url, "SET lock_timeout = '50ms'") as engine:
        other = create_database_engine(as_login(own_database_url, "remit_owner"))
        with other.begin() as holding:
            holding.execute(sa.text("LOCK TABLE directives IN ACCESS EXCLUSIVE MODE"))
            with pytest.raises(UnavailableError, match="raise lock_timeout"):
                read_directives(engine, DirectiveFilter())
        other.dispose()


def test_a_database_that_only_reads_is_read_and_nothing_is_written(own_database_url: str) -> None:
    with limited(own_database_url, "SET default_transaction_read_only = on") as engine:
        only_reads(engine)


def only_reads(engine: sa.Engine) -> None:
    for _ in range(2):  # on the same connection, after one that asked for a snapshot
        assert read_directives(engine, DirectiveFilter()) == []
        with snapshot(engine) as connection:
            connection.execute(sa.text("SELECT 1"))
        with pytest.raises(UnavailableError) as caught:
            proposals.propose(engine, [directive()], AUTHORITY, by=AGENT)
        assert " only reads (" in str(caught.value)
        assert str(caught.value).endswith(
            "name the primary in DATABASE_URL, or end its default_transaction_read_only"
        )
    assert counts(engine)["directives"] == 0


def test_a_standby_is_read_and_nothing_is_written() -> None:
    with tempfile.TemporaryDirectory(prefix="remit-tests-") as folder:
        data = DataDir(Path(folder) / "data")
        data.prepare()
        server = EmbeddedPostgres(data)
        server.start()
        try:
            migrate.upgrade(server.owner_database_url)
            server.stop()
            (data.postgres / "standby.signal").touch(mode=0o644)
            server = EmbeddedPostgres(data)
            engine = create_database_engine(server.start(), role="remit_app", pool_size=1)
            only_reads(engine)
            with pytest.raises(UnavailableError, match="only reads"):
                migrate.downgrade(server.owner_database_url, "base")
            engine.dispose()
        finally:
            server.stop()


def test_a_database_without_a_connection_left_says_so(own_database_url: str) -> None:
    with (
        limited(own_database_url, "CONNECTION LIMIT 0") as engine,
        pytest.raises(UnavailableError) as caught,
        transaction(engine),
    ):
        pass
    assert " has no connection left (" in str(caught.value)
    assert str(caught.value).endswith("; raise max_connections, or try again")


@pytest.mark.parametrize(
    ("words", "kind", "advice"),
    [
        ("sorry, too many clients already", UnavailableError, "raise max_connections"),
        ("the database system is starting up", UnavailableError, "try again"),
        ("the database system is in recovery mode", UnavailableError, "try again"),
        ("fe_sendauth: no password supplied", MisconfiguredError, "PGPASSWORD"),
        ('password authentication failed for user "me"', MisconfiguredError, "PGPASSWORD"),
        ('no pg_hba.conf entry for host "192.0.2.1"', MisconfiguredError, "correct DATABASE_URL"),
    ],
)
def test_whoever_is_not_let_in_is_told_why(
    words: str, kind: type[RemitError], advice: str, engine: sa.Engine
) -> None:
    refusal = psycopg.OperationalError(f"connection failed: FATAL:  {words}")
    with pytest.raises(RemitError) as caught, transaction(engine):
        raise sa.exc.OperationalError(None, None, refusal)
    assert type(caught.value) is kind
    [line] = str(caught.value).splitlines()
    assert words in line
    assert advice in line


def test_a_database_that_does_not_exist_is_named(own_database_url: str) -> None:
    engine = create_database_engine(renamed(own_database_url, "nothing"))
    words = "is not there .*make it, or correct DATABASE_URL$"
    with pytest.raises(MisconfiguredError, match=words), transaction(engine):
        pass


def test_a_server_that_ends_sessions_is_one_line(own_database_url: str) -> None:
    def end(pid: int) -> None:
        execute(as_login(own_database_url, SUPERUSER), f"SELECT pg_terminate_backend({pid})")

    engine = create_database_engine(own_database_url, pool_size=1)
    with pytest.raises(UnavailableError, match="does not answer"):
        dawdle(engine, end)
    engine.dispose()
