"""What language models cost a run, as its budget's promise is closed with it."""

from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa

from remit.audit.bundle.checks import check_bundle
from remit.audit.bundle.file import read_bundle
from remit.db.session import transaction
from remit.directives.repository import lock_directive
from remit.execution.modules.types import ModuleOutput
from remit.identity.types import Principal
from remit.operations.evidence.bundles import export_bundle
from remit.operations.runs.cancellation import cancel
from remit.operations.runs.results import end_runs
from tests.integration.budget.spending import entries
from tests.support.contents import finish, policy, write
from tests.support.keys import KEYS, WORKER
from tests.support.people import OPERATOR
from tests.support.thinking import Priced, asking, call, executing

DAILY = policy(budget_limits=[{"name": "daily", "ceiling": "$9,000.00", "period": "day"}])
SUCCESS, FAILURE = ModuleOutput.success, ModuleOutput.failure


def asked(engine: sa.Engine, directive_id: object, *costs: str | None) -> list[bool]:
    """Ask a model once for each cost, and return whether it answered."""
    return [
        asking(engine, Priced(cost)).call_llm(call(directive_id=str(directive_id)))["ok"]
        for cost in costs
    ]


def unsound(engine: sa.Engine, directive_id: Any) -> list[str]:
    """Return what a bundle of a directive fails."""
    auditor = Principal("audrey", "human", roles=("auditor",))
    bundle = read_bundle(export_bundle(engine, directive_id, KEYS, by=auditor), KEYS)
    return [f"{one.name}: {one.detail}" for one in check_bundle(bundle, KEYS) if not one.holds]


def closed(engine: sa.Engine, grant_id: Any) -> list[tuple[str, str]]:
    return [(kind, amount) for _, kind, amount in entries(engine, grant_id) if kind != "reserve"]


CASES: dict[str, tuple[tuple[str | None, ...], ModuleOutput, tuple[str, str]]] = {
    "no model, whole": ((), SUCCESS(), ("settle", "40.00")),
    "no model, told": ((), SUCCESS(cost=Decimal("1.50")), ("settle", "1.50")),
    "no model, failed": ((), FAILURE("no"), ("release", "40.00")),
    "told, and a model": (("0.25",), SUCCESS(cost=Decimal("1.50")), ("settle", "1.75")),
    "parts of a cent": (("0.001", "0.0001"), SUCCESS(cost=Decimal("1.50")), ("settle", "1.51")),
    "parts are added before": (("0.004",) * 3, SUCCESS(cost=Decimal(0)), ("settle", "0.02")),
    "not told, and a model": (("0.25",), SUCCESS(), ("settle", "40.00")),
    "not told, and a dear model": (("50.001",), SUCCESS(), ("settle", "50.01")),
    "failed, and a model": (("0.25",), FAILURE("no"), ("settle", "0.25")),
    "failed at a cost": (("0.25",), FAILURE("no", cost=Decimal("3.00")), ("settle", "3.25")),
    "a model for nothing": (("0",), FAILURE("no"), ("release", "40.00")),
    "unknown": ((None,), SUCCESS(cost=Decimal("1.50")), ("settle", "40.00")),
    "unknown, failed": ((None,), FAILURE("no"), ("settle", "40.00")),
    "unknown at last": (("39", None), FAILURE("no", cost=Decimal("2.00")), ("settle", "41.00")),
}


@pytest.mark.parametrize(("costs", "output", "closing"), CASES.values(), ids=CASES)
def test_the_end_of_a_run_settles_what_its_models_cost_too(
    engine: sa.Engine,
    costs: tuple[str | None, ...],
    output: ModuleOutput,
    closing: tuple[str, str],
) -> None:
    found, run = executing(engine, DAILY)
    assert all(asked(engine, found.id, *costs))
    finish(engine, run, output)
    assert closed(engine, run.grant_id) == [closing]
    assert unsound(engine, found.id) == []


def test_runs_that_end_together_each_settle_their_own(empty_engine: sa.Engine) -> None:
    first, second = (executing(empty_engine, DAILY, budget="$10") for _ in range(2))
    asked(empty_engine, first[0].id, "1")
    asked(empty_engine, second[0].id, "2")
    told = SUCCESS(cost=Decimal("0.50"))
    end_runs(empty_engine, [(*first, told), (*second, told)], worker=WORKER)
    assert closed(empty_engine, first[1].grant_id) == [("settle", "1.50")]
    assert closed(empty_engine, second[1].grant_id) == [("settle", "2.50")]


def test_once_the_budget_is_spent_no_model_is_asked(empty_engine: sa.Engine) -> None:
    found, run = executing(empty_engine, DAILY, budget="$1")
    assert asked(empty_engine, found.id, "0.6", "0.6", "0.6") == [True, True, False]
    finish(empty_engine, run, SUCCESS(cost=Decimal(0)))
    assert closed(empty_engine, run.grant_id) == [("settle", "1.20")]


def test_the_end_of_a_run_waits_for_a_call_that_is_being_recorded(
    empty_engine: sa.Engine,
) -> None:
    found, run = executing(empty_engine, DAILY, budget="$10")
    ending = Thread(target=finish, args=(empty_engine, run, SUCCESS(cost=Decimal(0))))
    asked(empty_engine, found.id, "1")
    with transaction(empty_engine) as connection:
        lock_directive(connection, found.id)
        ending.start()
        ending.join(0.3)
        assert ending.is_alive()
        connection.execute(
            sa.text(
                "INSERT INTO artifacts (id, type, uri, directive_id, run_id, metadata, digest,"
                " size_bytes) SELECT gen_random_uuid(), type, uri || '0', directive_id, run_id,"
                " metadata, digest, size_bytes FROM artifacts WHERE type = 'llm_usage'"
            )
        )
    ending.join(20)
    assert closed(empty_engine, run.grant_id) == [("settle", "2.00")]


def test_a_cost_that_is_no_amount_counts_as_unknown(empty_engine: sa.Engine) -> None:
    found, run = executing(empty_engine, DAILY, budget="$10")
    asked(empty_engine, found.id, "1")
    write(
        empty_engine,
        """UPDATE artifacts SET metadata = metadata || '{"estimated_cost_usd": "much"}'
        WHERE type = 'llm_usage'""",
    )
    finish(empty_engine, run, SUCCESS(cost=Decimal(0)))
    assert closed(empty_engine, run.grant_id) == [("settle", "10.00")]


@pytest.mark.parametrize(("cost", "settled"), [("1.001", "10.00"), ("11.001", "11.01")])
def test_a_canceled_run_settles_its_promise_or_what_its_models_cost(
    empty_engine: sa.Engine, cost: str, settled: str
) -> None:
    found, run = executing(empty_engine, DAILY, budget="$10")
    asked(empty_engine, found.id, cost)
    cancel(empty_engine, found.id, by=OPERATOR, reason=None, keys=KEYS)
    assert closed(empty_engine, run.grant_id) == [("settle", settled)]
    assert unsound(empty_engine, found.id) == []
