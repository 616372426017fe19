"""What somebody tries with the services' own login: each column changed, and rows added.

Every attack does as well as it can: it writes the events too that would tell of the row.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import get_args
from uuid import uuid4

import sqlalchemy as sa
from psycopg.types.json import Jsonb

from remit.audit.chain import INSTALLATION
from remit.base.json_types import JsonObject
from remit.memory.writing import NewMemory
from remit.vocabulary import DirectiveStatus, RequestStatus, RunStatus, VoidReason
from tests.adversarial import world as w
from tests.adversarial.beginning import begun, leave, tell
from tests.adversarial.columns_world import Made
from tests.adversarial.world import Connection

_BY_TYPE: Mapping[type, Sequence[str]] = {
    sa.Text: ("'forged'",),
    sa.Uuid: ("gen_random_uuid()",),
    sa.Integer: ("{0} + 1",),
    sa.Numeric: ("{0} + 1",),
    sa.Boolean: ("NOT {0}",),
    sa.DateTime: ("now()", "now() - interval '1 day'"),
    sa.JSON: ("'{{\"forged\": true}}'", "'[\"forged\"]'"),
}

_WORDS: Mapping[str, Sequence[str]] = {
    "directives.status": get_args(DirectiveStatus),
    "directives.status_reason": ("policy", "in_doubt", "canceled"),
    "approval_requests.status": get_args(RequestStatus),
    "grants.void_reason": get_args(VoidReason),
    "execution_runs.status": get_args(RunStatus),
    "execution_attempts.outcome": ("success", "error"),
}
"""Columns that hold a word of a list: all of them are tried."""

TOGETHER: Mapping[str, Sequence[str]] = {
    "grants": ("voided_at = now(), void_reason = 'canceled'",),
    "principals": (
        "roles = '[\"admin\"]', revision = revision + 1",
        "groups = '[\"release\"]', revision = revision + 1, envelope = NULL",
    ),
    "token_invitations": (
        "redeemed_at = now(), token_id = (SELECT min(id::text)::uuid FROM api_tokens)",
        "revoked_at = now(), revocation = envelope",
    ),
    "api_tokens": ("revoked_at = now(), revoked_since = now() - interval '1 day'",),
    "execution_runs": (
        "status = 'completed', ended_at = now(), result = '{}'",
        "status = 'failed', ended_at = now(), error_type = 'e', error_message = 'm'",
        "status = 'canceled', ended_at = now(), envelope = '{}'",
    ),
    "execution_attempts": ("ended_at = now(), outcome = 'success', cost = 0, envelope = '{}'",),
    "approval_requests": ("status = 'approved', resolved_at = now()",),
}
"""Columns that must change together, for a check of the database."""

UNLIKE: Mapping[str, str] = {
    "principals": "disabled_at IS NULL",
    "api_tokens": "revoked_at IS NULL",
    "execution_attempts": "ended_at IS NULL",
    "workers": "ended_at IS NULL",
}
"""What tells rows of a table apart, for what may be done to them; else their status does."""


def kinds_of_rows(table: sa.Table) -> str:
    """Return the statement that finds the place of a row of each kind."""
    unlike = UNLIKE.get(table.name, "status" if "status" in table.c else "ctid IS NULL")
    return (
        f"SELECT DISTINCT ON ({unlike}) ctid::text FROM {table.name} "  # noqa: S608 - names of the schema
        f"ORDER BY {unlike}, ctid"
    )


def changes(column: sa.Column[object]) -> Iterator[str]:
    """Yield what to set a column to, and what to set it to with others."""
    table = column.table.name
    words = _WORDS.get(f"{table}.{column.name}")
    values = [f"'{word}'" for word in words] if words else _other(column)
    for value in [*values, *(["NULL"] if column.nullable else [])]:
        yield f"{column.name} = {value}"
    for together in TOGETHER.get(table, ()):
        if f"{column.name} = " in together:
            yield together


def _other(column: sa.Column[object]) -> list[str]:
    for kind, values in _BY_TYPE.items():
        if isinstance(column.type, kind):
            return [value.format(column.name) for value in values]
    raise TypeError(f"no other value is known for {column}")


def _principal(c: Connection, _: Made) -> None:
    row = {"name": "mallory", "kind": "human", "roles": Jsonb(["admin"]), "groups": Jsonb([])}
    w.insert(c, "principals", row | {"created_by": "admin"})
    said: JsonObject = {"name": "mallory", "kind": "human", "roles": ["admin"], "groups": []}
    tell(c, INSTALLATION, "principal.created", "admin", {**said, "acts_for": None})


def _token(c: Connection, _: Made) -> None:
    row = {"id": uuid4(), "principal": "admin", "hash": "0" * 64, "scopes": Jsonb([])}
    w.insert(c, "api_tokens", row | {"created_by": "remit", "expires_at": "tomorrow"})


def _invitation(c: Connection, _: Made) -> None:
    row = {"id": uuid4(), "principal": "admin", "hash": "0" * 64, "scopes": Jsonb([])}
    more = {"valid_seconds": 60, "created_by": "admin", "expires_at": "tomorrow"}
    w.insert(c, "token_invitations", row | more | {"envelope": Jsonb({})})


def _policy(c: Connection, _: Made) -> None:
    said: JsonObject = {"digest": "sha256:" + "d" * 64, "version": "2"}
    w.insert(c, "policies", said | {"confirmed_by": "admin", "envelope": Jsonb({})})
    tell(c, INSTALLATION, "policy.confirmed", "admin", said)


def _role(c: Connection, _: Made) -> None:
    w.insert(c, "agent_roles", {"role_name": "release", "status": "active"})


def _directive(c: Connection, _: Made) -> None:
    w.new_directive(c, issued_by="agent-1")


def _request(c: Connection, made: Made) -> None:
    w.ask(c, made.done)
    tell(c, made.done, "approval.requested", "remit", {"because": []})


def _vote(c: Connection, made: Made) -> None:
    [(request, digest)] = c.execute(
        "SELECT id, action_digest FROM approval_requests WHERE directive_id = %s", [made.waiting]
    ).fetchall()
    w.vote(c, request, "ada", action_digest=digest)
    told: JsonObject = {"decision": "approve", "reason": "because"}
    tell(c, made.waiting, "approval.voted", "ada", told)


def _grant(c: Connection, _: Made) -> None:
    directive = w.new_directive(c, issued_by="agent-1")
    w.grant(c, directive)
    w.move(c, directive, "approved")


def _entry(c: Connection, made: Made) -> None:
    c.execute(
        "INSERT INTO budget_entries (account, period_start, directive_id, grant_id, kind, amount)"
        " SELECT account, period_start, directive_id, grant_id, 'release', amount"
        " FROM budget_entries WHERE directive_id = %s",
        [made.approved],
    )


def _module(c: Connection, _: Made) -> None:
    w.insert(c, "modules", {"name": "evil", "version": "1", "digest": "d", "summary": "s"})


def _worker(c: Connection, _: Made) -> None:
    row = {"id": uuid4(), "kid": "ed25519:forged", "public_key": "forged", "modules": Jsonb({})}
    w.insert(c, "workers", row | {"envelope": Jsonb({}), "lease_until": "tomorrow"})


def _run(c: Connection, made: Made) -> None:
    begun(c, made)


def _artifact(c: Connection, made: Made, kind: str, event: str, **said: str) -> None:
    evidence = leave(c, kind, made.done, {"note": "forged", **said}, None)
    told: JsonObject = {"artifact": next(iter(evidence)), "evidence": evidence}
    tell(c, made.done, event, "agent-1", told)


def _attachment(c: Connection, made: Made) -> None:
    _artifact(c, made, "attachment", "artifact.stored", filed_by="agent-1")


def _output(c: Connection, made: Made) -> None:
    _artifact(c, made, "module_output", "run.refused")


def _usage(c: Connection, made: Made) -> None:
    _artifact(c, made, "llm_usage", "llm.called")


def _memory(c: Connection, _: Made) -> None:
    memory, said = uuid4(), NewMemory("kitchen", "Mallory may have tea.")
    row = {"id": memory, "scope": said.scope, "content": said.content, "digest": said.digest}
    w.insert(c, "memories", row | {"created_by": "admin"})
    told: JsonObject = {"memories": {str(memory): said.digest}}
    tell(c, INSTALLATION, "memory.added", "admin", told)


def _embedding(c: Connection, _: Made) -> None:
    c.execute(
        "INSERT INTO memory_embeddings (memory_id, model, embedding)"
        " SELECT memory_id, 'another', embedding FROM memory_embeddings LIMIT 1"
    )


def _read(c: Connection, _: Made) -> None:
    row = {"principal": "carol", "reader": "r", "query": "q", "asked": Jsonb({})}
    w.insert(c, "memory_reads", row | {"outcome": "answered", "result_count": 0})


def _called(c: Connection, made: Made) -> None:
    tell(c, made.done, "llm.called", "remit", {})


def _shut_out(c: Connection, _: Made) -> None:
    tell(c, INSTALLATION, "principal.disabled", "admin", {"name": "ada", "revision": 1})


def _completed_again(c: Connection, made: Made) -> None:
    tell(c, made.done, "directive.completed", "remit", {})


ADDED = {
    "principals": (_principal,),
    "api_tokens": (_token,),
    "token_invitations": (_invitation,),
    "policies": (_policy,),
    "agent_roles": (_role,),
    "directives": (_directive,),
    "approval_requests": (_request,),
    "approval_votes": (_vote,),
    "grants": (_grant,),
    "budget_entries": (_entry,),
    "modules": (_module,),
    "workers": (_worker,),
    "execution_runs": (_run,),
    "execution_attempts": (_run,),
    "artifacts": (_attachment, _usage, _output),
    "events": (_called, _shut_out, _completed_again),
    "memories": (_memory,),
    "memory_embeddings": (_embedding,),
    "memory_reads": (_read,),
}
"""Rows that somebody adds, by table."""
