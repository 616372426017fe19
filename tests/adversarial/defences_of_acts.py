"""Attacks on runs, attempts, workers and what they spend, for `defences.py`."""

from typing import Any
from uuid import uuid4

from psycopg.types.json import Jsonb

from tests.adversarial import world as w
from tests.adversarial.world import Connection


def change_row(c: Connection, table: str, key: Any, change: str, column: str = "id") -> None:
    c.execute(f"UPDATE {table} SET {change} WHERE {column} = %s".encode(), [key])  # noqa: S608 - names of the tests


def run_began(c: Connection, **changes: Any) -> Any:
    directive = w.new_directive(c)
    granted = w.grant(c, directive)
    w.move(c, directive, "approved")
    w.move(c, directive, "executing")
    return w.begin(c, directive, granted, **changes)


def new_worker(c: Connection) -> Any:
    key = uuid4()
    row = {"id": key, "kid": str(key), "public_key": "k", "modules": Jsonb({})}
    w.insert(c, "workers", row | {"envelope": Jsonb({}), "lease_until": "tomorrow"})
    return key


def let_work_again(c: Connection) -> None:
    worker = new_worker(c)
    change_row(c, "workers", worker, "ended_at = now()")
    change_row(c, "workers", worker, "ended_at = NULL")


def attempt(c: Connection) -> Any:
    run = run_began(c, status="running")
    w.insert(c, "execution_attempts", {"run_id": run, "attempt": 7, "worker_id": new_worker(c)})
    return run


def end_twice(c: Connection) -> None:
    run = attempt(c)
    for outcome in ("error", "success"):
        change = f"ended_at = now(), outcome = '{outcome}', envelope = '{{}}'"
        change_row(c, "execution_attempts", run, change, "run_id")


def begin_beside_another(c: Connection) -> None:
    run = attempt(c)
    w.insert(c, "execution_attempts", {"run_id": run, "attempt": 8, "worker_id": new_worker(c)})


def begin_yesterday(c: Connection) -> None:
    row = {"run_id": run_began(c), "attempt": 1, "worker_id": new_worker(c)}
    w.insert(c, "execution_attempts", row | {"started_at": "yesterday"})


def doubt_in_silence(c: Connection) -> None:
    directive = w.new_directive(c)
    w.grant(c, directive)
    w.move(c, directive, "approved")
    w.move(c, directive, "executing")
    change_row(c, "directives", directive, "status_reason = 'in_doubt'")


def spend_what_was_promised(c: Connection) -> None:
    w.insert(c, "budget_accounts", {"account": "not promised", "period_start": "2026-01-01"})
    directive = w.new_directive(c)
    row = {"account": "not promised", "period_start": "2026-01-01", "directive_id": directive}
    granted = w.grant(c, directive, budget=1)
    w.insert(c, "budget_entries", row | {"grant_id": granted, "kind": "settle", "amount": 1})


def change_result(c: Connection) -> None:
    run = run_began(c)
    w.end(c, run, "failed")
    change_row(c, "execution_runs", run, "result = '{}'")


def rewind_run(c: Connection) -> None:
    run = run_began(c, status="running")
    change_row(c, "execution_runs", run, "status = 'pending'")
