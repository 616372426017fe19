"""Up, down and up again; by Remit and by Alembic's own command; and what is refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from remit.db import migrate
from remit.db.engine import create_database_engine
from remit.directives.repository import DirectiveFilter
from remit.errors import MisconfiguredError, UnavailableError
from remit.operations.evidence.records import read_directives
from tests.integration.db.catalog import catalog_of
from tests.integration.db.conftest import BlankDatabase
from tests.support.servers import MakeDatabase, as_login, execute

ROOT = Path(__file__).parents[3]


def revision_of(url: str) -> str | None:
    engine = create_database_engine(url)
    try:
        return migrate.current_revision(engine)
    finally:
        engine.dispose()


def test_an_upgrade_ends_at_the_newest_revision_and_says_so(blank_database: BlankDatabase) -> None:
    url = blank_database()
    assert revision_of(url) is None
    assert migrate.upgrade(url) == migrate.head_revision()
    assert revision_of(url) == migrate.head_revision()


def test_a_second_upgrade_changes_nothing(make_owned: MakeDatabase) -> None:
    url = make_owned()
    before = catalog_of(url)
    assert migrate.upgrade(url) == migrate.head_revision()
    assert catalog_of(url) == before


def test_down_to_the_base_leaves_only_the_vector_extension(make_owned: MakeDatabase) -> None:
    url = make_owned()
    assert migrate.downgrade(url, "base") == "base"
    left = {kind: found for kind, found in catalog_of(url).items() if found and kind != "types"}
    assert left == {"extensions": ["plpgsql", "vector"], "schemas": ["public"]}


def test_down_leaves_what_modules_made_and_up_lets_services_read_it_again(
    make_owned: MakeDatabase,
) -> None:
    url = make_owned()
    execute(
        as_login(url, "remit_module"),
        "CREATE TABLE module_data.kept (id integer)",
        "INSERT INTO module_data.kept VALUES (1)",
    )
    migrate.downgrade(url, "base")
    migrate.upgrade(url)
    execute(as_login(url, "remit_app"), "SELECT * FROM module_data.kept")


def test_down_and_up_again_builds_the_same(make_owned: MakeDatabase) -> None:
    url = make_owned()
    before = catalog_of(url)
    migrate.downgrade(url, "base")
    migrate.upgrade(url)
    assert catalog_of(url) == before


def test_each_step_down_and_up_again_builds_the_same(make_owned: MakeDatabase) -> None:
    url = make_owned()
    before = catalog_of(url)
    step = migrate.head_revision()
    while step != "base":
        step = migrate.downgrade(url, "-1")
    while step != migrate.head_revision():
        step = migrate.upgrade(url, "+1")
    assert catalog_of(url) == before


def alembic(url: str | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    if url is not None:
        environment["DATABASE_URL"] = url
    return subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_alembic_from_the_checkout_builds_what_remit_builds(
    blank_database: BlankDatabase, database_url: str
) -> None:
    url = blank_database()
    done = alembic(url, "upgrade", "head")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert catalog_of(url) == catalog_of(database_url)
    assert revision_of(url) == migrate.head_revision()


def test_alembic_from_the_checkout_without_a_database_says_what_to_set() -> None:
    done = alembic(None, "upgrade", "head")
    assert done.returncode != 0
    [line] = (done.stdout + done.stderr).splitlines()
    assert line.endswith(
        "set DATABASE_OWNER_URL or DATABASE_URL; "
        "`remit db upgrade` finds the embedded stack by itself"
    )


def test_a_database_of_an_unknown_revision_is_refused_in_one_line(
    make_owned: MakeDatabase,
) -> None:
    url = make_owned()
    execute(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(MisconfiguredError) as caught:
        migrate.upgrade(url)
    [line] = str(caught.value).splitlines()
    assert line.endswith(
        "cannot be brought to revision head: Can't locate revision identified by '9999'; "
        "if a newer Remit made it, upgrade this one"
    )


def test_a_database_without_the_schema_says_which_command_makes_it(
    blank_database: BlankDatabase,
) -> None:
    engine = create_database_engine(blank_database())
    with pytest.raises(MisconfiguredError, match=r"has no Remit schema; run `remit db upgrade`$"):
        read_directives(engine, DirectiveFilter())
    engine.dispose()


def test_a_statement_that_is_wrong_is_no_missing_schema(engine: sa.Engine) -> None:
    from remit.db.session import transaction

    with pytest.raises(sa.exc.ProgrammingError), transaction(engine) as connection:
        connection.execute(sa.text("SELECT nothing_of_that_name()"))


def test_an_upgrade_of_a_database_that_is_away_is_one_line() -> None:
    with pytest.raises(UnavailableError) as caught:
        migrate.upgrade("postgresql://remit@127.0.0.1:1/remit")
    [line] = str(caught.value).splitlines()
    assert line.startswith("the database at 127.0.0.1:1/remit does not answer (")
    assert line.endswith("); start it, or correct DATABASE_URL")
