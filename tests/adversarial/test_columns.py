"""For every table and column: what a row leads to that somebody writes with the services' login.

`columns.toml` has the verdicts, and this holds them against a database: whether the right, a rule
or a check of the database refuses, which fault the audit finds, or that neither does. What nobody
sees must be named in docs/security.md. A new column fails until it is judged.
"""

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from remit.db.schema import metadata
from remit.operations.evidence import auditing
from remit.operations.evidence.auditing import judge
from scripts.columns_page import NAMED, VERDICTS
from tests.adversarial.column_attacks import ADDED, changes, kinds_of_rows
from tests.adversarial.columns_world import Made, build
from tests.adversarial.world import Connection
from tests.support.keys import KEYS

TABLES = {table.name: table for table in metadata.sorted_tables}
SECURITY = Path(__file__).parents[2] / "docs" / "security.md"


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for no row that a check would refuse: nobody takes a check away here."""
    monkeypatch.setattr(auditing, "stream_refused", lambda _: ())


@pytest.fixture(scope="module")
def made(engine: sa.Engine, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return where an attacker begins, in a world that an audit finds nothing wrong with."""
    found = build(engine, tmp_path_factory.mktemp("store"))
    with engine.connect() as connection:
        assert [*judge(connection, KEYS)] == []
    return found


@pytest.fixture
def tried(engine: sa.Engine) -> Iterator[Callable[[Callable[[Connection], object]], set[str]]]:
    """Return what tries an attack with the services' login, tells the outcome, and undoes it."""
    with engine.connect() as connection:

        def attempt(attack: Callable[[Connection], object]) -> set[str]:
            begun = connection.begin()
            raw: Any = connection.connection.dbapi_connection
            assert raw.info.user == "remit_app"
            outcomes: set[str] = {"refused"}
            with contextlib.suppress(psycopg.Error):
                done = attack(raw)
                raw.execute("SET CONSTRAINTS ALL IMMEDIATE")
                outcomes = set()
                if not isinstance(done, psycopg.Cursor) or done.rowcount:
                    outcomes = {one.fault for one in judge(connection, KEYS)} or {"unseen"}
            begun.rollback()
            return outcomes

        yield attempt


Try = Callable[[Callable[[Connection], object]], set[str]]


def allowed(engine: sa.Engine, kind: str) -> set[tuple[str, str]]:
    """Return the columns that the services' login may so use."""
    asked = sa.text("SELECT has_column_privilege(:table, :column, :kind)")
    with engine.connect() as connection:
        return {
            (table.name, column.name)
            for table in TABLES.values()
            for column in table.c
            if connection.execute(
                asked, {"table": table.name, "column": column.name, "kind": kind}
            ).scalar_one()
        }


def _added(attack: Callable[[Connection, Made], None], made: Made, c: Connection) -> None:
    attack(c, made)


def _changed(text: str, c: Connection) -> object:
    return c.execute(text.encode())


def verdict(outcomes: set[str]) -> str:
    """Return outcomes as `columns.toml` writes them."""
    return " ".join(sorted(outcomes)) or "refused"


def test_every_column_of_every_table_is_judged() -> None:
    assert {name: {*table.c.keys()} for name, table in TABLES.items()} == {
        name: set(columns) for name, columns in VERDICTS.items()
    }


@pytest.mark.parametrize("table", TABLES)
def test_a_row_that_is_added_leads_to_what_is_said(
    engine: sa.Engine, made: Made, tried: Try, table: str
) -> None:
    rights = allowed(engine, "INSERT")
    outcomes: set[str] = set()
    for attack in ADDED.get(table, ()):
        outcomes |= tried(partial(_added, attack, made))
    found = {
        column: verdict(outcomes) if (table, column) in rights else "refused"
        for column in TABLES[table].c.keys()  # noqa: SIM118 - the names, not the columns
    }
    assert found == {name: said.added for name, said in VERDICTS[table].items()}


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("table", TABLES)
def test_a_column_that_is_changed_leads_to_what_is_said(
    engine: sa.Engine, tried: Try, table: str
) -> None:
    rights = allowed(engine, "UPDATE")
    found: dict[str, str] = {}
    for column in TABLES[table].c:
        outcomes: set[str] = set()
        if (table, column.name) in rights:
            outcomes = changed(engine, tried, column)
        found[column.name] = verdict(outcomes)
    assert found == {name: said.changed for name, said in VERDICTS[table].items()}


def changed(engine: sa.Engine, tried: Try, column: sa.Column[object]) -> set[str]:
    """Return what comes of changing one column of each row in every way."""
    table = column.table.name
    with engine.connect() as connection:
        places = connection.execute(sa.text(kinds_of_rows(column.table))).scalars().all()
    outcomes: set[str] = set()
    for place in places:
        for change in changes(column):
            value = change.removeprefix(f"{column.name} = ")
            text = f"UPDATE {table} SET {change} WHERE ctid = '{place}'"  # noqa: S608
            if "," not in change:
                text += f" AND {column.name} IS DISTINCT FROM {value}"
            outcomes |= tried(partial(_changed, text))
    return outcomes


def test_what_nobody_sees_is_named_on_the_page_of_what_is_not_prevented() -> None:
    page = SECURITY.read_text(encoding="utf-8").partition("## What is not prevented")[2]
    plain = " ".join(page.split())
    unseen = {
        said.named
        for columns in VERDICTS.values()
        for said in columns.values()
        if "unseen" in f"{said.added} {said.changed}"
    }
    assert None not in unseen
    assert unseen == set(NAMED)
    assert {words for words in NAMED.values() if words not in plain} == set()
