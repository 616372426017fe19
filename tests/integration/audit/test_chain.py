"""The hash that Postgres computes is the one that Python computes, for any data whatever."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from remit.db.engine import create_database_engine
from remit.directives.digest import action_digest
from remit.directives.models import intent_of
from remit.operations.evidence.records import read_record
from remit.operations.runs.beginning import start_run
from tests.support.contents import AUTHORITY, SHORT, directive, proposed
from tests.support.drawn import OBJECTS, PAYLOADS, TEXT

SOME = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


LOGGED = sa.text(
    "INSERT INTO events (directive_id, type, actor, data) VALUES (:about, :type, :actor, :data)"
).bindparams(sa.bindparam("data", type_=sa.JSON))
CHOSEN = sa.text(
    "INSERT INTO events (directive_id, seq, type, actor, data, prev_hash, hash)"
    " VALUES (:about, 99, :type, :actor, :data, 'forged', 'forged')"
).bindparams(sa.bindparam("data", type_=sa.JSON))


@pytest.fixture(scope="module")
def forger(superuser_url: str) -> Iterator[sa.Engine]:
    """Return an engine for whom no right is refused."""
    engine = create_database_engine(superuser_url)
    yield engine
    engine.dispose()


def test_the_services_may_not_even_name_what_the_trigger_fills(engine: sa.Engine) -> None:
    row = {"about": proposed(engine).id, "type": "x", "actor": "x", "data": {}}
    with engine.begin() as connection, pytest.raises(sa.exc.ProgrammingError) as caught:
        connection.execute(CHOSEN, row)
    assert "permission denied for table events" in str(caught.value)


@SOME
@given(actor=TEXT, kind=TEXT, data=OBJECTS)
def test_the_chain_verifies_whatever_was_logged(
    engine: sa.Engine, forger: sa.Engine, actor: str, kind: str, data: dict[str, Any]
) -> None:
    found = proposed(engine, status="draft")
    row = {"about": found.id, "type": kind, "actor": actor, "data": data}
    with engine.begin() as connection:
        connection.execute(LOGGED, row)
    # What the trigger fills, nobody chooses: not even who has the right to name those columns.
    with forger.begin() as connection:
        connection.execute(CHOSEN, row)
    record = read_record(engine, found.id)
    assert [event.seq for event in record.events] == [1, 2, 3]
    assert record.broken_at is None


@SOME
@given(payload=PAYLOADS)
def test_what_was_stored_has_the_digest_of_what_was_sent(
    engine: sa.Engine, payload: dict[str, Any]
) -> None:
    sent = action_digest(intent_of(directive(payload=payload)))
    found = proposed(engine, payload=payload)
    assert found.action_digest == sent
    assert start_run(engine, found.id, lambda _: SHORT, AUTHORITY).run is not None
    assert action_digest(intent_of(read_record(engine, found.id).directive)) == sent
