"""What a session is like depends on no environment, no default of the database, and no pooler."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from remit.db import migrate
from remit.db.engine import (
    OLDEST_POSTGRES,
    DatabaseRole,
    _check_session,
    create_database_engine,
)
from remit.db.session import snapshot, transaction
from remit.errors import MisconfiguredError
from remit.stack.postgres import SUPERUSER, EmbeddedPostgres
from tests.integration.db.conftest import BlankDatabase
from tests.support.libpq_variables import LIBPQ_VARIABLES
from tests.support.pooler import pooling
from tests.support.servers import as_login, execute, renamed

ROLES: tuple[DatabaseRole | None, ...] = (None, "remit_app", "remit_reader", "remit_module")
MOMENT = datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
VALUES = sa.text(
    "SELECT '🙂', CAST(:moment AS timestamptz), CAST('1 day 2 hours' AS interval), "
    "CAST('\\x00ff' AS bytea), CAST(0.1 AS float8) + CAST(0.2 AS float8), CAST('{NULL}' AS text[])"
)
MEANT = ("🙂", MOMENT, timedelta(days=1, hours=2), b"\x00\xff", 0.1 + 0.2, [None])


def values(url: str, role: DatabaseRole | None) -> tuple[object, ...]:
    engine = create_database_engine(url, role=role)
    try:
        with transaction(engine) as connection:
            return tuple(connection.execute(VALUES, {"moment": MOMENT}).one())
    finally:
        engine.dispose()


@pytest.mark.parametrize("name", LIBPQ_VARIABLES)
def test_no_variable_of_libpq_changes_where_remit_connects_or_what_it_reads(
    name: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, LIBPQ_VARIABLES[name])
    assert values(database_url, "remit_app") == MEANT


@pytest.mark.parametrize("name", LIBPQ_VARIABLES)
def test_no_variable_of_libpq_leads_the_embedded_stack_to_another_server(
    name: str, postgres_server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, LIBPQ_VARIABLES[name])
    with postgres_server._connect("remit") as connection:
        assert connection.info.hostaddr == ""
        assert connection.info.user == SUPERUSER


@pytest.fixture
def elsewhere(own_database_url: str, postgres_server: EmbeddedPostgres) -> Callable[[str], str]:
    """Return a function that changes a default of a database; it returns its address."""

    def change(setting: str) -> str:
        name = sa.make_url(own_database_url).database
        execute(postgres_server.url_of(SUPERUSER), f"ALTER DATABASE {name} SET {setting}")
        return as_login(own_database_url, "remit_owner")

    return change


@pytest.mark.parametrize(
    "setting",
    [
        "datestyle = 'SQL, DMY'",
        "intervalstyle = 'sql_standard'",
        "timezone = 'Asia/Tokyo'",
        "client_encoding = 'LATIN1'",
        "bytea_output = 'escape'",
        "extra_float_digits = -10",
        "standard_conforming_strings = off",
        "array_nulls = off",
        "transform_null_equals = on",
        "search_path = elsewhere",
        "default_transaction_isolation = 'serializable'",
    ],
)
def test_no_default_of_the_database_changes_what_is_read(
    setting: str, elsewhere: Callable[[str], str]
) -> None:
    url = elsewhere(setting)
    for role in ROLES:
        assert values(url, role) == MEANT
    engine = create_database_engine(url, role="remit_app")
    with transaction(engine) as connection:
        told = connection.execute(
            sa.text("SELECT current_setting('TimeZone'), current_setting('transaction_isolation')")
        ).one()
        assert connection.execute(sa.text("SELECT count(*) FROM directives")).scalar_one() == 0
    engine.dispose()
    assert told == ("UTC", "read committed")


def test_migrations_act_as_their_login_whatever_role_the_database_gives(
    elsewhere: Callable[[str], str],
) -> None:
    engine = create_database_engine(elsewhere("role = 'remit_reader'"))
    with transaction(engine) as connection:
        assert connection.execute(sa.text("SELECT current_user")).scalar_one() == "remit_owner"
    engine.dispose()


def network_address(url: str, port: int) -> str:
    """Return the address of the same database over the network, for whom nothing is refused."""
    parts = sa.make_url(url)
    return f"postgresql://{SUPERUSER}@127.0.0.1:{port}/{parts.database}"


@pytest.fixture
def socket_file(postgres_server: EmbeddedPostgres) -> str:
    return f"{postgres_server._socket_dir}/.s.PGSQL.5432"


@pytest.mark.parametrize("role", ROLES)
def test_a_pooler_that_drops_the_options_is_refused_by_every_engine(
    role: DatabaseRole | None, database_url: str, socket_file: str
) -> None:
    with pooling(socket_file) as port:
        assert values(network_address(database_url, port), role) == MEANT
    with (
        pooling(socket_file, frozenset({"options"})) as port,
        pytest.raises(MisconfiguredError) as caught,
    ):
        values(network_address(database_url, port), role)
    [line] = str(caught.value).splitlines()
    assert f" at 127.0.0.1:{port}/remit_" in line
    asked = f"current_user is '{SUPERUSER}' and not '{role}'" if role else "search_path is "
    assert asked in line
    assert line.endswith(
        "drops the start-up parameter `options`, as poolers do; let it pass them (session mode), "
        "or connect past it"
    )


def test_no_connection_of_a_refused_session_stays_open(database_url: str, socket_file: str) -> None:
    with pooling(socket_file, frozenset({"options"})) as port:
        engine = create_database_engine(network_address(database_url, port), role="remit_app")
        for _ in range(30):
            with pytest.raises(MisconfiguredError), transaction(engine):
                pass
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_over_the_network_the_environment_cannot_name_another_server_or_session(
    database_url: str, socket_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGOPTIONS", "PGDATESTYLE"):
        monkeypatch.setenv(name, LIBPQ_VARIABLES[name])
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.2")
    monkeypatch.setenv("PGSERVICE", "nonsense")
    with pooling(socket_file) as port:
        assert values(network_address(database_url, port), "remit_app") == MEANT


def test_a_database_of_another_encoding_is_refused(
    postgres_server: EmbeddedPostgres,
) -> None:
    url = postgres_server.url_of(SUPERUSER)
    for encoding in ("LATIN1", "SQL_ASCII"):
        name = f"encoded_{encoding.lower()}"
        execute(
            url,
            f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE_PROVIDER libc LOCALE 'C' "
            "TEMPLATE template0 OWNER remit_owner",
        )
        with pytest.raises(MisconfiguredError, match=f"has the encoding {encoding}, which cannot"):
            migrate.upgrade(as_login(renamed(url, name), "remit_owner"))


def test_a_server_that_is_too_old_is_refused() -> None:
    found = {"server_version_num": "130021", "server_encoding": "UTF8", "client_encoding": "UTF8"}
    with pytest.raises(MisconfiguredError) as caught:
        _check_session(found, {}, place="db.example/remit")
    assert str(caught.value) == (
        "the database at db.example/remit is of Postgres 13, and Remit needs "
        f"{OLDEST_POSTGRES} or later: upgrade it"
    )
    _check_session(found | {"server_version_num": f"{OLDEST_POSTGRES}0000"}, {}, place="here")


def test_a_reader_may_not_write_even_after_a_snapshot(role_url: Callable[[str], str]) -> None:
    engine = create_database_engine(role_url("remit_reader"), role="remit_reader", pool_size=1)
    try:
        with snapshot(engine):
            pass
        words = "in a read-only transaction"
        with pytest.raises(MisconfiguredError, match=words), transaction(engine) as connection:
            # No right is needed for this one.
            connection.execute(sa.text("CREATE TEMPORARY TABLE mine (id integer)"))
    finally:
        engine.dispose()


def test_an_empty_database_with_extensions_alone_is_migrated(
    blank_database: BlankDatabase,
) -> None:
    assert migrate.upgrade(blank_database()) == migrate.head_revision()
