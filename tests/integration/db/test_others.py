"""A database that is not Remit's is not migrated; one that is, or is empty, is."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from remit.db import migrate
from remit.db.engine import create_database_engine
from remit.db.session import transaction
from remit.errors import MisconfiguredError
from remit.stack.postgres import SUPERUSER
from tests.support.servers import as_login, execute

OTHERS: dict[str, tuple[str, ...]] = {
    "a table of the same name": ("CREATE TABLE events (id integer)",),
    "a table of another name": ("CREATE TABLE orders (id integer)",),
    "a table in another schema": ("CREATE SCHEMA shop", "CREATE TABLE shop.orders (id integer)"),
    "a view": ("CREATE VIEW answers AS SELECT 42 AS answer",),
    "revisions numbered likewise": (
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('0006')",
    ),
    "its own revisions": (
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('ae1027a6acf'), ('1975ea83b712')",
        "CREATE TABLE orders (id integer)",
    ),
    "both, and tables named likewise": (
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('0006')",
        "CREATE TABLE events (id integer)",
        "CREATE TABLE directives (id integer)",
    ),
}


@pytest.mark.parametrize("statements", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("step", [migrate.upgrade, lambda url: migrate.downgrade(url, "base")])
def test_another_program_s_database_is_refused_and_left_as_it_is(
    statements: tuple[str, ...],
    step: Callable[[str], str],
    blank_database: Callable[[], str],
) -> None:
    url = blank_database()
    execute(url, *statements)
    before = everything(url)
    with pytest.raises(MisconfiguredError) as caught:
        step(url)
    [line] = str(caught.value).splitlines()
    assert " holds tables that are not Remit's, such as " in line
    assert line.endswith(": make a database for Remit alone, and name it in DATABASE_URL")
    assert everything(url) == before
    engine = create_database_engine(url)
    assert migrate.current_revision(engine) is None
    engine.dispose()


def everything(url: str) -> list[str]:
    engine = create_database_engine(url)
    try:
        with transaction(engine) as connection:
            found = connection.execute(sa.text("SELECT oid::regclass::text FROM pg_class"))
            return sorted(found.scalars())
    finally:
        engine.dispose()


def test_a_database_of_remit_s_may_hold_other_tables_besides(
    make_owned: Callable[[], str],
) -> None:
    url = make_owned()
    execute(url, "CREATE SCHEMA shop", "CREATE TABLE shop.orders (id integer)")
    execute(url, "CREATE TABLE orders (id integer)")
    assert migrate.upgrade(url) == migrate.head_revision()


def test_a_database_without_pgvector_says_so(blank_database: Callable[[], str]) -> None:
    url = blank_database()
    execute(as_login(url, SUPERUSER), "DROP EXTENSION vector")
    with pytest.raises(MisconfiguredError, match='create extension "vector"'):
        migrate.upgrade(url)
    engine = create_database_engine(url)
    words = r"; Remit needs a later Postgres, or its extension pgvector$"
    with pytest.raises(MisconfiguredError, match=words), transaction(engine) as connection:
        connection.execute(sa.text("CREATE EXTENSION nothing_of_that_name"))
    assert migrate.current_revision(engine) is None
    engine.dispose()
