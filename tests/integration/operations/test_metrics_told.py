"""Each operation counts what it did, and nothing else."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

import pytest
import sqlalchemy as sa

from remit.directives.models import DirectiveRead
from remit.execution.modules.types import ModuleOutput
from remit.memory.writing import NewMemory
from remit.operations.recall.memories import embed_memories, remember
from remit.operations.runs.beginning import begin_run, start_run
from remit.operations.runs.cancellation import cancel
from remit.telemetry.state import STATE
from tests.integration.memory.conftest import WordEmbedder
from tests.support.contents import (
    LONG,
    SHORT,
    cast,
    finish,
    no,
    policy,
    proposed,
    under,
    waiting,
    write,
)
from tests.support.contents import asking as with_approval
from tests.support.keys import KEYS
from tests.support.people import ADMIN, OPERATOR
from tests.support.thinking import Priced, asking, call, executing

DAILY = policy(budget_limits=[{"name": "daily", "ceiling": "$9,000.00", "period": "day"}])
RULES = [{"name": "scope", "scope": "staging"}, {"name": "tool", "type": "unheard-of"}]
TWICE = with_approval(rules=RULES)
LIMITED_TWICE = policy(
    budget_limits=[
        {"name": "daily", "ceiling": "$9,000.00", "period": "day"},
        {"name": "monthly", "ceiling": "$9,000.00", "period": "month"},
    ]
)
TIMED = ("policy_evaluation_duration_seconds", "queue_lag_seconds", "approval_wait_seconds")
"""How long something took: that it was recorded is what counts here."""


class Recording:
    """Samples as they are written, added up."""

    def __init__(self) -> None:
        self.sums: Counter[str] = Counter()

    def write(self, name: str, amount: float, labels: Mapping[str, str]) -> None:
        """Add a sample."""
        label = "".join(f" {value}" for value in labels.values())
        self.sums[f"{name}{label}"] += 1 if name in TIMED else amount  # type: ignore[assignment]


@pytest.fixture
def told() -> Iterator[Recording]:
    assert STATE.meter is None
    STATE.meter = recording = Recording()
    yield recording
    STATE.meter = None


def gate(status: str, verdict: str, *policies: str) -> dict[str, float]:
    """Return what a decision counts; `policies` are those that did not allow it."""
    return {
        **{f"policy_results_total {policy} {verdict}": 1 for policy in policies},
        f"directives_total {status}": 1,
        f"policy_evaluations_total {verdict}": 1,
        "policy_evaluation_duration_seconds": 1,
    }


START = {"directives_total executing": 1, "queue_lag_seconds": 1}
ALLOWED, RESERVED = gate("approved", "allow"), {"budget_reserved_dollars_total": 40}


def failed(reason: str) -> dict[str, float]:
    return {"directives_total aborted": 1, f"execution_failures_total {reason}": 1}


def run_of(engine: sa.Engine, output: ModuleOutput, *costs: str) -> None:
    found, run = executing(engine, DAILY)
    for cost in costs:
        asking(engine, Priced(cost)).call_llm(call(directive_id=str(found.id)))
    finish(engine, run, output)


def voted(engine: sa.Engine, *, approve: bool) -> DirectiveRead:
    found = waiting(engine, DAILY, budget="$40")
    return cast(engine, found, None if approve else no(found), DAILY).directive


def stopped(engine: sa.Engine, found: DirectiveRead) -> None:
    cancel(engine, found.id, by=OPERATOR, reason=None)


def unsigned(engine: sa.Engine, *, grant: bool) -> None:
    found = proposed(engine, DAILY)
    if grant:
        write(engine, "UPDATE grants SET module = 'noop' WHERE directive_id = :id", id=found.id)
    else:
        write(engine, "DELETE FROM grants WHERE directive_id = :id", id=found.id)
    start_run(engine, found.id, lambda _: SHORT, under(DAILY))


def exhausted(engine: sa.Engine) -> None:
    found = proposed(engine, DAILY, budget="$40")
    start_run(engine, found.id, lambda _: LONG, under(DAILY))
    for _ in range(4):
        begin_run(engine, found.id, lambda _: LONG, under(DAILY))


def unfounded(engine: sa.Engine) -> None:
    found = proposed(engine, DAILY, budget="$40")
    write(engine, "UPDATE directives SET status = 'executing' WHERE id = :id", id=found.id)
    start_run(engine, found.id, lambda _: SHORT, under(DAILY))


def embedded(engine: sa.Engine, cost: Decimal | None) -> None:
    new = [NewMemory("kitchen", "Ada likes tea."), NewMemory("kitchen", "Grace does not.")]
    ids = [one.memory_id for one in remember(engine, new, by=ADMIN, keys=KEYS)]
    embed_memories(engine, WordEmbedder(cost=cost), ids, by=ADMIN)


ASK = gate("proposed", "require_approval", "human_approval")
SUCCESS = {"directives_total complete": 1, "module_executions_total echo success": 1}
CALLED = {
    "llm_calls_total openai success": 1,
    "llm_tokens_total input": 11,
    "llm_tokens_total output": 5,
}
CASES: dict[str, tuple[Callable[[sa.Engine], object], dict[str, float]]] = {
    "allowed": (lambda e: proposed(e, DAILY, budget="$40"), ALLOWED | RESERVED),
    "allowed under two limits": (
        lambda e: proposed(e, LIMITED_TWICE, budget="$40"),
        ALLOWED | RESERVED,
    ),
    "allowed, no budget": (lambda e: proposed(e, DAILY), ALLOWED),
    "blocked": (
        lambda e: proposed(e, DAILY, type="unheard-of"),
        gate("blocked", "block", "tool_allowlist"),
    ),
    "blocked by two policies": (
        lambda e: proposed(e, DAILY, type="unheard-of", scope="nowhere"),
        gate("blocked", "block", "tool_allowlist", "scope_allowlist"),
    ),
    "blocked by one policy, asked about by two rules of another": (
        lambda e: proposed(e, TWICE, type="unheard-of", scope="staging"),
        gate("blocked", "block", "tool_allowlist")
        | {"policy_results_total human_approval require_approval": 1},
    ),
    "voted for": (
        lambda e: voted(e, approve=True),
        ASK | RESERVED | {"directives_total approved": 1, "approval_wait_seconds": 1},
    ),
    "voted against": (
        lambda e: voted(e, approve=False),
        ASK | {"directives_total blocked": 1, "approval_wait_seconds": 1},
    ),
    "completed": (
        lambda e: run_of(e, ModuleOutput.success(cost=Decimal("1.5")), "0.25"),
        ALLOWED
        | RESERVED
        | START
        | SUCCESS
        | CALLED
        | {"llm_cost_dollars_total": 0.25, "budget_settled_dollars_total": 1.75},
    ),
    "completed, and its module does not say what it spent": (
        lambda e: run_of(e, ModuleOutput.success(), "0.25"),
        ALLOWED
        | RESERVED
        | START
        | SUCCESS
        | CALLED
        | {"llm_cost_dollars_total": 0.25, "budget_settled_dollars_total": 0.25},
    ),
    "failed": (
        lambda e: run_of(e, ModuleOutput.failure("no")),
        ALLOWED
        | RESERVED
        | START
        | failed("module_failed")
        | {"module_executions_total echo failure": 1},
    ),
    "canceled while it waits": (
        lambda e: stopped(e, waiting(e, DAILY)),
        ASK | {"directives_total blocked": 1},
    ),
    "canceled before it runs": (
        lambda e: stopped(e, proposed(e, DAILY, budget="$40")),
        ALLOWED | RESERVED | {"directives_total blocked": 1, "grants_voided_total canceled": 1},
    ),
    "canceled while it runs": (
        lambda e: stopped(e, executing(e, DAILY)[0]),
        ALLOWED | RESERVED | START | failed("canceled"),
    ),
    "a grant that does not hold": (
        lambda e: unsigned(e, grant=True),
        ALLOWED | {"directives_total blocked": 1, "grants_voided_total approval_unverifiable": 1},
    ),
    "no grant at all": (
        lambda e: unsigned(e, grant=False),
        ALLOWED | {"directives_total blocked": 1},
    ),
    "begun too often": (
        exhausted,
        ALLOWED | RESERVED | START | {"execution_failures_total in_doubt": 1},
    ),
    "two memories embedded": (
        lambda e: embedded(e, Decimal("0.25")),
        {"embedding_texts_total words": 2, "embedding_cost_dollars_total": 0.25},
    ),
    "two memories embedded at a price that nobody knows": (
        lambda e: embedded(e, None),
        {"embedding_texts_total words": 2},
    ),
    "no run at all": (unfounded, ALLOWED | RESERVED | failed("approval_unverifiable")),
}


@pytest.mark.parametrize("name", CASES)
def test_an_operation_counts_what_it_did(
    empty_engine: sa.Engine, told: Recording, name: str
) -> None:
    act, expected = CASES[name]
    act(empty_engine)
    assert {what: amount for what, amount in told.sums.items() if amount} == expected
