"""What the migrations build is what `tables.py` says, down to the catalogs of Postgres."""

import re

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from pgvector.sqlalchemy import HALFVEC, VECTOR
from sqlalchemy.dialects.postgresql import JSONB

from remit.db.engine import create_database_engine
from remit.db.schema import metadata
from tests.integration.db.catalog import QUESTIONS, Catalog, catalog_of
from tests.integration.db.conftest import BlankDatabase

ONLY_IN_MIGRATIONS = {"triggers", "functions", "schemas", "rights"}
"""Kinds that `tables.py` cannot describe; tests of their own say what there is."""


@pytest.fixture(scope="module")
def declared(blank_database: BlankDatabase) -> Catalog:
    """Return the catalog of a database that `tables.py` made."""
    url = blank_database()
    engine = create_database_engine(url)
    with engine.begin() as connection:
        metadata.create_all(connection)
    engine.dispose()
    return catalog_of(url)


@pytest.fixture(scope="module")
def migrated(database_url: str) -> Catalog:
    """Return the catalog of a database that the migrations made."""
    return catalog_of(database_url)


@pytest.mark.parametrize("kind", sorted(QUESTIONS.keys() - ONLY_IN_MIGRATIONS))
def test_migrations_build_what_the_tables_declare(
    declared: Catalog, migrated: Catalog, kind: str
) -> None:
    assert migrated[kind] == declared[kind]


@pytest.mark.parametrize("kind", sorted(QUESTIONS.keys() - {"types"}))
def test_the_comparison_sees_something_of_each_kind(migrated: Catalog, kind: str) -> None:
    assert migrated[kind]


def test_no_setting_of_a_session_skips_a_trigger(migrated: Catalog) -> None:
    assert [line for line in migrated["triggers"] if not line.endswith(" enabled=A")] == []


def test_no_function_is_at_the_mercy_of_its_caller_s_search_path(migrated: Catalog) -> None:
    """It fixes the path, or it names the schema of every operator, function and table."""
    fixed = "SET search_path TO 'pg_catalog', 'public', 'pg_temp'"
    named = [text for text in migrated["functions"] if fixed not in text]
    assert len(named) == 5, "those that every directive passes"
    assert {found for text in named for found in unnamed(text)} == set()


def unnamed(definition: str) -> set[str]:
    """Return the operators, functions and tables of a function that a search path would find."""
    body = definition.split("$function$")[1]
    body = re.sub(r"--[^\n]*|'[^']*'|RAISE EXCEPTION USING[^;]*;|:=", " ", body)
    operators = re.findall(r"[-+*/<>=~!@#%^&|`?]+", body.replace("OPERATOR(pg_catalog.", "("))
    written = re.findall(r"OPERATOR\(pg_catalog\.([^)]+)\)", body)
    calls = set(re.findall(r"(?<![\w.])(\w+)\(", body)) - {"OPERATOR", "coalesce", "EXISTS", "ANY"}
    tables = set(re.findall(r"(?:FROM|JOIN)\s+(?!public\.)(\w+)", body))
    types = set(re.findall(r"::(?!pg_catalog\.)(\w+)", body))
    return calls | tables | types | ({"an operator"} if operators != written else set())


@pytest.mark.parametrize(
    "slip", ["IF a = b THEN", "PERFORM now();", "SELECT FROM events;", "x := y::text;"]
)
def test_a_name_without_its_schema_is_seen(slip: str) -> None:
    fine = "IF a OPERATOR(pg_catalog.=) b THEN PERFORM pg_catalog.now(); -- now()"
    assert unnamed(f"$function${fine}$function$") == set()
    assert unnamed(f"$function${fine}\n{slip}$function$") != set()


def test_tables_alone_bring_no_rule_no_right_and_no_schema(declared: Catalog) -> None:
    assert (declared["triggers"], declared["functions"], declared["rights"]) == ([], [], [])
    assert declared["schemas"] == ["public"]


@pytest.mark.parametrize(
    ("kind", "at_least"), [(sa.DateTime, 25), (JSONB, 15), (sa.Text, 50), (sa.Numeric, 5)]
)
def test_no_column_can_hold_what_no_reader_does(
    migrated: Catalog, kind: type[sa.types.TypeEngine[object]], at_least: int
) -> None:
    columns = [
        f"{table.name}_{column.name}"
        for table in metadata.tables.values()
        for column in table.c
        if isinstance(column.type, kind)
    ]
    checks = " ".join(migrated["constraints"])
    assert len(columns) >= at_least
    assert [one for one in columns if f"ck_{one}_readable CHECK" not in checks] == []


def test_every_kind_of_column_is_one_whose_values_are_known_to_be_readable() -> None:
    """A column of another kind needs a look at what Postgres can hold in it and Python cannot."""
    checked = (sa.DateTime, JSONB, sa.Text, sa.Numeric)
    harmless = (sa.Uuid, sa.Integer, sa.Boolean, sa.LargeBinary, VECTOR, HALFVEC)
    kinds = {type(c.type) for table in metadata.tables.values() for c in table.c}
    assert {kind for kind in kinds if not issubclass(kind, (*checked, *harmless))} == set()


def test_alembic_would_generate_no_migration(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_a_difference_that_alembic_overlooks_is_seen(
    blank_database: BlankDatabase, declared: Catalog
) -> None:
    url = blank_database()
    changed = create_database_engine(url)
    with changed.begin() as connection:
        metadata.create_all(connection)
        constraint = "ck_approval_requests_someone_must_approve"
        connection.execute(sa.text(f"ALTER TABLE approval_requests DROP CONSTRAINT {constraint}"))
    with changed.connect() as connection:
        overlooked = compare_metadata(MigrationContext.configure(connection), metadata)
    changed.dispose()
    assert overlooked == []
    found = catalog_of(url)
    missing = set(declared["constraints"]) - set(found["constraints"])
    assert [constraint in line for line in missing] == [True]
