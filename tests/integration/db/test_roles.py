"""The roles where Remit is a guest: no superuser migrates, as on a managed Postgres.

Roles belong to a whole cluster, so these tests have one of their own, without any of Remit's.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from remit.db import migrate
from remit.db.engine import DatabaseRole, create_database_engine
from remit.db.session import transaction
from remit.errors import MisconfiguredError, UnavailableError
from remit.stack.layout import DataDir
from remit.stack.postgres import SUPERUSER, EmbeddedPostgres
from tests.integration.db.catalog import catalog_of
from tests.support.races import at_once
from tests.support.servers import as_login, execute, renamed

ROLES = ("remit_owner", "remit_app", "remit_reader", "remit_module")

Guest = Callable[..., str]
"""Makes a login, and a database that is its own; returns its address."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Return the address of a superuser in a cluster of its own."""
    # Not pytest's own folder: the system user that runs Postgres for root may not enter it.
    with tempfile.TemporaryDirectory(prefix="remit-roles-") as folder:
        data = DataDir(Path(folder) / "data")
        data.prepare()
        server = EmbeddedPostgres(data)
        server.start()
        url = renamed(server.url_of(SUPERUSER), "postgres")
        execute(url, "DROP DATABASE remit")
        yield url
        server.stop()


@pytest.fixture
def guest(cluster: str) -> Iterator[Guest]:
    """Return a function that makes logins and their databases, in a cluster without our roles."""
    execute(cluster, *(f"DROP ROLE IF EXISTS {role}" for role in ROLES))
    made: list[str] = []
    numbers = count(1)

    def make(may: str = "CREATEROLE", login: str | None = None) -> str:
        name = f"guest_{next(numbers)}"
        execute(cluster, *([] if login else [f"CREATE ROLE {name} LOGIN {may}"]))
        execute(cluster, f"CREATE DATABASE {name} OWNER {login or name}")
        # The extension is not a trusted one: where Remit is a guest, its host has made it.
        execute(renamed(cluster, name), "CREATE EXTENSION vector")
        made.append(name)
        return as_login(renamed(cluster, name), login or name)

    yield make
    execute(cluster, *(f"DROP DATABASE {name}" for name in made))
    # The roles first: who made them is on record as having granted them.
    execute(cluster, *(f"DROP ROLE IF EXISTS {role}" for role in (*ROLES, *made)))


def login_of_role(url: str) -> dict[str, bool]:
    """Return which roles of Remit there are, and whether each may connect."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        found = connection.execute(
            "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname ^@ 'remit_'"
        )
        return dict(found.fetchall())


def count_directives(url: str, role: DatabaseRole | None) -> int:
    engine = create_database_engine(url, role=role)
    try:
        with transaction(engine) as connection:
            return int(connection.execute(sa.text("SELECT count(*) FROM directives")).scalar_one())
    finally:
        engine.dispose()


def test_a_login_that_may_make_roles_migrates_without_being_superuser(
    guest: Guest, database_url: str
) -> None:
    url = guest()
    assert migrate.upgrade(url) == migrate.head_revision()
    assert catalog_of(url) == catalog_of(database_url)
    assert login_of_role(url) == dict.fromkeys(ROLES, False)


def test_whoever_migrated_can_serve_with_the_rights_of_a_service(guest: Guest) -> None:
    url = guest()
    migrate.upgrade(url)
    assert count_directives(url, "remit_app") == 0
    assert count_directives(url, "remit_reader") == 0
    with pytest.raises(MisconfiguredError, match="permission denied for table directives"):
        count_directives(url, "remit_module")


def test_down_to_the_base_and_up_again_needs_no_superuser_either(guest: Guest) -> None:
    url = guest()
    migrate.upgrade(url)
    before = catalog_of(url)
    migrate.downgrade(url, "base")
    assert catalog_of(url)["rights"] == []
    assert set(login_of_role(url)) == set(ROLES), "another database may use them"
    migrate.upgrade(url)
    assert catalog_of(url) == before


def test_two_databases_of_one_login_can_be_migrated_at_once(guest: Guest) -> None:
    urls = [guest(), guest(login="guest_1")]
    # Processes: Alembic holds one migration at a time in a process. Each waits to be told to go.
    code = "import sys; from remit.db import migrate; input(); print(migrate.upgrade(sys.argv[1]))"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for url in urls
    ]
    answers = at_once(lambda number: running[number].communicate("\n")[0].strip(), len(urls))
    assert answers == [migrate.head_revision()] * 2
    assert [count_directives(url, "remit_app") for url in urls] == [0, 0]


def test_roles_that_another_migration_is_making_at_this_moment_are_awaited(
    guest: Guest, cluster: str
) -> None:
    url = guest()
    migrate.upgrade(url, "0004")
    with psycopg.connect(cluster.replace("+psycopg", "")) as other:
        other.execute("CREATE ROLE remit_app")
        other.execute("GRANT remit_app TO guest_1")
        with ThreadPoolExecutor(1) as threads:
            migration = threads.submit(migrate.upgrade, url)
            until_somebody_waits(cluster)
            other.commit()
            assert migration.result() == migrate.head_revision()


def until_somebody_waits(url: str) -> None:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for _ in range(1000):
            waiting = connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if waiting.fetchone() != (0,):
                return
            time.sleep(0.01)
    pytest.fail("nobody waited")


def test_two_logins_cannot_both_make_the_roles_and_the_second_is_told_what_to_ask_for(
    guest: Guest, cluster: str
) -> None:
    first, second = guest(), guest()
    migrate.upgrade(first)
    with pytest.raises(MisconfiguredError, match="let an administrator run: GRANT") as caught:
        migrate.upgrade(second)
    execute(cluster, str(caught.value).split("run: ")[1])
    assert migrate.upgrade(second) == migrate.head_revision()


def test_a_login_that_may_not_make_roles_is_told_what_an_administrator_must_run(
    guest: Guest, cluster: str
) -> None:
    url = guest(may="NOCREATEROLE")
    with pytest.raises(MisconfiguredError) as caught:
        migrate.upgrade(url)
    [line] = str(caught.value).splitlines()
    told, sql = line.split("let an administrator run: ")
    assert told.endswith(
        "cannot be migrated: the login guest_1 may not make the roles that Remit needs; "
    )
    assert sql == " ".join(
        [
            *(f"CREATE ROLE {role} NOLOGIN;" for role in ROLES),
            *(f"GRANT {role} TO guest_1 WITH INHERIT TRUE, SET TRUE;" for role in ROLES[1:]),
        ]
    )
    execute(cluster, sql)
    assert migrate.upgrade(url) == migrate.head_revision()
    assert count_directives(url, "remit_app") == 0


def test_what_a_migration_may_not_do_is_told_in_one_line(guest: Guest, cluster: str) -> None:
    url = guest()
    execute(renamed(cluster, "guest_1"), "DROP EXTENSION vector")
    with pytest.raises(MisconfiguredError) as caught:
        migrate.upgrade(url)
    [line] = str(caught.value).splitlines()
    assert line.endswith('cannot be migrated: permission denied to create extension "vector"')


def test_a_login_that_is_no_member_is_told_which_grant_it_lacks(guest: Guest, cluster: str) -> None:
    url = guest()
    migrate.upgrade(url)
    execute(cluster, "CREATE ROLE stranger LOGIN")
    try:
        with pytest.raises(MisconfiguredError) as caught:
            count_directives(as_login(url, "stranger"), "remit_app")
    finally:
        execute(cluster, "DROP ROLE stranger")
    assert str(caught.value).startswith("stranger may not act as remit_app in the database at ")
    assert str(caught.value).endswith("let an administrator run GRANT remit_app TO stranger")


def test_a_cluster_without_the_roles_is_told_to_be_migrated(guest: Guest) -> None:
    with pytest.raises(MisconfiguredError, match=r"has no role remit_app; run `remit db upgrade`$"):
        count_directives(guest(), "remit_app")


def test_a_login_that_does_not_exist_is_no_matter_of_migrations(guest: Guest) -> None:
    with pytest.raises(UnavailableError, match='role "remit_app" does not exist'):
        count_directives(as_login(guest(), "remit_app"), "remit_app")


def test_an_address_with_options_of_its_own_keeps_them(guest: Guest) -> None:
    url = guest()
    migrate.upgrade(url)
    engine = create_database_engine(
        f"{url}&options=-c%20work_mem%3D7MB", role="remit_module", application_name="mine"
    )
    with engine.connect() as connection:
        settings = [
            connection.execute(sa.text(f"SHOW {name}")).scalar_one()
            for name in ("work_mem", "role", "search_path", "application_name")
        ]
    engine.dispose()
    assert settings == ["7MB", "remit_module", "module_data,public", "mine"]
