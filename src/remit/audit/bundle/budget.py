"""Checks of a bundle about money: what was promised with grants, and what became of it. Pure."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import JsonValue

from remit.approval.types import Grant
from remit.audit.bundle.facts import Check, counted, judged, of_type, particulars, unlike_log
from remit.audit.bundle.origin import is_before
from remit.audit.bundle.types import BudgetEntry, Bundle
from remit.base.json_types import JsonObject
from remit.budget.costs import add_costs, attempt_costs, closing_of, parse_cost
from remit.budget.types import LARGEST_AMOUNT, NOT_PROMISED, exact_sum, in_cents
from remit.execution.models import ExecutionRunRead


def budget(bundle: Bundle) -> Check:
    """Check that amounts were promised with grants, and closed as their runs ended."""
    problems: list[str] = []
    accounts: dict[tuple[UUID, str], list[BudgetEntry]] = {}
    for entry in bundle.budget:
        accounts.setdefault((entry.grant_id, entry.account), []).append(entry)
    found = {grant.id: grant for grant in bundle.grants}
    ran = {run.grant_id: run for run in bundle.runs}
    for (grant_id, account), entries in accounts.items():
        judge = _not_promised if account == NOT_PROMISED else _of_account
        own = judge(bundle, entries, found.get(grant_id), ran.get(grant_id))
        problems += [f"{account}: {problem}" for problem in own]
    entered = {entry.grant_id for entry in bundle.budget}
    problems += [
        f"what run {run.id} spent stands nowhere"
        for run in bundle.runs
        if not is_before(bundle, run.created_at)
        and run.ended_at is not None
        and run.grant_id not in entered
        and add_costs(_attempt_costs(bundle, run))[0]
    ]
    promised: dict[UUID, JsonObject] = {}
    for entry in bundle.budget:
        if entry.kind == "reserve":
            promised.setdefault(entry.grant_id, {})[entry.account] = str(entry.amount)
    logged = [one["reserved"] for one in particulars(bundle, "grant.issued") if "reserved" in one]
    problems += unlike_log("promise", list[JsonValue](promised.values()), logged)
    words = f"{counted(len(accounts), 'promise')}, and what became of each"
    return judged("budget", problems, words if accounts else "nothing was promised")


def _of_account(
    bundle: Bundle,
    entries: Sequence[BudgetEntry],
    grant: Grant | None,
    run: ExecutionRunRead | None,
) -> Iterator[str]:
    promises = [one for one in entries if one.kind == "reserve"]
    closings = [one for one in entries if one.kind != "reserve"]
    if grant is None or len(promises) != 1:
        yield "the grant is not there" if grant is None else "there is not exactly one promise"
        return
    promise = promises[0]
    if promise.amount != grant.budget:
        yield "another amount was promised than granted"
    if promise.ceiling is not None and promise.amount > promise.ceiling:
        yield "more was promised than may be"
    if promise.ceiling is None and grant.request_id is None:
        yield "more was promised than may be, and nobody was asked"
    if any(one.period_start != promise.period_start for one in closings):
        yield "the promise was closed in another period"
    found = [(one.kind, one.amount) for one in closings]
    if found != _closings(bundle, grant, run, promise.amount):
        yield "the promise was not closed as its run ended"


def _closings(
    bundle: Bundle, grant: Grant, run: ExecutionRunRead | None, promised: Decimal
) -> list[tuple[str, Decimal]]:
    """Return how a promise must be closed; not at all while its grant may still be used."""
    if run is None:
        return [] if grant.voided_at is None else [("release", promised)]
    if run.ended_at is None:
        return []
    closing = _closing(bundle, run)
    if closing is None:
        return [("release", promised)]
    known, unknown = closing
    spent = in_cents(known)
    return [("settle", max(promised, spent) if unknown else spent)]


def _closing(bundle: Bundle, run: ExecutionRunRead) -> tuple[Decimal, bool] | None:
    """Return what a run spent of its promise, as :func:`closing_of` does."""
    completed = run.status == "completed"
    models = [
        parse_cost(one.metadata.get("estimated_cost_usd"))
        for one in of_type(bundle, "llm_usage")
        if one.run_id == run.id
    ]
    if not is_before(bundle, run.created_at):
        return closing_of([*_attempt_costs(bundle, run), *models], completed=completed)
    # Before attempts had rows, what the run itself told was all that counted.
    stated = (run.result or {}).get("cost")
    told = parse_cost(stated) if isinstance(stated, str) else None
    of_models, unknown = add_costs(models)
    known = min(exact_sum([told or Decimal(0), of_models]), LARGEST_AMOUNT)
    if unknown or (told is None and completed):
        return known, True
    return None if told is None and not known else (known, False)


def _attempt_costs(bundle: Bundle, run: ExecutionRunRead) -> list[Decimal | None]:
    """Return what each attempt of a run had cost when it ended, as its workers signed."""
    end = run.ended_at or datetime.max.replace(tzinfo=UTC)
    ended = [
        one.cost
        for one in bundle.attempts
        if one.run_id == run.id and one.ended_at is not None and one.ended_at <= end
    ]
    return attempt_costs(ended, max(run.attempts, len(ended)))


def _not_promised(
    bundle: Bundle,
    entries: Sequence[BudgetEntry],
    grant: Grant | None,
    run: ExecutionRunRead | None,
) -> Iterator[str]:
    # A budget promises nothing where no limit reserves it.
    reserved = {one.grant_id for one in bundle.budget if one.kind == "reserve"}
    if grant is None or run is None or grant.id in reserved:
        yield "it is of no run that nothing was promised to"
        return
    spent = in_cents(add_costs(_attempt_costs(bundle, run))[0])
    if [(one.kind, one.amount) for one in entries] != [("settle", spent)]:
        yield f"it is not what the attempts cost: {spent}"
