"""Through the reader's connection nothing is written, whatever SQL is sent and however it begins.

Two of the three locks stand in the database. Each is tried by itself: the rights of the role in
transactions that may write, and transactions that only read.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from remit.db.evidence_tables import memory_embeddings
from remit.db.schema import metadata
from remit.db.session import snapshot
from remit.memory.reader import PostgresMemoryReader
from tests.integration.memory.conftest import Past

NO_RIGHT = "42501"
READ_ONLY = "25006"

Connection = psycopg.Connection[Any]

WRITES = (
    "INSERT INTO memories (scope, content, digest, created_by) VALUES ('s', 'c', 'd', 'admin')",
    "INSERT INTO memory_embeddings (memory_id) SELECT memory_id FROM memory_embeddings",
    "INSERT INTO memory_reads (principal, reader, query) VALUES ('a', 'r', 'q')",
    "INSERT INTO events (type, actor, data) VALUES ('t', 'a', '{}')",
    "INSERT INTO directives (id) VALUES (gen_random_uuid())",
    "UPDATE memories SET content = 'other'",
    "UPDATE directives SET status = 'approved'",
    "UPDATE execution_runs SET status = 'completed'",
    "DELETE FROM memories",
    "DELETE FROM memory_embeddings WHERE false",
    "WITH gone AS (DELETE FROM memories RETURNING id) SELECT count(*) FROM gone",
    "MERGE INTO memories USING (VALUES (1)) AS one ON true WHEN MATCHED THEN DELETE",
    "TRUNCATE memories",
    "TRUNCATE memory_reads CASCADE",
    "SELECT id FROM memories FOR UPDATE",
    "SELECT id FROM memories FOR NO KEY UPDATE",
    "SELECT id FROM memories FOR SHARE",
    "SELECT id FROM directives FOR KEY SHARE",
    "LOCK TABLE memories IN EXCLUSIVE MODE",
    "CREATE TABLE mine (id integer)",
    "CREATE TABLE public.mine AS SELECT id FROM memories",
    "SELECT id INTO mine FROM memories",
    "CREATE VIEW public.mine AS SELECT id FROM memories",
    "CREATE INDEX ON memories (scope)",
    "CREATE SCHEMA mine",
    "CREATE SEQUENCE public.mine",
    "CREATE FUNCTION public.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "ALTER TABLE memories DISABLE TRIGGER ALL",
    "DROP TABLE memories",
    "DROP INDEX ix_memories_created_at",
    "COMMENT ON TABLE memories IS 'mine'",
    "COPY memories FROM STDIN",
    "COPY memories FROM PROGRAM 'true'",
    "COPY memories TO PROGRAM 'true'",
    "COPY memories TO '/tmp/memories'",
    "SELECT pg_read_file('/etc/hostname')",
    "SELECT lo_export(1, '/tmp/mine')",
    "SELECT nextval(pg_get_serial_sequence('memory_reads', 'id'))",
    "SELECT setval(pg_get_serial_sequence('memory_reads', 'id'), 1)",
    "SELECT remit_index_model('mine')",
    "SELECT remit_lock_budgets(ARRAY['a'], ARRAY['b'])",
    "SET ROLE remit_app",
    "SET ROLE remit_owner",
    "SET SESSION AUTHORIZATION postgres",
    "SET session_replication_role = replica",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
    "DO $$ BEGIN INSERT INTO memories (scope) VALUES ('s'); END $$",
)

HIDDEN = (
    *(f"directives.{c}" for c in ("payload", "issued_by", "constraints", "scope", "budget")),
    *(f"artifacts.{c}" for c in ("metadata", "content")),
    *(f"execution_runs.{c}" for c in ("result", "error_message", "grant_id", "idempotency_key")),
    *("events.data", "events.actor", "grants.id", "grants.envelope", "principals.name"),
    *("api_tokens.id", "approval_votes.voter", "approval_requests.id", "memory_reads.query"),
)

BEGIN: Mapping[str, tuple[str, ...]] = {
    "that may write": ("SET TRANSACTION READ WRITE",),
    "that only reads": ("SET TRANSACTION READ ONLY",),
    "as it begins by itself": (),
}


@pytest.fixture
def raw(past: Past, role_url: Callable[[str], str]) -> Iterator[Connection]:
    """Return a connection as the reader's engine makes it, in the hands of an attacker."""
    address = role_url("remit_reader").replace("+psycopg", "")
    options = "-c role=remit_reader -c default_transaction_read_only=on"
    with psycopg.connect(address, options=options) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def writable(raw: Connection) -> Connection:
    """Return the same, after the attacker took the engine's own setting back."""
    raw.execute("SET default_transaction_read_only = off")
    raw.commit()
    return raw


def refusal(connection: Connection, statement: str) -> str | None:
    """Return the SQLSTATE with which a statement is refused; None when it passes."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement.encode())
    except psycopg.Error as error:
        return error.sqlstate
    return None


def counts(past: Past) -> dict[str, int]:
    """Return how many rows each table has."""
    with past.engine.connect() as connection:
        return {
            table.name: connection.execute(
                sa.select(sa.func.count()).select_from(table)
            ).scalar_one()
            for table in metadata.sorted_tables
        }


@pytest.mark.parametrize("began", BEGIN)
@pytest.mark.parametrize("statement", WRITES)
def test_no_statement_writes(past: Past, raw: Connection, statement: str, began: str) -> None:
    before = counts(past)
    for first in BEGIN[began]:
        raw.execute(first.encode())
    assert refusal(raw, statement) in {NO_RIGHT, READ_ONLY}
    raw.rollback()
    assert counts(past) == before


@pytest.mark.parametrize("statement", WRITES)
def test_the_rights_of_the_role_are_enough_by_themselves(
    writable: Connection, statement: str
) -> None:
    assert writable.execute("SHOW transaction_read_only").fetchone() == ("off",)
    assert refusal(writable, statement) == NO_RIGHT


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TEMPORARY TABLE mine (id integer)",
        "SELECT lo_create(0)",
        "SELECT lo_from_bytea(0, 'words')",
    ],
)
def test_a_transaction_that_only_reads_is_enough_by_itself(
    past: Past, raw: Connection, statement: str
) -> None:
    assert refusal(raw, statement) in {NO_RIGHT, READ_ONLY}


@pytest.mark.parametrize("place", HIDDEN)
def test_what_no_question_needs_is_not_seen(writable: Connection, place: str) -> None:
    table, column = place.split(".")
    assert column in metadata.tables[table].columns
    for statement in (
        f"SELECT {column} FROM {table}",  # noqa: S608 - names of the schema, as below
        f"SELECT * FROM {table}",  # noqa: S608
        f"SELECT to_jsonb({table}) FROM {table}",  # noqa: S608
        f"SELECT {table}::text FROM {table}",  # noqa: S608
        f"SELECT id FROM memories ORDER BY (SELECT min({column}::text) FROM {table})",  # noqa: S608
        f"COPY (SELECT {column} FROM {table}) TO STDOUT",  # noqa: S608
    ):
        assert refusal(writable, statement) == NO_RIGHT, statement


@pytest.mark.parametrize(
    "statement", ["ALTER SYSTEM SET fsync = off", "CREATE DATABASE mine", "CREATE ROLE mine"]
)
def test_the_server_is_not_changed_outside_a_transaction_either(
    writable: Connection, statement: str
) -> None:
    writable.autocommit = True
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        writable.execute(statement.encode())


def test_a_right_that_it_cannot_give_is_not_given(writable: Connection) -> None:
    # Postgres only warns of this one.
    writable.execute("GRANT DELETE ON memories TO remit_reader")
    writable.commit()
    assert refusal(writable, "DELETE FROM memories") == NO_RIGHT


def test_a_role_that_changes_its_own_settings_does_not_change_how_its_engine_begins(
    past: Past, writable: Connection
) -> None:
    # Every role may change its own settings; those that the engine begins with come after them.
    writable.execute("ALTER ROLE remit_reader SET default_transaction_read_only = off")
    writable.commit()
    try:
        past.reading.dispose()
        with past.reading.connect() as connection:
            show = sa.text("SHOW transaction_read_only")
            assert connection.execute(show).scalar_one() == "on"
    finally:
        writable.execute("ALTER ROLE remit_reader RESET default_transaction_read_only")
        writable.commit()


def test_the_tables_that_are_seen_in_part_or_whole_are_five(raw: Connection) -> None:
    seen = raw.execute(
        "SELECT DISTINCT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
        " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0"
        " AND has_column_privilege(pg_class.oid, attnum, 'SELECT') ORDER BY relname"
    ).fetchall()
    assert [name for (name,) in seen] == [
        *("artifacts", "directives", "execution_runs", "memories", "memory_embeddings")
    ]


def test_the_engine_of_a_reader_begins_by_only_reading(past: Past) -> None:
    show = sa.text("SELECT current_user, current_setting('transaction_read_only')")
    with past.reading.connect() as connection:
        assert tuple(connection.execute(show).one()) == ("remit_reader", "on")


def test_a_read_runs_in_a_transaction_that_only_reads_and_sees_one_moment(past: Past) -> None:
    show = sa.text(
        "SELECT current_setting('transaction_read_only'), current_setting('transaction_isolation')"
    )
    # With the services' engine, whose role may write: the transaction holds by itself.
    with snapshot(past.engine) as connection:
        assert tuple(connection.execute(show).one()) == ("on", "repeatable read")
    with pytest.raises(DBAPIError) as caught, snapshot(past.engine) as connection:
        connection.execute(sa.delete(memory_embeddings))
    assert getattr(caught.value.orig, "sqlstate", None) == READ_ONLY
    with pytest.raises(DBAPIError) as caught, snapshot(past.engine) as connection:
        connection.execute(sa.text("SELECT remit_index_model('mine')"))
    assert getattr(caught.value.orig, "sqlstate", None) == READ_ONLY


def test_every_question_runs_in_such_a_transaction(past: Past) -> None:
    begun: list[str] = []

    def note(connection: sa.Connection, *_: object) -> None:
        found = connection.connection.cursor()
        found.execute("SELECT current_user, current_setting('transaction_read_only')")
        begun.append("/".join(found.fetchone() or ()))

    reader: PostgresMemoryReader = past.reader()
    sa.event.listen(past.reading, "before_cursor_execute", lambda c, *_: note(c))
    reader.latest_directive_for_role("operations")
    reader.execution_summaries(1)
    reader.artifacts_by_type("execution_end", 1)
    reader.semantic_search("backup", 1)
    assert len(begun) >= 4
    assert set(begun) == {"remit_reader/on"}
