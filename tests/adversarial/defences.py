"""Every rule of the database, each with an attack that nothing but that rule stops.

The attacker is the owner of the tables, who has every right, so no missing right can hide a missing
rule. `test_sql_defences.py` carries out each attack with the rule, and without it.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from tests.adversarial import defences_of_acts as acts
from tests.adversarial import world as w
from tests.adversarial.attempts import Attack
from tests.adversarial.defences_of_acts import change_row as _set
from tests.adversarial.ending import ENDINGS, put_invitation, put_principal, put_token
from tests.adversarial.world import Connection
from tests.support.people import token_of


def _asked(c: Connection, **changes: Any) -> Any:
    return w.ask(c, w.new_directive(c), **changes)


def _approved_by(c: Connection, *voters: str, required: int = 1) -> tuple[Any, Any]:
    """Return a directive and its approved request with these votes."""
    directive = w.new_directive(c)
    request = w.ask(c, directive, required_approvals=required)
    for voter in voters:
        w.vote(c, request, voter)
    w.resolve(c, request, "approved")
    return directive, request


def _begin_complete(c: Connection) -> None:
    directive = w.new_directive(c, "complete")
    w.say(c, directive, "directive.complete")


def _jump(c: Connection) -> None:
    directive = w.new_directive(c)
    w.move(c, directive, "executing")


def _silent_begin(c: Connection) -> None:
    directive = w.new_directive(c, "draft")
    c.execute(
        "INSERT INTO directives SELECT (jsonb_populate_record(d, jsonb_build_object("
        "'id', gen_random_uuid()))).* FROM directives AS d WHERE id = %s",
        [directive],
    )


def _approve_without_event(c: Connection) -> None:
    directive = w.new_directive(c)
    w.grant(c, directive)
    _set(c, "directives", directive, "status = 'approved'")


def _run_before_claim(c: Connection) -> None:
    directive = w.new_directive(c)
    granted = w.grant(c, directive)
    w.move(c, directive, "approved")
    w.begin(c, directive, granted)


def _grant_without_votes(c: Connection) -> None:
    directive = w.new_directive(c)
    request = w.ask(c, directive)
    w.resolve(c, request, "approved")
    w.grant(c, directive, request_id=request, required_approvals=1, votes=Jsonb(["dave"]))


def _grant_while_asking(c: Connection) -> None:
    directive = w.new_directive(c)
    w.ask(c, directive)
    w.grant(c, directive)


def _second_grant(c: Connection) -> None:
    directive = w.new_directive(c)
    w.grant(c, directive)
    w.grant(c, directive)


def _unvoid(c: Connection) -> None:
    granted = w.grant(c, w.new_directive(c))
    _set(c, "grants", granted, "voided_at = now(), void_reason = 'canceled'")
    _set(c, "grants", granted, "voided_at = NULL, void_reason = NULL")


def _artifact(c: Connection) -> None:
    row = {"type": "attachment", "uri": "u", "metadata": Jsonb({}), "digest": "d", "size_bytes": 2}
    w.insert(c, "artifacts", {"id": "00000000-0000-4000-8000-000000000001", **row})


def _module(c: Connection) -> None:
    row = {"name": "m", "version": "1", "digest": "d", "summary": "s"}
    w.insert(c, "modules", row)


def _installation(c: Connection) -> None:
    c.execute("ALTER TABLE installation DROP CONSTRAINT uq_installation_singleton")
    c.execute("INSERT INTO installation (id) VALUES (gen_random_uuid())")


def _policy(c: Connection) -> None:
    row = {"digest": "d", "version": "1", "confirmed_by": "test", "envelope": Jsonb({})}
    w.insert(c, "policies", row)


def _account(c: Connection) -> None:
    w.insert(c, "budget_accounts", {"account": "a", "period_start": "2026-01-01"})


def _reservation(c: Connection) -> None:
    _account(c)
    directive = w.new_directive(c)
    granted = w.grant(c, directive, budget=1)
    row = {"account": "a", "period_start": "2026-01-01", "directive_id": directive}
    w.insert(c, "budget_entries", row | {"grant_id": granted, "kind": "reserve", "amount": 1})


def _memory(c: Connection, status: str = "completed") -> UUID:
    run = w.ran(c, status)
    [(memory,)] = c.execute(
        "INSERT INTO memories (id, scope, content, digest, directive_id, run_id, created_by)"
        " SELECT gen_random_uuid(), 's', 'c', 'sha256:' || encode(sha256('c'), 'hex'),"
        " directive_id, id, 'test' FROM execution_runs WHERE id = %s RETURNING id",
        [run],
    ).fetchall()
    return UUID(str(memory))


def _embedding(c: Connection) -> None:
    row = {"memory_id": _memory(c), "model": "m", "embedding": f"[{'0,' * 1535}1]"}
    w.insert(c, "memory_embeddings", row)


def _read(c: Connection) -> None:
    row = {"principal": "carol", "reader": "r", "query": "q", "asked": Jsonb({})}
    w.insert(c, "memory_reads", row | {"outcome": "answered", "result_count": 0})


ROWS: Mapping[str, Attack] = {
    "principals": put_principal,
    "api_tokens": put_token,
    "directives": lambda c: w.new_directive(c, "draft"),
    "approval_requests": _asked,
    "approval_votes": lambda c: w.vote(c, _asked(c), "dave"),
    "grants": lambda c: w.grant(c, w.new_directive(c)),
    "budget_accounts": _account,
    "budget_entries": _reservation,
    "modules": _module,
    "execution_runs": acts.run_began,
    "execution_attempts": acts.attempt,
    "token_invitations": put_invitation,
    "policies": _policy,
    "workers": acts.new_worker,
    "installation": _installation,
    "artifacts": _artifact,
    "memory_reads": _read,
    "events": lambda c: w.say(c, UUID(int=0), "principal.created"),
}
"""Every table that nothing is removed from, with a statement or two that put a row into it."""

RECALL: Mapping[str, Attack] = {"memories": _memory, "memory_embeddings": _embedding}
"""The same for what is never changed, but may have to be forgotten by whoever owns it."""


def _remove(table: str) -> Attack:
    def attack(c: Connection) -> None:
        before = {row for (row,) in c.execute(f"SELECT ctid FROM {table}")}  # noqa: S608
        ROWS[table](c)
        now = {row for (row,) in c.execute(f"SELECT ctid FROM {table}")}  # noqa: S608
        c.execute(f"DELETE FROM {table} WHERE ctid = ANY(%s::tid[])", [list(now - before)])  # noqa: S608

    return attack


def _rewrite(table: str, change: str) -> Attack:
    def attack(c: Connection) -> None:
        {**ROWS, **RECALL}[table](c)
        c.execute(f"UPDATE {table} SET {change}".encode())  # noqa: S608

    return attack


DEFENCES: Mapping[str, Attack] = {
    "remit_directive_begins": _begin_complete,
    "remit_directive_status": _jump,
    "remit_directive_frozen": lambda c: _set(
        c, "directives", w.new_directive(c), "payload = '{\"n\": 1.0}'"
    ),
    "remit_directive_digest": lambda c: _set(
        c, "directives", w.new_directive(c), "action_digest = 'sha256:other'"
    ),
    "remit_directive_reason": lambda c: _set(
        c, "directives", w.live(c, "blocked"), "status_reason = 'policy'"
    ),
    "remit_directive_begin_said": _silent_begin,
    "remit_directive_status_said": _approve_without_event,
    "remit_request_begins": lambda c: _asked(c, status="approved"),
    "remit_request_status": lambda c: w.resolve(c, w.asked(c, "rejected"), "approved"),
    "remit_request_frozen": lambda c: _set(
        c, "approval_requests", _asked(c, required_approvals=2), "required_approvals = 1"
    ),
    "remit_vote_now": lambda c: w.vote(c, _asked(c), "dave", cast_at="tomorrow"),
    "remit_vote_open": lambda c: w.vote(c, w.asked(c, "expired"), "dave"),
    "remit_vote_by_person": lambda c: w.vote(c, _asked(c, allow_self_approval=True), w.AGENT),
    "remit_vote_by_token": lambda c: w.vote(c, _asked(c), "dave", token_id=token_of("erin")),
    "remit_vote_not_own": lambda c: w.vote(c, _asked(c), "carol"),
    "remit_grant_begins": lambda c: w.grant(c, w.new_directive(c), issued_at="yesterday"),
    "remit_grant_fits": _second_grant,
    "remit_grant_by_people": _grant_without_votes,
    "remit_grant_by_policy": _grant_while_asking,
    "remit_grant_frozen": _unvoid,
    "remit_run_begins": lambda c: acts.run_began(c, status="completed", ended_at="now"),
    "remit_run_granted": _run_before_claim,
    "remit_run_status": acts.rewind_run,
    "remit_run_frozen": lambda c: _set(c, "execution_runs", acts.run_began(c), "module = 'other'"),
    "remit_run_attempts": lambda c: _set(c, "execution_runs", acts.run_began(c), "attempts = 0"),
    "remit_run_result": acts.change_result,
    "remit_worker_frozen": acts.let_work_again,
    "remit_attempt_frozen": acts.end_twice,
    "remit_attempt_alone": acts.begin_beside_another,
    "remit_attempt_begins": acts.begin_yesterday,
    "remit_directive_doubt_said": acts.doubt_in_silence,
    "remit_open_unpromised": acts.spend_what_was_promised,
    "remit_installation_unchanged": _rewrite("installation", "since = now()"),
    "remit_module_announced": _rewrite("modules", "announced_at = 'yesterday'"),
    "remit_policies_unchanged": _rewrite("policies", "version = '2'"),
    "remit_artifacts_unchanged": _rewrite("artifacts", "digest = 'other'"),
    "remit_approval_votes_unchanged": _rewrite("approval_votes", "decision = 'approve'"),
    "remit_events_unchanged": _rewrite("events", "actor = 'other'"),
    "remit_budget_entries_unchanged": _rewrite("budget_entries", "amount = 0"),
    "remit_memory_cited": lambda c: _memory(c, "running"),
    "remit_memories_unchanged": _rewrite("memories", "content = 'other'"),
    "remit_memory_embeddings_unchanged": _rewrite("memory_embeddings", "model = 'other'"),
    "remit_memory_reads_unchanged": _rewrite("memory_reads", "principal = 'other'"),
    **ENDINGS,
    **{f"remit_{table}_kept": _remove(table) for table in ROWS},
}
"""Each trigger with its attack."""
