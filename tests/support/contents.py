"""Directives, policies and short ways through the loop, for the tests on real servers."""

from typing import Any

import sqlalchemy as sa

from remit.approval.types import Ballot
from remit.directives.models import DirectiveCreate, DirectiveRead, parse_directive
from remit.execution.models import ExecutionRunRead
from remit.execution.modules.types import ModuleOutput
from remit.operations import gate
from remit.operations.results import Ended, Ending, end_run
from remit.operations.starts import ModuleChoice
from remit.policy.config import PolicyConfig, default_policy

POLICY = default_policy()
"""The built-in policy: scope `test` is allowed, scope `staging` needs a person."""

SHORT = ModuleChoice(kind="short", version="1")
LONG = ModuleChoice(kind="long", version="1")


def directive(**changes: Any) -> DirectiveCreate:
    """Return a directive that the built-in policy allows, but for what is changed."""
    fields: dict[str, Any] = {
        "role": "operations",
        "type": "echo",
        "payload": {"say": "hello"},
        "issued_by": "agent-1",
        "objective": "Say hello.",
        "scope": "test",
        "status": "proposed",
    }
    return parse_directive(fields | changes, max_bytes=65536)


def policy(**changes: Any) -> PolicyConfig:
    """Return the built-in policy with some of its fields changed."""
    return PolicyConfig.model_validate(POLICY.canonical() | changes)


def asking(**changes: Any) -> PolicyConfig:
    """Return the built-in policy, but with other terms of approval."""
    canonical: Any = POLICY.canonical()
    return policy(approval=canonical["approval"] | changes)


def finish(engine: sa.Engine, run: ExecutionRunRead, output: ModuleOutput) -> Ended:
    """End a run with what its module returned."""
    return end_run(engine, Ending(run, output))


def proposed(engine: sa.Engine, under: PolicyConfig = POLICY, /, **changes: Any) -> DirectiveRead:
    """Propose one directive and return it as the gate left it."""
    [outcome] = gate.propose(engine, [directive(**changes)], under)
    return outcome.directive


def waiting(engine: sa.Engine, under: PolicyConfig = POLICY, /, **changes: Any) -> DirectiveRead:
    """Propose one directive that waits for a person, and return it."""
    found = proposed(engine, under, **({"scope": "staging"} | changes))
    assert found.status == "proposed"
    return found


def yes(directive: DirectiveRead, voter: str = "operator", **changes: Any) -> Ballot:
    """Return a vote for a directive."""
    return _ballot(directive, voter, "approve", **changes)


def no(directive: DirectiveRead, voter: str = "operator", **changes: Any) -> Ballot:
    """Return a vote against a directive."""
    return _ballot(directive, voter, "reject", **({"reason": "not today"} | changes))


def _ballot(directive: DirectiveRead, voter: str, decision: Any, **changes: Any) -> Ballot:
    fields = {"reason": None, "action_digest": str(directive.action_digest)} | changes
    return Ballot(voter=voter, decision=decision, **fields)


def counts(engine: sa.Engine) -> dict[str, int]:
    """Return how many rows each table of the loop holds."""
    tables = ("directives", "approval_requests", "approval_votes", "grants", "execution_runs")
    with engine.connect() as connection:
        return {
            table: connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608 - the names stand above
            for table in (*tables, "artifacts", "events")
        }


def write(engine: sa.Engine, statement: str, **values: object) -> None:
    """Execute one statement behind the operations' back."""
    with engine.begin() as connection:
        connection.execute(sa.text(statement), values)
