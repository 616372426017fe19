"""What every attempt of a run cost counts, whether it was promised or not."""

from decimal import Decimal

import pytest
import sqlalchemy as sa

from remit.directives.models import DirectiveRead
from remit.execution.modules.types import ModuleOutput
from remit.operations.evidence.records import read_record
from remit.operations.runs import results
from remit.operations.runs.beginning import start_run
from remit.operations.runs.cancellation import cancel
from remit.policy.config import PolicyConfig
from tests.integration.budget.spending import entries
from tests.support.contents import POLICY, SHORT, finish, policy, proposed, under
from tests.support.people import OPERATOR

DAILY = policy(budget_limits=[{"name": "daily", "ceiling": "$9,000.00", "period": "day"}])
DIME = Decimal("0.30")
AGAIN = ModuleOutput.failure("the service is away", retryable=True, cost=DIME)


def carried_out(
    engine: sa.Engine,
    *outputs: ModuleOutput | None,
    terms: PolicyConfig = DAILY,
    budget: str | None = "$40",
) -> DirectiveRead:
    """Begin a run once for each output, and end each attempt with it; None: it is lost."""
    found = proposed(engine, terms, budget=budget)
    for output in outputs:
        run = start_run(engine, found.id, lambda _: SHORT, under(terms)).run
        assert run is not None
        if output is not None:
            finish(engine, run, output)
    return found


def ledger(engine: sa.Engine, found: DirectiveRead) -> list[tuple[str, str, str]]:
    grant = read_record(engine, found.id).grant
    assert grant is not None
    return [(account, kind, str(amount)) for account, kind, amount in entries(engine, grant.id)]


def said(engine: sa.Engine, found: DirectiveRead, event_type: str) -> list[str]:
    events = read_record(engine, found.id).events
    return [event.data for event in events if event.type == event_type]


@pytest.mark.parametrize(
    ("outputs", "settled"),
    [
        ([AGAIN, AGAIN, ModuleOutput.success(cost=DIME)], ("settle", "0.90")),
        ([AGAIN, AGAIN, AGAIN], ("settle", "0.90")),
        ([AGAIN, ModuleOutput.success()], ("settle", "40.00")),
        ([None, ModuleOutput.success(cost=DIME)], ("settle", "40.00")),
        ([ModuleOutput.error_("it broke")], ("settle", "40.00")),
        ([ModuleOutput.failure("no paper")], ("release", "40.00")),
        ([ModuleOutput.success(cost=Decimal("41.00"))], ("settle", "41.00")),
    ],
    ids=[
        "three attempts",
        "three in vain",
        "one that does not say",
        "one that was lost",
        "one that raised",
        "one that foresaw it",
        "more than was promised",
    ],
)
def test_a_promise_is_closed_with_what_all_attempts_cost(
    engine: sa.Engine, outputs: list[ModuleOutput | None], settled: tuple[str, str]
) -> None:
    found = carried_out(engine, *outputs)
    assert ledger(engine, found)[1:] == [("daily", *settled)]
    exceeded = said(engine, found, "budget.exceeded")
    assert len(exceeded) == (settled == ("settle", "41.00"))


def test_an_attempt_that_is_forgotten_costs_nothing(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "attempt_cost", lambda _: Decimal("0.00"))
    found = carried_out(engine, AGAIN, AGAIN, ModuleOutput.success(cost=DIME))
    assert ledger(engine, found)[1:] == [("daily", "settle", "0.00")]


@pytest.mark.parametrize(("budget", "terms"), [(None, POLICY), ("$40", POLICY)])
def test_a_cost_that_nothing_was_promised_to_is_an_entry_and_an_event(
    engine: sa.Engine, budget: str | None, terms: PolicyConfig
) -> None:
    success = ModuleOutput.success(cost=DIME)
    found = carried_out(engine, AGAIN, success, terms=terms, budget=budget)
    assert ledger(engine, found) == [("not promised", "settle", "0.60")]
    assert said(engine, found, "budget.unpromised") == ['{"spent": "0.60"}']


def test_the_account_of_what_was_not_promised_adds_up(empty_engine: sa.Engine) -> None:
    for _ in range(2):
        carried_out(empty_engine, ModuleOutput.success(cost=DIME), terms=POLICY, budget=None)
    with empty_engine.connect() as connection:
        statement = sa.text("SELECT account, reserved, settled FROM budget_accounts")
        [row] = connection.execute(statement)
    assert tuple(row) == ("not promised", Decimal("0.00"), Decimal("0.60"))


def test_a_run_that_cost_nothing_and_was_promised_nothing_leaves_no_entry(
    engine: sa.Engine,
) -> None:
    found = carried_out(engine, ModuleOutput.success(), terms=POLICY, budget=None)
    assert ledger(engine, found) == []


def test_what_a_canceled_attempt_costs_nobody_knows(engine: sa.Engine) -> None:
    found = carried_out(engine, AGAIN, None)
    cancel(engine, found.id, by=OPERATOR, reason=None)
    assert ledger(engine, found)[1:] == [("daily", "settle", "40.00")]


def test_no_entry_of_what_was_not_promised_is_made_for_a_run_that_was_promised_something(
    engine: sa.Engine,
) -> None:
    found = carried_out(engine, None)
    with pytest.raises(sa.exc.DBAPIError, match="nothing was promised to"), engine.begin() as one:
        one.exec_driver_sql(
            "INSERT INTO budget_entries (account, period_start, directive_id, grant_id, kind,"
            " amount) SELECT 'not promised', date_trunc('month', now(), 'UTC'), directive_id, id,"
            " 'settle', 1 FROM grants WHERE directive_id = %(id)s",
            {"id": found.id},
        )
