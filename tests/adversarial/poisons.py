"""Rows that no reader can hold, of every table that holds what callers or services say."""

from collections.abc import Callable, Mapping
from uuid import UUID, uuid4

import sqlalchemy as sa

from remit.operations.runs.beginning import start_run
from tests.support.contents import AUTHORITY, SHORT, asking, cast, policy, proposed, waiting, write

DEEP = "(repeat('[', 3000) || repeat(']', 3000))::jsonb"
HUGE = """'{"x": 1e5000}'::jsonb"""
LONG = "to_jsonb(repeat('x', 40000000))"
LONG_TEXT = "repeat('x', 10000000)"


def _within(value: str) -> str:
    return f"jsonb_build_object('x', {value})"


REFUSED: Mapping[str, tuple[str, str, str]] = {
    "a number without end in a payload": ("directives", "payload", HUGE),
    "constraints of a depth without end": ("directives", "constraints", _within(DEEP)),
    "metrics of megabytes": ("directives", "success_metrics", _within(LONG)),
    "an objective of megabytes": ("directives", "objective", LONG_TEXT),
    "a moment without end": ("directives", "created_at", "'infinity'"),
    "a moment before Christ": ("directives", "updated_at", "'4000-01-01 BC'"),
    "a word that is no status": ("directives", "status", "'unheard-of'"),
    "a word that is no reason": ("directives", "status_reason", "'unheard-of'"),
    "groups that are numbers without end": ("principals", "groups", "'[1e5000]'"),
    "a signature of a person that is too deep": ("principals", "envelope", DEEP),
    "an end of a person without end": ("principals", "disabled_at", "'infinity'"),
    "scopes that are numbers without end": ("api_tokens", "scopes", "'[1e5000]'"),
    "an end of a token without end": ("api_tokens", "expires_at", "'infinity'"),
    "scopes of an invitation without end": ("token_invitations", "scopes", "'[1e5000]'"),
    "rules that are numbers without end": ("approval_requests", "rules", "'[1e5000]'"),
    "an expiry without end": ("approval_requests", "expires_at", "'infinity'"),
    "a signature of a vote that is too deep": ("approval_votes", "envelope", DEEP),
    "voters that are numbers without end": ("grants", "votes", "'[1e5000]'"),
    "a budget that is no number": ("grants", "budget", "'NaN'"),
    "a signature that is a number without end": ("grants", "envelope", HUGE),
    "a result that is a number without end": ("execution_runs", "result", HUGE),
    "a beginning before Christ": ("execution_runs", "started_at", "'4000-01-01 BC'"),
    "an end of a run without end": ("execution_runs", "ended_at", "'infinity'"),
    "an error of megabytes": ("execution_runs", "error_message", LONG_TEXT),
    "evidence with a number without end": ("artifacts", "metadata", HUGE),
    "evidence that is too deep": ("artifacts", "metadata", DEEP),
    "evidence before Christ": ("artifacts", "created_at", "'4000-01-01 BC'"),
    "an event with a number without end": ("events", "data", HUGE),
    "an event without end": ("events", "occurred_at", "'infinity'"),
    "a memory without end": ("memories", "created_at", "'infinity'"),
    "an announcement without end": ("modules", "announced_at", "'infinity'"),
    "a summary of megabytes": ("modules", "summary", LONG_TEXT),
    "a question that is a number without end": ("memory_reads", "asked", HUGE),
    "a sum that is no number": ("budget_accounts", "settled", "'NaN'"),
    "a period without end": ("budget_accounts", "period_start", "'infinity'"),
    "an amount that is no number": ("budget_entries", "amount", "'NaN'"),
}
"""What the database refuses: table, column, and what would be put there."""

ALLOWED: Mapping[str, tuple[str, str, str]] = {
    "a type that is empty": ("directives", "type", "''"),
    "a role that is empty": ("directives", "role", "''"),
    "a payload of control characters": ("directives", "payload", r"""'{"x": "\u0001\u202e"}'"""),
    "a number with 300 digits": ("directives", "payload", """'{"x": 1e300}'"""),
    "a number near zero": ("directives", "payload", """'{"x": 1e-5000}'"""),
    "groups that are numbers": ("principals", "groups", "'[7]'"),
    "roles that are objects": ("principals", "roles", "'[{}]'"),
    "scopes that are numbers": ("api_tokens", "scopes", "'[7]'"),
    "scopes of an invitation that are objects": ("token_invitations", "scopes", "'[{}]'"),
    "rules that are an object": ("approval_requests", "rules", "'{}'"),
    "voters that are numbers": ("grants", "votes", "'[7]'"),
    "a signature that is a number": ("grants", "envelope", "'7'"),
    "a result that is a number": ("execution_runs", "result", "'7'"),
    "evidence that is text": ("artifacts", "metadata", "'\"text\"'"),
    "an event that is a list": ("events", "data", "'[]'"),
}
"""What it does not refuse, and a reader must survive."""

NEVER_JSON = (r'"\u0000"', r'"\ud800"', r'"\udc00\ud800"', "NaN", "1e999999")
"""What no JSON of Postgres holds, so that no reader meets it."""

POISONS = {**REFUSED, **ALLOWED}

NOBODY = UUID(int=0)
"""What stands for the directive of a row that is about none."""


TWO = asking(required_approvals=2)
"""A policy that asks two people."""


def _ran(engine: sa.Engine) -> UUID:
    found = proposed(engine).id
    assert start_run(engine, found, lambda _: SHORT, AUTHORITY).run is not None
    return found


def _voted(engine: sa.Engine) -> UUID:
    found = waiting(engine, TWO)
    cast(engine, found, policy=TWO)
    return found.id


def _promised(engine: sa.Engine) -> UUID:
    limits = [{"name": "all", "ceiling": "900.00", "period": "month"}]
    return proposed(engine, policy(budget_limits=limits), budget="$1.00").id


_VICTIMS: Mapping[str, tuple[Callable[[sa.Engine], UUID], str]] = {
    "directives": (lambda engine: proposed(engine).id, "id = :id"),
    "approval_requests": (lambda engine: waiting(engine).id, "directive_id = :id"),
    "approval_votes": (
        _voted,
        "request_id IN (SELECT id FROM approval_requests WHERE directive_id = :id)",
    ),
    "grants": (lambda engine: proposed(engine).id, "directive_id = :id"),
    "execution_runs": (_ran, "directive_id = :id"),
    "artifacts": (lambda engine: proposed(engine).id, "directive_id = :id"),
    "events": (lambda engine: proposed(engine).id, "directive_id = :id AND seq = 2"),
    "budget_entries": (_promised, "directive_id = :id"),
}
"""How a row of a table comes about that is about a directive, and which one it is."""

_MADE: Mapping[str, tuple[str, str]] = {
    "principals": (
        "(name, kind, roles, groups, created_by) VALUES (:id, 'human', '[]', '[]', 'test')",
        "name = :id",
    ),
    "api_tokens": (
        """(id, principal, hash, scopes, created_by, expires_at)
        VALUES (CAST(:id AS uuid), 'admin', 'h', '[]', 'test', now() + interval '1 day')""",
        "id = CAST(:id AS uuid)",
    ),
    "token_invitations": (
        """(id, principal, hash, scopes, valid_seconds, created_by, expires_at, envelope)
        VALUES (CAST(:id AS uuid), 'admin', 'h', '[]', 1, 'test', now() + interval '1 hour',
        '{}')""",
        "id = CAST(:id AS uuid)",
    ),
    "modules": ("(name, version, digest, summary) VALUES (:id, '1', 'd', 's')", "name = :id"),
    "memories": (
        """(id, scope, content, digest, created_by)
        VALUES (CAST(:id AS uuid), 's', 'c', 'd', 'admin')""",
        "id = CAST(:id AS uuid)",
    ),
    "memory_reads": (
        "(principal, reader, query, asked, outcome) VALUES (:id, 'r', 'q', '{}', 'failed')",
        "principal = :id",
    ),
    "budget_accounts": (
        "(account, period_start) VALUES (:id, '2026-01-01 00:00:00+00')",
        "account = :id",
    ),
}
"""How a row of another table comes about, and which one it is."""


def poison(engine: sa.Engine, name: str) -> UUID:
    """Put a row of a kind into a database; return the directive that it is about, or `NOBODY`."""
    table, column, value = POISONS[name]
    if table in _VICTIMS:
        make, which = _VICTIMS[table]
        about: UUID = make(engine)
        key: object = about
    else:
        columns, which = _MADE[table]
        about, key = NOBODY, str(uuid4())
        write(engine, f"INSERT INTO {table} {columns}", id=key)
    write(engine, f"UPDATE {table} SET {column} = {value} WHERE {which}", id=key)  # noqa: S608
    return about
