"""Directives, policies and short ways through the loop, for the tests on real servers."""

import json
import re
from dataclasses import replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from remit.approval.statements import sign_grant
from remit.approval.types import Ballot, Grant
from remit.audit.chain import INSTALLATION
from remit.directives.models import DirectiveCreate, DirectiveRead, parse_directive
from remit.execution.models import ExecutionRunRead
from remit.execution.modules.registry import discover_modules
from remit.execution.modules.types import ModuleOutput
from remit.identity.types import Principal
from remit.operations.evidence.records import read_record
from remit.operations.gate import proposals
from remit.operations.gate.approvals import VoteOutcome, vote
from remit.operations.gate.authority import Authority
from remit.operations.runs.results import end_run
from remit.policy.config import PolicyConfig, default_policy
from remit.stack.postgres import SUPERUSER
from tests.support.keys import KEYS, WORKER
from tests.support.people import OPERATOR, agent, shown

POLICY = default_policy()
"""The built-in policy: scope `test` is allowed, scope `staging` needs a person."""

AUTHORITY = Authority(POLICY, KEYS, WORKER)
"""What decisions are made with, unless a test says otherwise."""

_ECHO = discover_modules(installed=()).describe_module("echo")
assert _ECHO is not None
SHORT = _ECHO
"""The worker's module `echo`, which is what :func:`directive` asks for."""

LONG = replace(SHORT, kind="long")
"""The same module, as if it were long, and as if a grant for the short one were for it."""
vars(LONG)["digest"] = SHORT.digest


def under(policy: PolicyConfig) -> Authority:
    """Return what decisions are made with under another policy."""
    return Authority(policy, KEYS, WORKER)


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


def finish(engine: sa.Engine, run: ExecutionRunRead, output: ModuleOutput) -> DirectiveRead:
    """End a run with what its module returned."""
    about = read_record(engine, run.directive_id).directive
    return end_run(engine, about, run, output, worker=WORKER).directive


def proposed(engine: sa.Engine, policy: PolicyConfig = POLICY, /, **changes: Any) -> DirectiveRead:
    """Propose one directive and return it as the gate left it."""
    content = directive(**changes)
    [outcome] = proposals.propose(
        engine, [content], Authority(policy, KEYS), by=agent(content.issued_by)
    )
    return outcome.directive


def waiting(engine: sa.Engine, policy: PolicyConfig = POLICY, /, **changes: Any) -> DirectiveRead:
    """Propose one directive that waits for a person, and return it."""
    found = proposed(engine, policy, **({"scope": "staging"} | changes))
    assert found.status == "proposed"
    return found


def yes(directive: DirectiveRead, **changes: Any) -> Ballot:
    """Return a vote for a directive."""
    return _ballot(directive, "approve", **changes)


def no(directive: DirectiveRead, **changes: Any) -> Ballot:
    """Return a vote against a directive."""
    return _ballot(directive, "reject", **({"reason": "not today"} | changes))


def _ballot(directive: DirectiveRead, decision: Any, **changes: Any) -> Ballot:
    fields = {"reason": None, "action_digest": str(directive.action_digest)} | changes
    return Ballot(decision=decision, **fields)


def cast(
    engine: sa.Engine,
    directive: DirectiveRead,
    ballot: Ballot | None = None,
    policy: PolicyConfig = POLICY,
    *,
    by: Principal = OPERATOR,
) -> VoteOutcome:
    """Cast a vote, by default the operator's approval, with the token that the tests gave them."""
    by = by if by.token else shown(by)
    return vote(engine, directive.id, ballot or yes(directive), Authority(policy, KEYS), by=by)


def regrant(engine: sa.Engine, directive_id: UUID, **changes: Any) -> Grant:
    """Change the grant of a directive, and sign it again as only a holder of the key can."""
    grant = read_record(engine, directive_id).grant
    assert grant is not None
    changed = sign_grant(replace(grant, **changes), KEYS)
    columns = ", ".join(f"{name} = :{name}" for name in (*changes, "envelope"))
    write(
        engine,
        f"UPDATE grants SET {columns} WHERE id = :id",  # noqa: S608 - fields of the test's choice
        id=grant.id,
        **{name: getattr(changed, name) for name in changes},
        envelope=json.dumps(changed.envelope),
    )
    return changed


def counts(engine: sa.Engine) -> dict[str, int]:
    """Return how many rows each table of the loop holds, but for the installation's own events."""
    tables = ("directives", "approval_requests", "approval_votes", "grants", "execution_runs")
    with engine.connect() as connection:
        found = {
            table: connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608 - the names stand above
            for table in (*tables, "artifacts")
        }
        about_directives = sa.text("SELECT count(*) FROM events WHERE directive_id <> :own")
        events = connection.execute(about_directives, {"own": INSTALLATION}).scalar_one()
        return {**found, "events": events}


def write(engine: sa.Engine, statement: str, **values: object) -> None:
    """Execute one statement as the superuser, past the operations and the table's own triggers."""
    named = _TABLE.match(statement)
    assert named, f"names no table to write to: {statement}"
    table, forger = named[1], forging(engine)
    try:
        with forger.begin() as connection:
            modes = connection.execute(_TRIGGERS, {"table": table}).all()
            _set_triggers(connection, table, [f"DISABLE TRIGGER {name}" for name, _ in modes])
            connection.execute(sa.text(statement), values)
            _set_triggers(connection, table, [f"{mode} TRIGGER {name}" for name, mode in modes])
    finally:
        forger.dispose()


def forging(engine: sa.Engine) -> sa.Engine:
    """Return an engine on the same database for the superuser, to whom no right is refused."""
    return sa.create_engine(engine.url.set(username=SUPERUSER), poolclass=sa.NullPool)


_TABLE = re.compile(r"\s*(?:UPDATE|INSERT INTO|DELETE FROM)\s+(\w+)")
_TRIGGERS = sa.text(
    """
    SELECT quote_ident(tgname), CASE tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END
    FROM pg_trigger
    WHERE tgrelid = CAST(:table AS regclass) AND NOT tgisinternal AND tgenabled <> 'D'
    """
)


def _set_triggers(connection: sa.Connection, table: str, commands: list[str]) -> None:
    if commands:
        connection.execute(sa.text(f"ALTER TABLE {table} {', '.join(commands)}"))
