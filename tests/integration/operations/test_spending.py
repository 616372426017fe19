"""The limits on spending, from the gate to the end of a run."""

from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from remit.directives.models import DirectiveRead
from remit.execution.models import ExecutionRunRead
from remit.execution.modules.types import ModuleOutput
from remit.operations.evidence.records import read_record
from remit.operations.gate import proposals
from remit.operations.runs.beginning import start_run
from remit.operations.runs.cancellation import cancel
from remit.policy.config import PolicyConfig
from tests.support.contents import (
    AUTHORITY,
    SHORT,
    cast,
    directive,
    finish,
    policy,
    proposed,
    under,
    waiting,
    yes,
)
from tests.support.people import AGENT, OPERATOR
from tests.support.races import at_once


def limited(**limit: Any) -> PolicyConfig:
    """Return the built-in policy with one limit of $100 a day."""
    daily = {"name": "daily", "ceiling": "$100.00", "period": "day"}
    return policy(budget_limits=[daily | limit])


def account(engine: sa.Engine) -> tuple[Decimal, Decimal]:
    """Return what is reserved and what is settled under the limit."""
    with engine.connect() as connection:
        row = connection.execute(sa.text("SELECT reserved, settled FROM budget_accounts")).one()
        return row.reserved, row.settled


def started(engine: sa.Engine, found: DirectiveRead, daily: PolicyConfig) -> ExecutionRunRead:
    run = start_run(engine, found.id, lambda _: SHORT, under(daily)).run
    assert run is not None
    return run


def test_a_grant_reserves_its_budget_and_the_next_directive_finds_less(
    empty_engine: sa.Engine,
) -> None:
    daily = limited()
    first = proposed(empty_engine, daily, budget="$45")
    second = proposed(empty_engine, daily, budget="$45")
    third = proposed(empty_engine, daily, budget="$10.01")
    assert [one.status for one in (first, second, third)] == ["approved", "approved", "blocked"]
    assert account(empty_engine) == (Decimal("90.00"), Decimal("0.00"))
    assert proposed(empty_engine, daily, budget="$10.00").status == "approved"


def test_the_refusal_says_what_is_left(empty_engine: sa.Engine) -> None:
    daily = limited()
    proposed(empty_engine, daily, budget="$45")
    proposed(empty_engine, daily, budget="$45")
    refused = proposed(empty_engine, daily, budget="$20")
    [blocked] = [e for e in read_record(empty_engine, refused.id).events if "because" in e.data]
    assert (
        "limit daily: budget would pass $100.00 a day ($90.00 committed so far, $20.00 more)"
        in blocked.data
    )


def test_directives_of_one_batch_are_judged_one_after_another(empty_engine: sa.Engine) -> None:
    contents = [directive(budget="$40") for _ in range(4)]
    outcomes = proposals.propose(empty_engine, contents, under(limited()), by=AGENT)
    statuses = [outcome.directive.status for outcome in outcomes]
    assert statuses == ["approved", "approved", "blocked", "blocked"]
    assert account(empty_engine) == (Decimal("80.00"), Decimal("0.00"))


@pytest.mark.parametrize(
    ("output", "left"),
    [
        (ModuleOutput.success(), ("0.00", "40.00")),
        (ModuleOutput.success(cost=Decimal("12.34")), ("0.00", "12.34")),
        (ModuleOutput.failure("no", cost=Decimal("3.00")), ("0.00", "3.00")),
        (ModuleOutput.failure("no"), ("0.00", "0.00")),
        (ModuleOutput.error_("broke"), ("0.00", "40.00")),
        (ModuleOutput.success(cost=Decimal("41.00")), ("0.00", "41.00")),
    ],
    ids=["whole", "less", "failed-at-a-cost", "failed", "broke", "overrun"],
)
def test_the_end_of_a_run_settles_what_it_cost_and_releases_the_rest(
    empty_engine: sa.Engine, output: ModuleOutput, left: tuple[str, str]
) -> None:
    daily = limited()
    run = started(empty_engine, proposed(empty_engine, daily, budget="$40"), daily)
    finish(empty_engine, run, output)
    assert account(empty_engine) == (Decimal(left[0]), Decimal(left[1]))


@pytest.mark.parametrize("begun", [False, True], ids=["approved", "executing"])
def test_a_canceled_directive_gives_back_what_no_attempt_may_have_spent(
    empty_engine: sa.Engine, *, begun: bool
) -> None:
    daily = limited()
    found = proposed(empty_engine, daily, budget="$40")
    if begun:
        started(empty_engine, found, daily)
    cancel(empty_engine, found.id, by=OPERATOR, reason=None)
    assert account(empty_engine) == (Decimal("0.00"), Decimal("40.00" if begun else "0.00"))


def test_a_void_grant_gives_back_what_it_was_promised(empty_engine: sa.Engine) -> None:
    found = proposed(empty_engine, limited(), budget="$40")
    after = start_run(empty_engine, found.id, lambda _: SHORT, AUTHORITY).directive
    assert after.status_reason == "policy_changed"
    assert account(empty_engine) == (Decimal("0.00"), Decimal("0.00"))


def test_what_people_approve_reserves_when_they_do(empty_engine: sa.Engine) -> None:
    daily = limited()
    found = waiting(empty_engine, daily, budget="$60")
    assert proposed(empty_engine, daily, budget="$30").status == "approved"
    assert cast(empty_engine, found, yes(found), daily).outcome == "approved"
    assert account(empty_engine) == (Decimal("90.00"), Decimal("0.00"))


def test_an_approval_that_finds_too_little_left_is_withheld(empty_engine: sa.Engine) -> None:
    daily = limited()
    found = waiting(empty_engine, daily, budget="$30")
    for _ in range(2):
        proposed(empty_engine, daily, budget="$40")
    outcome = cast(empty_engine, found, yes(found), daily)
    assert outcome.outcome == "withheld"
    assert outcome.directive.status_reason == "budget_exhausted"
    record = read_record(empty_engine, found.id)
    assert record.request is not None
    assert (record.request.status, record.grant) == ("invalidated", None)
    assert account(empty_engine) == (Decimal("80.00"), Decimal("0.00"))


def test_people_who_were_asked_may_let_a_limit_be_passed(empty_engine: sa.Engine) -> None:
    daily = limited(at_cap="ask")
    for _ in range(2):
        proposed(empty_engine, daily, budget="$50")
    found = proposed(empty_engine, daily, budget="$10")
    assert found.status == "proposed"
    assert cast(empty_engine, found, yes(found), daily).outcome == "approved"
    assert account(empty_engine) == (Decimal("110.00"), Decimal("0.00"))


def test_people_who_were_asked_something_else_may_not(empty_engine: sa.Engine) -> None:
    daily = limited(at_cap="ask")
    found = waiting(empty_engine, daily, budget="$10")
    for _ in range(2):
        proposed(empty_engine, daily, budget="$50")
    assert cast(empty_engine, found, yes(found), daily).outcome == "withheld"
    assert account(empty_engine) == (Decimal("100.00"), Decimal("0.00"))


def test_a_limit_of_one_role_leaves_the_others_alone(empty_engine: sa.Engine) -> None:
    daily = limited(role="deployer")
    assert proposed(empty_engine, daily, budget="$50", role="deployer").status == "approved"
    assert proposed(empty_engine, daily, budget="$50", role="deployer").status == "approved"
    assert proposed(empty_engine, daily, budget="$1", role="deployer").status == "blocked"
    assert proposed(empty_engine, daily, budget="$50").status == "approved"


@pytest.mark.untraced
def test_two_hundred_at_once_never_pass_the_ceiling_by_a_cent(empty_engine: sa.Engine) -> None:
    daily = limited()

    def spend(number: int) -> str:
        return proposed(empty_engine, daily, budget=f"{number % 7 + 1}.01").status

    statuses = at_once(spend, 200)
    reserved, settled = account(empty_engine)
    assert settled == 0
    assert Decimal("99.00") - 7 < reserved <= Decimal("100.00")
    assert statuses.count("approved") + statuses.count("blocked") == 200
    with empty_engine.connect() as connection:
        granted = sa.text("SELECT sum(budget) FROM grants")
        assert connection.execute(granted).scalar_one() == reserved
