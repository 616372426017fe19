"""What the migrations build is what `tables.py` says, down to the catalogs of Postgres."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from remit.db.engine import create_database_engine
from remit.db.tables import metadata
from tests.integration.db.catalog import QUESTIONS, Catalog, catalog_of
from tests.integration.db.conftest import BlankDatabase

ONLY_IN_MIGRATIONS = {"triggers", "functions"}
"""Kinds that `tables.py` cannot describe; a test of their own says what there is."""


@pytest.fixture(scope="module")
def declared(blank_database: BlankDatabase) -> Catalog:
    """Return the catalog of a database that `tables.py` made."""
    url = blank_database()
    engine = create_database_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE EXTENSION vector"))
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


@pytest.mark.parametrize("kind", ["columns", "constraints", "indexes", "sequences", "extensions"])
def test_the_comparison_sees_something_of_each_kind(migrated: Catalog, kind: str) -> None:
    assert migrated[kind]


def test_the_only_trigger_chains_the_events(declared: Catalog, migrated: Catalog) -> None:
    [trigger], [function] = migrated["triggers"], migrated["functions"]
    assert trigger == (
        "CREATE TRIGGER remit_chain_event BEFORE INSERT ON public.events "
        "FOR EACH ROW EXECUTE FUNCTION remit_chain_event()"
    )
    assert "FUNCTION public.remit_chain_event()" in function
    assert (declared["triggers"], declared["functions"]) == ([], [])


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
        connection.execute(sa.text("CREATE EXTENSION vector"))
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
