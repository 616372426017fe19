"""No login puts into the database what no reader can hold: each column has a check."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
import sqlalchemy as sa

from remit.base.json_types import MAX_NUMBER, JsonObject
from remit.db.columns import MAX_TEXT_BYTES
from remit.directives.models import TEXT_LIMITS
from remit.directives.plain_json import MAX_DEPTH, MAX_REASON
from tests.adversarial.poisons import ALLOWED, NEVER_JSON, REFUSED, poison
from tests.support.contents import proposed
from tests.support.servers import MakeDatabase, as_login
from tests.support.unchecked import unchecked

ATTACK = """
INSERT INTO directives (id, role, type, payload, issued_by, objective, scope, action_digest, status)
VALUES (gen_random_uuid(), 'r', 'echo', {}, 'agent-1', 'o', 's', 'sha256:x', 'draft')
"""
HUGE = """'{"x": 1e5000}'"""


OTHERWISE = {
    "a word that is no reason": "ck_directives_reason_when_stopped",
    "an end of a run without end": "ck_execution_runs_end_is_stamped",
}
"""What an older check refuses first."""


@pytest.fixture(scope="module")
def open_engine(make_database: MakeDatabase) -> Iterator[sa.Engine]:
    """Return a database whose owner took the checks away."""
    engine = sa.create_engine(make_database(), poolclass=sa.NullPool)
    yield unchecked(engine)
    engine.dispose()


def refused_by(engine: sa.Engine, name: str) -> str | None:
    """Return the check that stops a kind of row, where no trigger and no right does."""
    try:
        poison(engine, name)
    except sa.exc.IntegrityError as error:
        refusal = error.orig
    else:
        return None
    assert isinstance(refusal, psycopg.errors.CheckViolation)
    return refusal.diag.constraint_name


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_reader_can_hold_is_refused_by_the_check_of_its_column(
    engine: sa.Engine, name: str
) -> None:
    table, column, _ = REFUSED[name]
    kind = "known" if name.startswith("a word") else "readable"
    expected = OTHERWISE.get(name, f"ck_{table}_{column}_{kind}")
    assert refused_by(engine, name) == expected


@pytest.mark.parametrize("name", ALLOWED)
def test_what_a_reader_can_hold_is_for_readers_to_judge(engine: sa.Engine, name: str) -> None:
    assert refused_by(engine, name) is None


@pytest.mark.parametrize("login", ["remit_app", "remit_owner"])
def test_the_service_s_login_cannot_store_a_number_without_end(
    role_url: Callable[[str], str], login: str
) -> None:
    address = role_url(login).replace("+psycopg", "")
    with psycopg.connect(address) as connection:
        with pytest.raises(psycopg.errors.CheckViolation, match="ck_directives_payload_readable"):
            connection.execute(ATTACK.format(HUGE).encode())
        connection.rollback()


def test_without_the_checks_the_service_s_login_stores_it(open_engine: sa.Engine) -> None:
    address = as_login(str(open_engine.url), "remit_app").replace("+psycopg", "")
    with psycopg.connect(address) as connection:
        assert connection.execute(ATTACK.format(HUGE).encode()).rowcount == 1
        connection.rollback()


@pytest.mark.parametrize("text", NEVER_JSON)
def test_what_no_json_of_postgres_holds_needs_no_check(engine: sa.Engine, text: str) -> None:
    with engine.connect() as connection, pytest.raises(sa.exc.DataError):
        connection.exec_driver_sql("SELECT %(text)s::jsonb", {"text": text}).scalar_one()


def _nested(depth: int) -> JsonObject:
    inner: JsonObject = {}
    for _ in range(depth):
        inner = {"x": inner}
    return inner


LARGEST: dict[str, JsonObject] = {
    "whole numbers": {"x": [MAX_NUMBER, -MAX_NUMBER]},
    "fractions": {"x": [0.1 + 0.2, 5e-324, -1.7976931348623157e-308, MAX_NUMBER - 0.5]},
    "depth": _nested(MAX_DEPTH - 1),
    "length": {"x": ["\U0001f600" * 3_000, *([0] * 2000)]},
    "keys": {"ﬀ" * 5000: None},
}


@pytest.mark.parametrize("name", LARGEST)
def test_whatever_remit_takes_in_the_database_takes(engine: sa.Engine, name: str) -> None:
    found = proposed(engine, payload=LARGEST[name], constraints=LARGEST[name])
    assert found.payload == LARGEST[name]
    with engine.connect() as connection:
        stored = connection.execute(
            sa.text("SELECT payload FROM directives WHERE id = :id"), {"id": found.id}
        ).scalar_one()
    assert stored == LARGEST[name]


def test_whatever_text_remit_takes_in_a_column_takes() -> None:
    assert 4 * max(*TEXT_LIMITS.values(), MAX_REASON, 8192) <= MAX_TEXT_BYTES
