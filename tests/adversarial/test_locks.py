"""No lock that a login of few rights can take stops governance, and every wait has an end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

import remit
from remit.errors import UnavailableError
from remit.operations.identities.directory import create_token, make_first_admin
from remit.operations.identities.revocation import revoke_token
from tests.support.contents import forging
from tests.support.keys import KEYS
from tests.support.people import ADA, ADMIN
from tests.support.servers import as_login

NUMBERS = (7239113406, 7239113407, 7239113408)
"""What Remit once waited for, by number."""

FEW_RIGHTS = ("remit_reader", "remit_module")
SERVICE = "remit_app"

FORMER = Path(remit.__file__).parent / "db/migrations/sql/0007_locks_undone.sql"


@contextmanager
def holding(engine: sa.Engine, login: str, *statements: str) -> Iterator[psycopg.Connection]:
    """Hold whatever the statements lock, in a transaction of one login."""
    url = as_login(engine.url.render_as_string(hide_password=False), login)
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        for each in statements:
            connection.execute(each.encode())
        yield connection
        connection.rollback()


def advisory() -> list[str]:
    """Return statements that take every advisory lock that Remit ever waited for."""
    return [f"SELECT pg_advisory_xact_lock({number})" for number in NUMBERS]


def token(engine: sa.Engine) -> UUID:
    """Make a token and return its identifier."""
    made = create_token(engine, ADA, valid_for=timedelta(days=1), by=ADMIN, keys=KEYS)
    return made.row.id


def hurried(engine: sa.Engine, *functions: str) -> None:
    """Let functions wait for a lock for a moment only, as the owner may."""
    owner = forging(engine)
    try:
        with owner.begin() as connection:
            for each in functions:
                connection.exec_driver_sql(f"ALTER FUNCTION {each} SET lock_timeout = '50ms'")
    finally:
        owner.dispose()


@pytest.mark.parametrize("login", FEW_RIGHTS)
def test_advisory_locks_of_logins_with_few_rights_stop_nothing(
    empty_engine: sa.Engine, login: str
) -> None:
    victim = token(empty_engine)
    hurried(empty_engine, "remit_lock_installation()", "remit_index_model(text)")
    with holding(empty_engine, login, *advisory()):
        assert revoke_token(empty_engine, victim, by=ADMIN, keys=KEYS).row.revoked_at is not None
        assert make_first_admin(empty_engine, "x", valid_for=timedelta(1), keys=KEYS) is None
        with empty_engine.begin() as connection:
            assert connection.execute(sa.text("SELECT remit_index_model('m')")).scalar_one()


@pytest.mark.parametrize("login", FEW_RIGHTS)
def test_control_by_the_former_functions_they_stop_a_revocation(
    empty_engine: sa.Engine, login: str
) -> None:
    victim = token(empty_engine)
    owner = forging(empty_engine)
    with owner.begin() as connection:
        former = FORMER.read_text().replace("DROP FUNCTION remit_lock_installation();", "")
        connection.exec_driver_sql(former, execution_options={"no_parameters": True})
    owner.dispose()
    hurried(empty_engine, "remit_chain_event()")
    with holding(empty_engine, login, *advisory()), pytest.raises(UnavailableError):
        revoke_token(empty_engine, victim, by=ADMIN, keys=KEYS)


def test_no_function_of_the_database_waits_for_what_anybody_can_lock(engine: sa.Engine) -> None:
    ours = (
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND proname ^@ 'remit_' AND prosrc ~ 'advisory'"
    )
    with engine.connect() as connection:
        assert connection.execute(sa.text(ours)).scalars().all() == []


def test_no_code_of_remit_waits_for_what_anybody_can_lock() -> None:
    sources = Path(remit.__file__).parent.rglob("*.py")
    frozen = "migrations"
    found = [
        path.name
        for path in sources
        if frozen not in path.parts and "pg_advisory" in path.read_text(encoding="utf-8")
    ]
    assert found == []


LOCKS: tuple[str, ...] = (
    "SELECT remit_lock_installation()",
    "SELECT FROM installation FOR NO KEY UPDATE",
    "SELECT FROM installation FOR KEY SHARE",
    "SELECT id FROM directives FOR UPDATE",
    "SELECT id FROM directives FOR KEY SHARE",
    "LOCK TABLE installation IN ACCESS SHARE MODE",
    "LOCK TABLE events IN ACCESS SHARE MODE",
    "LOCK TABLE events IN ROW EXCLUSIVE MODE",
    "LOCK TABLE directives IN EXCLUSIVE MODE",
    "LOCK TABLE memory_embeddings IN ROW EXCLUSIVE MODE",
    "LOCK TABLE memory_embeddings IN SHARE MODE",
)


@pytest.mark.parametrize("login", FEW_RIGHTS)
@pytest.mark.parametrize("statement", LOCKS)
def test_a_login_of_few_rights_takes_no_lock_that_a_service_waits_for(
    engine: sa.Engine, login: str, statement: str
) -> None:
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        holding(engine, login, statement),
    ):
        pass


Verb = Callable[[sa.Engine, UUID], object]


@pytest.mark.parametrize(
    "verb",
    [
        lambda engine, victim: revoke_token(engine, victim, by=ADMIN, keys=KEYS),
        lambda engine, _: make_first_admin(engine, "x", valid_for=timedelta(1), keys=KEYS),
    ],
    ids=["revoke", "first admin"],
)
def test_a_wait_for_another_service_ends_with_one_error_and_changes_nothing(
    empty_engine: sa.Engine, verb: Verb
) -> None:
    victim = token(empty_engine)
    hurried(empty_engine, "remit_lock_installation()")
    held = holding(empty_engine, SERVICE, "SELECT remit_lock_installation()")
    with held, pytest.raises(UnavailableError, match="waited too long for a lock"):
        verb(empty_engine, victim)
    assert revoke_token(empty_engine, victim, by=ADMIN, keys=KEYS).row.revoked_at is not None
