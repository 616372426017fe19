"""Whose the embedded database is, also where an earlier release made it."""

from collections.abc import Iterator

import psycopg
import pytest

from remit.db import migrate
from remit.stack import ownership
from remit.stack.layout import DataDir
from remit.stack.postgres import SUPERUSER, EmbeddedPostgres
from tests.integration.db.catalog import catalog_of

OWNERS = """
SELECT DISTINCT owner::regrole::text FROM (
    SELECT relowner, oid, 'pg_class'::regclass FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT proowner, oid, 'pg_proc'::regclass FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT typowner, oid, 'pg_type'::regclass FROM pg_type
        WHERE typnamespace = 'public'::regnamespace
) AS things (owner, id, kind)
WHERE NOT EXISTS (
    SELECT FROM pg_depend WHERE classid = kind AND objid = id AND deptype = 'e'
) AND NOT EXISTS (
    SELECT FROM pg_type AS of_extension JOIN pg_depend ON objid = of_extension.oid
    WHERE deptype = 'e' AND of_extension.typarray = id
)
"""


@pytest.fixture
def server(data: DataDir) -> Iterator[EmbeddedPostgres]:
    data.prepare()
    server = EmbeddedPostgres(data)
    server.start()
    yield server
    server.stop()


def ask(server: EmbeddedPostgres, login: str, *statements: str) -> list[tuple[object, ...]]:
    """Execute statements on the database; return the rows of the last."""
    with psycopg.connect(
        server.url_of(login).replace("+psycopg", ""), autocommit=True
    ) as connection:
        for each in statements:
            found = connection.execute(each.encode())
        return found.fetchall() if found.description else []


def again(server: EmbeddedPostgres, data: DataDir) -> EmbeddedPostgres:
    """Stop a server and start another on the same files."""
    server.stop()
    other = EmbeddedPostgres(data)
    other.start()
    return other


def test_the_roles_connect_and_only_the_first_is_superuser(server: EmbeddedPostgres) -> None:
    rows = ask(
        server,
        SUPERUSER,
        "SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication"
        " FROM pg_roles WHERE rolcanlogin ORDER BY rolname",
    )
    assert rows == [
        ("postgres", True, True, True, True, True),
        ("remit_app", False, False, False, False, False),
        ("remit_module", False, False, False, False, False),
        ("remit_owner", False, True, False, False, False),
        ("remit_reader", False, False, False, False, False),
    ]


def test_the_owner_migrates_an_embedded_database_and_all_of_it_is_the_owner_s(
    server: EmbeddedPostgres,
) -> None:
    assert migrate.upgrade(server.owner_database_url) == migrate.head_revision()
    assert ask(server, "remit_owner", OWNERS) == [("remit_owner",)]


def test_a_database_that_an_earlier_release_made_as_superuser_becomes_the_owner_s(
    server: EmbeddedPostgres, data: DataDir
) -> None:
    ask(server, SUPERUSER, "ALTER DATABASE remit OWNER TO postgres")
    ask(server, SUPERUSER, "DROP OWNED BY remit_owner, remit_app, remit_reader, remit_module")
    ask(server, SUPERUSER, *(f"DROP ROLE {role}" for role in ("remit_app", "remit_reader")))
    ask(server, SUPERUSER, "DROP ROLE remit_module", "DROP ROLE remit_owner")
    migrate.upgrade(server.url_of(SUPERUSER), "0004")
    ask(
        server,
        SUPERUSER,
        "CREATE TABLE mine (n serial, g integer GENERATED ALWAYS AS IDENTITY)",
        "CREATE SEQUENCE counted",
        "CREATE VIEW seen AS SELECT * FROM mine",
        "CREATE MATERIALIZED VIEW kept AS SELECT * FROM mine",
        "CREATE PROCEDURE nothing() LANGUAGE sql AS 'SELECT 1'",
    )
    assert ask(server, SUPERUSER, OWNERS) == [("postgres",)]
    later = again(server, data)
    try:
        assert ask(later, SUPERUSER, OWNERS) == [("remit_owner",)]
        assert migrate.upgrade(later.owner_database_url) == migrate.head_revision()
        assert ask(later, "remit_app", "SELECT count(*) FROM directives") == [(0,)]
        migrate.downgrade(later.owner_database_url, "base")
        assert len(catalog_of(later.owner_database_url)["triggers"]) == 0
    finally:
        later.stop()


def test_a_start_that_was_broken_off_is_taken_up_by_the_next(
    server: EmbeddedPostgres, data: DataDir
) -> None:
    ask(server, SUPERUSER, "ALTER DATABASE remit OWNER TO postgres", "DROP EXTENSION vector")
    ask(server, SUPERUSER, "ALTER ROLE remit_app NOLOGIN", "ALTER ROLE remit_owner NOCREATEROLE")
    later = again(server, data)
    try:
        assert migrate.upgrade(later.owner_database_url) == migrate.head_revision()
        assert ask(later, "remit_app", "SELECT count(*) FROM directives") == [(0,)]
    finally:
        later.stop()


def test_a_database_that_is_settled_is_asked_one_question(server: EmbeddedPostgres) -> None:
    opened: list[str] = []

    def connect(database: str) -> psycopg.Connection:
        opened.append(database)
        return server._connect(database)

    ownership.settle_database(connect)
    assert opened == ["postgres"]
