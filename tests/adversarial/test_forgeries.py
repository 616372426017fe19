"""Grants, runs and statuses written by SQL: a worker that finds them executes nothing."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa

from remit.operations.evidence.records import read_record
from remit.operations.gate.policies import PolicySource
from tests.adversarial import world as w
from tests.adversarial.attacking import (
    Fixed,
    Hands,
    believe_grants,
    forgery,
    proposed_many,
    worker,
)
from tests.adversarial.forging import (
    GRANTS,
    RUNS,
    STATUSES,
    Plot,
    as_best_they_can,
    as_service,
    begin,
    plot,
)
from tests.support.contents import POLICY, cast, policy, waiting, write
from tests.support.policies import whole

FORGERIES = GRANTS | RUNS | STATUSES
MODULES = ("test", "validate")


@pytest.fixture
def hands(engine: sa.Engine) -> Iterator[Hands]:
    with worker(engine) as made:
        yield made


def prepared(engine: sa.Engine, module: str) -> Plot:
    """Return a directive that waits, and another one that a person approved."""
    donor = waiting(engine, type=module)
    cast(engine, donor)
    return plot(engine, waiting(engine, type=module), donor.id)


def worked(hands: Hands, seen: Plot) -> bool:
    """Let a worker do all that it would, and return whether the victim was executed.

    What a worker refuses, it may refuse with an error: Temporal would have it try again.
    """
    for work in (hands.work, hands.call, hands.start):
        with contextlib.suppress(Exception):
            work(seen.victim.id)
    with contextlib.suppress(Exception):
        hands.sweep()
    return seen.victim.id in hands.struck


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("name", FORGERIES)
def test_no_forgery_with_the_services_role_is_executed(
    engine: sa.Engine, hands: Hands, name: str, module: str
) -> None:
    seen = prepared(engine, module)
    with as_best_they_can(engine) as connection:
        FORGERIES[name](connection, seen)
    assert not worked(hands, seen)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("name", FORGERIES)
def test_no_forgery_past_every_rule_of_the_database_is_executed(
    engine: sa.Engine, hands: Hands, name: str, module: str
) -> None:
    seen = prepared(engine, module)
    with forgery(engine) as connection:
        FORGERIES[name](connection, seen)
    before = read_record(engine, seen.victim.id).directive
    assert before.status in {"approved", "executing"}
    assert not worked(hands, seen)


@pytest.mark.parametrize("name", GRANTS | RUNS)
def test_without_the_look_at_the_signature_every_forgery_is_executed(
    engine: sa.Engine, hands: Hands, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = prepared(engine, "test")
    with forgery(engine) as connection:
        FORGERIES[name](connection, seen)
    believe_grants(monkeypatch)
    assert worked(hands, seen)


def test_a_worker_names_the_reason_for_what_it_did_not_execute(
    engine: sa.Engine, hands: Hands
) -> None:
    for name, forge in {**GRANTS, **RUNS}.items():
        seen = prepared(engine, "test")
        with forgery(engine) as connection:
            forge(connection, seen)
        hands.work(seen.victim.id)
        found = read_record(engine, seen.victim.id).directive
        assert found.status == ("blocked" if name in GRANTS else "aborted"), name
        assert found.status_reason == "approval_unverifiable", name


def granted(engine: sa.Engine, module: str = "validate") -> Plot:
    """Return a directive that was approved, and that no worker has started."""
    victim = waiting(engine, type=module)
    cast(engine, victim)
    return plot(engine, victim, victim.id)


def test_a_start_that_somebody_else_writes_does_not_escape_the_policy_in_force(
    engine: sa.Engine,
) -> None:
    seen = granted(engine)
    with worker(engine, Fixed(policy(budget_ceiling="1.00"))) as stricter:
        with as_best_they_can(engine) as connection:
            begin(connection, seen, seen.gift.id)
        assert not worked(stricter, seen)


def test_a_start_that_somebody_else_writes_does_not_escape_a_broken_policy(
    engine: sa.Engine, tmp_path: Path
) -> None:
    seen = granted(engine)
    path = tmp_path / "policy.toml"
    path.write_text(whole('version = "1"'), encoding="utf-8")
    with worker(engine, PolicySource(path)) as stopped:
        path.unlink()
        with as_best_they_can(engine) as connection:
            begin(connection, seen, seen.gift.id)
        assert not worked(stopped, seen)


@pytest.mark.parametrize("run", [{"idempotency_key": str(uuid4())}, {"module": "test"}])
def test_a_run_that_is_not_what_its_grant_says_is_not_executed(
    engine: sa.Engine, hands: Hands, run: dict[str, str]
) -> None:
    seen = granted(engine)
    with forgery(engine) as connection:
        begin(connection, seen, seen.gift.id, **run)
    assert not worked(hands, seen)
    assert hands.effects == []


def test_a_run_whose_module_is_changed_under_way_is_not_executed(
    engine: sa.Engine, hands: Hands
) -> None:
    [victim] = proposed_many(engine, [{"type": "validate"}])
    hands.start(victim.id)
    write(
        engine, "UPDATE execution_runs SET module = 'test' WHERE directive_id = :id", id=victim.id
    )
    with contextlib.suppress(Exception):
        hands.call(victim.id)
    assert hands.effects == []


def test_a_grant_that_ran_out_cannot_be_prolonged(engine: sa.Engine, hands: Hands) -> None:
    seen = granted(engine)
    later = "UPDATE grants SET expires_at = now() + interval '1 year' WHERE id = %s"
    with pytest.raises(psycopg.errors.InsufficientPrivilege), as_service(engine) as connection:
        connection.execute(later, [seen.gift.id])
    with forgery(engine) as connection:
        connection.execute(later, [seen.gift.id])
    assert not worked(hands, seen)


def test_a_grant_that_was_voided_cannot_be_made_good_again(engine: sa.Engine, hands: Hands) -> None:
    seen = granted(engine)
    with worker(engine, Fixed(policy(budget_ceiling="1.00"))) as stricter:
        stricter.work(seen.victim.id)
    with pytest.raises(psycopg.Error, match="once and for good"), as_service(engine) as c:
        c.execute(
            "UPDATE grants SET voided_at = NULL, void_reason = NULL WHERE id = %s", [seen.gift.id]
        )
    with as_best_they_can(engine) as c:
        w.move(c, seen.victim.id, "proposed")
        w.say(c, seen.victim.id, "directive.retried")
        w.move(c, seen.victim.id, "approved")
        begin(c, seen, seen.gift.id)
    assert POLICY.digest == seen.gift.policy_digest
    assert not worked(hands, seen)
