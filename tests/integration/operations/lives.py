"""Directives that went their ways through the loop, for the tests of what they leave behind."""

from collections.abc import Callable

import sqlalchemy as sa

from remit.directives.models import DirectiveRead
from remit.execution.models import MAX_ATTEMPTS
from remit.execution.modules.registry import ModuleInfo
from remit.execution.modules.types import ModuleOutput
from remit.operations.gate import proposals
from remit.operations.gate.approvals import settle
from remit.operations.runs.beginning import begin_run, start_run
from remit.operations.runs.cancellation import cancel
from tests.support.contents import (
    AUTHORITY,
    LONG,
    SHORT,
    asking,
    cast,
    finish,
    no,
    policy,
    proposed,
    under,
    waiting,
    write,
    yes,
)
from tests.support.keys import KEYS
from tests.support.people import ADA, AGENT, GRACE, OPERATOR

Life = Callable[[sa.Engine], DirectiveRead]

LIMITED = policy(
    budget_limits=[
        {"name": "monthly", "ceiling": "900.00", "period": "month"},
        {"name": "ours", "ceiling": "900.00", "period": "month", "role": "operations"},
    ]
)
"""A policy under which a budget is promised on two accounts."""


def ran(
    engine: sa.Engine,
    found: DirectiveRead,
    output: ModuleOutput | None = None,
    choice: ModuleInfo = SHORT,
) -> DirectiveRead:
    """Start a directive, and end it with what its module returned."""
    run = start_run(engine, found.id, lambda _: choice, AUTHORITY).run
    assert run is not None
    if choice.kind == "long":
        run = begin_run(engine, found.id, lambda _: choice, AUTHORITY).run
        assert run is not None
    finish(engine, run, output or ModuleOutput.success({"large": 1e300, "small": 0.1, "mid": 1e20}))
    return found


def draft(engine: sa.Engine) -> DirectiveRead:
    return proposed(engine, status="draft")


def submitted(engine: sa.Engine) -> DirectiveRead:
    found = draft(engine)
    return proposals.submit(engine, found.id, AUTHORITY, by=AGENT).directive


def blocked(engine: sa.Engine) -> DirectiveRead:
    return proposed(engine, type="unheard-of", budget="$1,000,000")


def retried(engine: sa.Engine) -> DirectiveRead:
    found = blocked(engine)
    proposals.submit(engine, found.id, under(LIMITED), by=AGENT)
    return found


def rejected(engine: sa.Engine) -> DirectiveRead:
    found = waiting(engine)
    cast(engine, found, no(found))
    return found


def agreed(engine: sa.Engine) -> DirectiveRead:
    """Two people agree, one of them at second thought, on what a limit applies to."""
    terms = asking(required_approvals=2, rejection_ends=False).canonical()
    two = policy(**terms | {"budget_limits": LIMITED.canonical()["budget_limits"]})
    found = waiting(engine, two, budget="$12.50")
    cast(engine, found, no(found), two, by=GRACE)
    cast(engine, found, yes(found, reason="looks fine"), two, by=ADA)
    cast(engine, found, yes(found), two, by=GRACE)
    run = start_run(engine, found.id, lambda _: SHORT, under(two)).run
    assert run is not None
    finish(engine, run, ModuleOutput.success({"said": "hello"}))
    return found


def run_out(engine: sa.Engine) -> DirectiveRead:
    found = waiting(engine)
    write(
        engine,
        "UPDATE approval_requests SET expires_at = now() WHERE directive_id = :id",
        id=found.id,
    )
    settle(engine, found.id)
    proposals.submit(engine, found.id, AUTHORITY, by=AGENT)
    cast(engine, found)
    return ran(engine, found)


def canceled_before(engine: sa.Engine) -> DirectiveRead:
    found = proposed(engine, LIMITED, budget="$12.50")
    cancel(engine, found.id, by=OPERATOR, reason="not today", keys=KEYS)
    return found


def canceled_run(engine: sa.Engine) -> DirectiveRead:
    found = proposed(engine, budget="$12.50")
    start_run(engine, found.id, lambda _: SHORT, AUTHORITY)
    cancel(engine, found.id, by=OPERATOR, reason=None, keys=KEYS)
    return found


def limited(output: ModuleOutput | None) -> Life:
    def live(engine: sa.Engine) -> DirectiveRead:
        found = proposed(engine, LIMITED, budget="$12.50")
        run = start_run(engine, found.id, lambda _: SHORT, under(LIMITED)).run
        assert run is not None
        if output is not None:
            finish(engine, run, output)
        return found

    return live


def exhausted(engine: sa.Engine) -> DirectiveRead:
    found = proposed(engine)
    for _ in range(MAX_ATTEMPTS + 1):
        start_run(engine, found.id, lambda _: SHORT, AUTHORITY)
    return found


def another_policy(engine: sa.Engine) -> DirectiveRead:
    """A grant becomes void, and the directive passes the gate again under the new policy."""
    found = proposed(engine, LIMITED, budget="$12.50")
    start_run(engine, found.id, lambda _: SHORT, AUTHORITY)
    proposals.submit(engine, found.id, AUTHORITY, by=AGENT)
    return ran(engine, found)


def late(engine: sa.Engine) -> DirectiveRead:
    found = proposed(engine)
    run = start_run(engine, found.id, lambda _: SHORT, AUTHORITY).run
    assert run is not None
    cancel(engine, found.id, by=OPERATOR, reason="too slow", keys=KEYS)
    finish(engine, run, ModuleOutput.success())
    return found


COST = ModuleOutput.success(cost=policy().budget_ceiling / 8)
LIVES: dict[str, Life] = {
    "draft": draft,
    "submitted": submitted,
    "blocked": blocked,
    "blocked twice": retried,
    "waiting": waiting,
    "rejected": rejected,
    "agreed by two": agreed,
    "asked again": run_out,
    "approved": lambda engine: proposed(engine, LIMITED, budget="$12.50"),
    "canceled before it ran": canceled_before,
    "canceled while it ran": canceled_run,
    "a late result": late,
    "running": limited(None),
    "complete": limited(ModuleOutput.success()),
    "cheaper than thought": limited(COST),
    "failed": limited(ModuleOutput.failure("no paper")),
    "failed at a cost": limited(ModuleOutput.failure("no paper", cost=COST.cost)),
    "long": lambda engine: ran(engine, proposed(engine), choice=LONG),
    "attempts exhausted": exhausted,
    "under another policy": another_policy,
    "no worker has it": lambda engine: proposed(engine, type="test"),
}
"""Every way that a directive can go, as far as it differs in what is left."""
