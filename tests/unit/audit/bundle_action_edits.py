"""Edits to what a bundle says of runs and attempts, each with the verdict it must get."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from remit.audit.bundle.types import Bundle
from remit.execution.statements import ATTEMPT_END, attempt_end_statement
from remit.execution.workers import new_worker
from remit.signing.statements import sign_statement
from tests.unit.audit.bundle_editing import (
    DAY,
    MINUTE,
    artifact,
    attempt,
    event,
    run,
    telling,
    then,
    without,
)
from tests.unit.audit.bundle_edits import Kind
from tests.unit.audit.bundle_parts import KEYS
from tests.unit.audit.bundle_speakers import left_by

RAN = ("auto", "approved", "failed", "filed")


def output(**changes: Any) -> Any:
    """Return what changes the result of a run wherever it stands."""

    def edit(one: Bundle) -> Bundle:
        result = {**(one.runs[-1].result or {}), **changes}
        return then(run(result=result), artifact("execution_checkpoint", output=result))(one)

    return edit


def error(one: Bundle) -> Bundle:
    """Change what failed wherever it stands: in the run, its result, its evidence and the log."""
    told = {"error_type": "module_failed", "message": "no ink", "retryable": False}
    because = {"because": ["no ink"]}
    edits = (output(error=told), run(error_message="no ink"), event("directive.aborted", because))
    return then(*edits)(one)


def succeeded(one: Bundle) -> Bundle:
    """Pass a failure off as a success wherever it stands."""
    edits = (
        output(status="success", error=None, result={"said": "hello"}),
        run(status="completed", error_type=None, error_message=None),
        artifact("execution_end", status="completed"),
        event("run.ended", {"outcome": "success"}),
        event("directive.aborted", {"reason": ..., "because": ...}, type="directive.completed"),
        attempt(outcome="success"),
        lambda each: replace(
            each,
            directive=each.directive.model_copy(
                update={"status": "complete", "status_reason": None}
            ),
        ),
    )
    return then(*edits)(one)


def cheaper(one: Bundle) -> Bundle:
    """Change what a run cost wherever it stands: in its result, its attempt and the ledger."""
    less = Decimal("0.10")
    ledger = tuple(
        replace(each, amount=less) if each.kind == "settle" else each for each in one.budget
    )
    return then(output(cost="0.10"), attempt(cost=less))(replace(one, budget=ledger))


def begun_again(one: Bundle) -> Bundle:
    """Let a run seem to have been begun once before."""
    last = one.attempts[-1]
    earlier = replace(last, ended_at=None, outcome=None, cost=None, envelope=None)
    both = (earlier, replace(last, attempt=2))
    told = telling("run.attempted", {"attempt": 2}, before="run.ended")
    return then(run(attempts=2), told)(replace(one, attempts=both))


def by_a_stranger(one: Bundle) -> Bundle:
    """Let a worker that nobody certified sign the end anew."""
    stranger, last, ran = new_worker(KEYS), one.attempts[-1], one.runs[-1]
    assert ran.result is not None
    assert last.ended_at is not None
    end = attempt_end_statement(
        ran,
        ran.result,
        worker_id=last.worker_id,
        attempt=1,
        ends_run=True,
        outcome="success",
        cost=last.cost,
        artifacts=left_by(ran, one),
        started_at=last.started_at,
        ended_at=last.ended_at,
    )
    [known] = one.workers
    forged = replace(known, kid=stranger.kid, public_key=stranger.public_key)
    signed = replace(last, envelope=sign_statement(ATTEMPT_END, end, stranger.keys))
    return replace(one, workers=(forged,), attempts=(signed,))


def unseen(one: Bundle) -> Bundle:
    """Take away what the worker signed, as if nobody had seen the end."""
    return attempt(ended_at=None, outcome=None, cost=None, envelope=None)(one)


def carried_out(one: Bundle) -> Bundle:
    """Pass a run in doubt off as complete, without a person who says so."""
    result: dict[str, Any] = {"status": "success", "result": {}, "cost": None, "error": None}
    last = one.events[-1]
    told = (
        event("directive.in_doubt", {"because": ..., "open": ..., "reason": ...}),
        event("directive.in_doubt", {"outcome": "success"}, type="run.ended"),
        telling("directive.completed", {}),
    )
    status = {"status": "complete", "status_reason": None}
    ended = replace(one, directive=one.directive.model_copy(update=status))
    return then(
        run(status="completed", result=result, ended_at=last.occurred_at),
        *told,
    )(ended)


def ended(one: Bundle) -> datetime:
    """Return when the last run ended."""
    when = one.runs[-1].ended_at
    assert when is not None
    return when


RUNS: dict[str, Kind] = {
    "end of a run": (
        RAN,
        lambda one: run(ended_at=ended(one) + MINUTE)(one),
        {"times", "attempts"},
    ),
    "beginning of a run": (
        RAN,
        lambda one: run(started_at=one.runs[-1].created_at - MINUTE)(one),
        {"attempts"},
    ),
    "creation of a run": (
        ("auto",),
        lambda one: run(created_at=one.runs[-1].created_at - DAY)(one),
        {"runs", "times"},
    ),
    "beginning of an attempt": (
        RAN,
        lambda one: attempt(started_at=one.attempts[-1].started_at - MINUTE)(one),
        {"attempts"},
    ),
    "error text of the row": (("failed",), run(error_message="no ink"), {"attempts"}),
    "error text everywhere": (("failed",), error, {"attempts"}),
    "result everywhere": (("auto", "approved"), output(result={"said": "x"}), {"attempts"}),
    "success in place of a failure": (("failed",), succeeded, {"attempts"}),
    "cost everywhere": (("approved",), cheaper, {"attempts"}),
    "one more attempt": (("auto",), begun_again, {"attempts"}),
    "attempt taken away": (
        ("auto",),
        lambda one: replace(one, attempts=()),
        {"attempts"},
    ),
    "end that no worker signed": (("auto",), unseen, {"attempts"}),
    "end signed by a stranger": (("auto",), by_a_stranger, {"attempts"}),
    "worker taken away": (("auto",), lambda one: replace(one, workers=()), {"attempts"}),
    "modules of a worker": (
        ("auto",),
        lambda one: replace(one, workers=(replace(one.workers[0], modules={"echo": "x"}),)),
        {"attempts"},
    ),
    "version of the module": (("auto",), run(module_version="9"), {"runs"}),
    "run in doubt passed off as complete": (("in_doubt",), carried_out, {"attempts", "runs"}),
    "word about a canceled run taken away": (
        ("canceled",),
        lambda one: replace(one, ends=()),
        {"attempts"},
    ),
    "who canceled a run": (("canceled",), event("directive.aborted", actor="eve"), {"attempts"}),
    "who settled a run": (
        ("settled",),
        then(
            event("run.reconciled", actor="eve"),
            event("run.ended", actor="eve"),
            event("directive.completed", actor="eve"),
        ),
        {"attempts"},
    ),
    "why a run was settled": (
        ("settled",),
        event("run.reconciled", {"because": ["a guess"]}),
        {"attempts"},
    ),
    "settled without a word": (("settled",), lambda one: replace(one, ends=()), {"attempts"}),
    "settling cut out of the log": (
        ("settled",),
        then(
            without("run.reconciled", "directive.in_doubt"),
            event("run.ended", actor="remit"),
            event("directive.completed", actor="remit"),
        ),
        {"attempts"},
    ),
}
