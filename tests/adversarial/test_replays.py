"""One grant lets one run begin, however often and by however many it is presented."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy as sa

from remit.operations.evidence.records import read_record
from remit.operations.runs.starts import start_runs
from tests.adversarial.attacking import Hands, ended, forgery, proposed_many, without, worker
from tests.support.contents import AUTHORITY, cast, waiting
from tests.support.races import at_once, refused

REPLAYS = 1000
CONSUMERS = 100

SECOND_RUN = """
    INSERT INTO execution_runs (
        id, directive_id, grant_id, module, module_version, idempotency_key, status, attempts
    )
    SELECT gen_random_uuid(), directive_id, id, module, module_version, %(key)s, 'pending', 0
    FROM grants WHERE directive_id = %(directive)s
"""
"""A run that somebody writes for a grant that another run has consumed."""


@pytest.fixture
def hands(engine: sa.Engine) -> Iterator[Hands]:
    with worker(engine) as made:
        yield made


def approved(engine: sa.Engine, module: str = "test") -> UUID:
    """Return a directive that a person approved."""
    found = waiting(engine, type=module)
    cast(engine, found)
    return found.id


def runs_of(engine: sa.Engine, directive_id: UUID) -> list[str]:
    """Return the idempotency keys of all runs of a directive."""
    with engine.connect() as connection:
        keys = connection.execute(
            sa.text("SELECT idempotency_key FROM execution_runs WHERE directive_id = :id"),
            {"id": directive_id},
        )
        return list(keys.scalars())


def write_a_second_run(engine: sa.Engine, directive_id: UUID) -> None:
    """Insert a run with the services' own role."""
    with engine.begin() as connection:
        connection.exec_driver_sql(SECOND_RUN, {"directive": directive_id, "key": str(uuid4())})


@pytest.mark.parametrize("module", ["test", "validate"])
def test_a_thousand_replays_of_one_grant_have_one_effect(
    engine: sa.Engine, hands: Hands, module: str
) -> None:
    victim = approved(engine, module)
    for _ in range(REPLAYS):
        hands.start(victim)
        if module == "validate" and not hands.effects:
            hands.call(victim)
    hands.call(victim)
    assert len(hands.effects) == 1
    assert runs_of(engine, victim) == [hands.effects[0].idempotency_key]
    assert ended(engine, victim) == ("complete", None)
    said = [event.type for event in read_record(engine, victim).events]
    assert said.count("grant.consumed") == said.count("run.attempted") == 1


def test_of_a_hundred_that_consume_one_grant_at_once_one_wins(
    engine: sa.Engine, hands: Hands
) -> None:
    victim = approved(engine, "validate")

    def consume(_: int) -> bool:
        return start_runs(engine, [victim], hands.choice, AUTHORITY)[0].run is not None

    answers = at_once(refused(consume), CONSUMERS)
    assert answers.count(True) == 1
    assert len(runs_of(engine, victim)) == 1
    hands.call(victim)
    assert len(hands.effects) == 1


def test_of_a_hundred_workers_at_once_all_carry_out_the_same_run(
    engine: sa.Engine, hands: Hands
) -> None:
    victim = approved(engine)
    at_once(refused(lambda _: hands.work(victim)), CONSUMERS)
    assert len({effect.idempotency_key for effect in hands.effects}) == 1
    assert len({effect.run_id for effect in hands.effects}) == 1
    assert len(runs_of(engine, victim)) == 1
    said = [event.type for event in read_record(engine, victim).events]
    assert said.count("grant.consumed") == 1
    assert said.count("directive.completed") + said.count("directive.aborted") == 1


def test_batches_that_hold_the_same_grant_twice_consume_it_once(
    engine: sa.Engine, hands: Hands
) -> None:
    victims = [one.id for one in proposed_many(engine, [{"type": "validate"}] * 20)]
    answers = at_once(
        refused(lambda _: len(start_runs(engine, victims, hands.choice, AUTHORITY))), 10
    )
    assert answers.count(len(victims)) == 1
    assert all(len(runs_of(engine, victim)) == 1 for victim in victims)


@pytest.mark.parametrize("step", ["begun", "complete"])
def test_a_second_run_of_one_grant_cannot_be_written(
    engine: sa.Engine, hands: Hands, step: str
) -> None:
    victim = approved(engine, "validate")
    hands.start(victim)
    if step == "complete":
        hands.call(victim)
    with pytest.raises(sa.exc.DBAPIError) as caught:
        write_a_second_run(engine, victim)
    diag = getattr(caught.value.orig, "diag", None)
    expected = {"begun": "uq_execution_runs_grant_id", "complete": "remit_run_granted"}
    assert diag is not None
    assert diag.constraint_name == expected[step]
    assert len(runs_of(engine, victim)) == 1


def test_not_even_past_every_trigger_has_one_grant_two_runs(
    engine: sa.Engine, hands: Hands
) -> None:
    victim = approved(engine)
    hands.work(victim)
    with (
        pytest.raises(psycopg.errors.UniqueViolation, match="uq_execution_runs_grant_id"),
        forgery(engine) as connection,
    ):
        connection.execute(SECOND_RUN, {"directive": victim, "key": "another"})
    assert len(runs_of(engine, victim)) == 1


def test_without_the_unique_constraints_one_grant_has_two_runs_and_two_effects(
    scratch: sa.Engine,
) -> None:
    with worker(scratch) as hands:
        victim = approved(scratch, "validate")
        hands.start(victim)
        first = hands.begun(victim)
        with forgery(scratch, "execution_runs") as connection:
            for name in ("grant_id", "idempotency_key"):
                connection.execute(
                    f"ALTER TABLE execution_runs DROP CONSTRAINT uq_execution_runs_{name}".encode()
                )
        with scratch.begin() as connection:
            connection.exec_driver_sql(
                SECOND_RUN, {"directive": victim, "key": first.idempotency_key}
            )
        # The next attempt takes the run that is newest.
        second = hands.begun(victim)
    assert first.run_id != second.run_id
    assert len(hands.effects) == 2


def rewind(engine: sa.Engine, directive_id: UUID) -> None:
    """Make a run that has ended begin again, with the services' own role."""
    with engine.begin() as connection:
        for statement in (
            "UPDATE directives SET status = 'executing', status_reason = NULL WHERE id = %(id)s",
            """UPDATE execution_runs SET status = 'running', ended_at = NULL
            WHERE directive_id = %(id)s""",
            """INSERT INTO events (directive_id, type, actor, data)
            VALUES (%(id)s, 'directive.executing', 'remit', '{}')""",
        ):
            connection.exec_driver_sql(statement, {"id": directive_id})


LIFECYCLES = ("directives.remit_directive_status", "execution_runs.remit_run_status")


@pytest.mark.parametrize("broken", [(), *((one,) for one in LIFECYCLES)])
def test_a_run_that_has_ended_cannot_be_made_to_begin_again(
    scratch: sa.Engine, broken: tuple[str, ...]
) -> None:
    with worker(scratch) as hands:
        victim = approved(scratch, "validate")
        hands.work(victim)
        without(scratch, *broken)
        with pytest.raises(sa.exc.DBAPIError, match="may not go from this status"):
            rewind(scratch, victim)
        hands.sweep()
    assert len(hands.effects) == 1


def test_with_both_lifecycles_unguarded_a_run_that_has_ended_has_a_second_effect(
    scratch: sa.Engine,
) -> None:
    with worker(scratch) as hands:
        victim = approved(scratch, "validate")
        hands.work(victim)
        without(scratch, *LIFECYCLES)
        rewind(scratch, victim)
        hands.sweep()
    assert len(hands.effects) == 2


def test_the_count_of_attempts_cannot_be_set_back(engine: sa.Engine, hands: Hands) -> None:
    victim = approved(engine)
    for _ in range(2):
        hands.lose(victim)
    with pytest.raises(sa.exc.DBAPIError), engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE execution_runs SET attempts = 0 WHERE directive_id = %(id)s", {"id": victim}
        )
