"""What nobody knows says so until a person settles it; what is known is signed by who knows it."""

from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.base.json_types import JsonObject
from remit.directives.models import DirectiveRead
from remit.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    UnverifiableError,
)
from remit.execution.models import ExecutionRunRead, Standing, output_to_json
from remit.execution.modules.types import ModuleOutput
from remit.execution.repository import standings
from remit.execution.statements import (
    ATTEMPT_END,
    RECONCILIATION,
    RUN_END,
    attempt_end_statement,
    reconciliation_statement,
    run_end_statement,
)
from remit.identity.types import Principal
from remit.operations.evidence.overview import read_glance, read_overview
from remit.operations.evidence.records import find_leftovers, read_record
from remit.operations.runs.beginning import start_run
from remit.operations.runs.cancellation import cancel
from remit.operations.runs.reconciliation import reconcile
from remit.operations.runs.results import end_run
from remit.signing.statements import verify_statement
from remit.vocabulary import Settled
from tests.adversarial.attacking import NOW
from tests.integration.operations.lives import exhausted
from tests.support.contents import AUTHORITY, SHORT, finish, policy, proposed, under
from tests.support.keys import KEYS, WORKER
from tests.support.people import AGENT, OPERATOR

DONE = ModuleOutput.success({"said": "hello"})
WHY = "the invoice is in the books"


def settle(
    engine: sa.Engine, found: DirectiveRead, word: Settled = "done", **changes: object
) -> DirectiveRead:
    given: dict[str, object] = {"reason": WHY, "by": OPERATOR, "keys": KEYS} | changes
    return reconcile(engine, found.id, word, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("word", "status", "reason", "run_status"),
    [("done", "complete", None, "completed"), ("failed", "aborted", "module_failed", "failed")],
)
def test_a_person_settles_what_is_in_doubt(
    engine: sa.Engine, word: Settled, status: str, reason: str | None, run_status: str
) -> None:
    found = exhausted(engine)
    after = settle(engine, found, word)
    assert (after.status, after.status_reason) == (status, reason)
    record = read_record(engine, found.id)
    assert record.run is not None
    assert record.run.status == run_status
    told = next(event for event in record.events if event.type == "run.reconciled")
    assert told.actor == OPERATOR.name
    assert WHY in told.data
    assert record.broken_at is None


def test_what_a_person_settled_is_signed_and_bears_out_the_row(engine: sa.Engine) -> None:
    found = exhausted(engine)
    settle(engine, found)
    standing, envelope = stored(engine, found.id)
    run = standing.run
    assert run.ended_at is not None
    assert run.result is not None
    said = reconciliation_statement(
        run,
        run.result,
        by=OPERATOR.name,
        settled="done",
        reason=WHY,
        artifacts=left(engine, found.id),
        ended_at=run.ended_at,
    )
    verify_statement(RECONCILIATION, envelope, said, KEYS)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"by": AGENT}, ForbiddenError),
        ({"by": Principal("olga", "service", roles=("operator",))}, ForbiddenError),
        ({"by": Principal("vera", "human", roles=("approver",))}, ForbiddenError),
        ({"reason": " "}, InvalidInputError),
        ({"reason": "the password is AKIAIOSFODNN7EXAMPLE"}, InvalidInputError),
    ],
)
def test_nobody_else_settles_it_and_not_without_a_reason(
    engine: sa.Engine, changes: dict[str, object], error: type[Exception]
) -> None:
    found = exhausted(engine)
    with pytest.raises(error):
        settle(engine, found, "done", **changes)
    assert read_record(engine, found.id).directive.status_reason == "in_doubt"


@pytest.mark.parametrize("live", [proposed, lambda engine: begun(engine)[0]])
def test_what_is_not_in_doubt_is_not_settled(
    engine: sa.Engine, live: Callable[[sa.Engine], DirectiveRead]
) -> None:
    found = live(engine)
    with pytest.raises(ConflictError, match="not in doubt"):
        settle(engine, found)


def test_what_is_in_doubt_is_not_canceled_but_settled(engine: sa.Engine) -> None:
    found = exhausted(engine)
    with pytest.raises(ConflictError, match="remit reconcile"):
        cancel(engine, found.id, by=OPERATOR, reason=None)


def test_a_late_success_settles_it_before_a_person_does(engine: sa.Engine) -> None:
    found, run = begun(engine)
    while read_record(engine, found.id).directive.status_reason is None:
        start_run(engine, found.id, lambda _: SHORT, AUTHORITY)
    assert finish(engine, run, DONE).status == "complete"
    with pytest.raises(ConflictError):
        settle(engine, found, "failed")


def test_what_is_in_doubt_waits_for_a_person_and_no_sweep_takes_it_up(
    empty_engine: sa.Engine,
) -> None:
    found = exhausted(empty_engine)
    assert find_leftovers(empty_engine, idle=NOW, stalled=NOW, limit=9).executing == ()
    assert read_glance(empty_engine).unanswered.in_doubt == 1
    [one] = read_overview(empty_engine, NOW).running
    assert (one.directive_id, one.is_in_doubt) == (found.id, True)
    settle(empty_engine, found)
    assert read_glance(empty_engine).unanswered.in_doubt == 0


def test_no_doubt_is_written_without_its_event(engine: sa.Engine) -> None:
    found, _ = begun(engine)
    with pytest.raises(sa.exc.DBAPIError, match="in doubt without the event"):
        write_doubt(engine, found.id)


def test_an_error_of_an_older_attempt_ends_only_itself(engine: sa.Engine) -> None:
    found, first = begun(engine)
    start_run(engine, found.id, lambda _: SHORT, AUTHORITY)
    after = end_run(engine, found, first, ModuleOutput.failure("no paper"), worker=WORKER)
    assert after.run is not None
    assert (after.directive.status, after.run.status) == ("executing", "running")
    standing, _ = stored(engine, found.id)
    assert [one.ended_at is None for one in standing.attempts] == [False, True]
    assert read_record(engine, found.id).events[-1].type == "run.attempt_ended"


def test_the_end_of_an_attempt_is_signed_by_its_worker_and_bears_out_the_row(
    engine: sa.Engine,
) -> None:
    found, run = begun(engine)
    finish(engine, run, DONE)
    standing, _ = stored(engine, found.id)
    [attempt] = standing.attempts
    assert attempt.ended_at is not None
    assert attempt.ended_at == standing.run.ended_at
    said = attempt_end_statement(
        standing.run,
        output_to_json(DONE),
        worker_id=WORKER.id,
        attempt=1,
        ends_run=True,
        outcome="success",
        cost=attempt.cost,
        artifacts=left(engine, found.id),
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
    )
    envelope = envelope_of(engine, run)
    verify_statement(ATTEMPT_END, envelope, said, WORKER.keys)
    with pytest.raises(UnverifiableError):
        verify_statement(ATTEMPT_END, envelope, said, KEYS)


def test_a_run_that_was_canceled_is_signed_by_the_installation(engine: sa.Engine) -> None:
    found, _ = begun(engine)
    cancel(engine, found.id, by=OPERATOR, reason="enough", keys=KEYS)
    standing, envelope = stored(engine, found.id)
    assert standing.run.ended_at is not None
    said = run_end_statement(
        standing.run,
        None,
        worker_id=None,
        by=OPERATOR.name,
        reason="canceled",
        said="enough",
        status="canceled",
        artifacts={},
        ended_at=standing.run.ended_at,
    )
    verify_statement(RUN_END, envelope, said, KEYS)


def test_a_run_that_an_obstacle_ended_is_signed_by_the_worker_that_found_it(
    engine: sa.Engine,
) -> None:
    found, run = begun(engine)
    finish(engine, run, ModuleOutput.failure("away", retryable=True))
    start_run(engine, found.id, lambda _: SHORT, under(policy(budget_ceiling="1.00")))
    standing, envelope = stored(engine, found.id)
    run = standing.run
    assert run.ended_at is not None
    said = run_end_statement(
        run,
        run.result,
        worker_id=WORKER.id,
        by="remit",
        reason="policy_changed",
        said=run.error_message,
        status="failed",
        artifacts=left(engine, found.id),
        ended_at=run.ended_at,
    )
    verify_statement(RUN_END, envelope, said, WORKER.keys)


def begun(engine: sa.Engine) -> tuple[DirectiveRead, ExecutionRunRead]:
    """Return a directive whose first attempt has begun, and its run."""
    found = proposed(engine)
    run = start_run(engine, found.id, lambda _: SHORT, AUTHORITY).run
    assert run is not None
    return found, run


def stored(engine: sa.Engine, directive_id: UUID) -> tuple[Standing, JsonObject | None]:
    """Return the run of a directive as it stands, and the envelope in its row."""
    with engine.connect() as connection:
        row = connection.execute(
            sa.text("SELECT id, envelope FROM execution_runs WHERE directive_id = :id"),
            {"id": directive_id},
        ).one()
        return standings(connection, [row.id])[row.id], row.envelope


def envelope_of(engine: sa.Engine, run: ExecutionRunRead) -> JsonObject | None:
    """Return the envelope of a run's first attempt."""
    with engine.connect() as connection:
        found: JsonObject | None = connection.execute(
            sa.text("SELECT envelope FROM execution_attempts WHERE run_id = :id AND attempt = 1"),
            {"id": run.id},
        ).scalar_one()
        return found


def left(engine: sa.Engine, directive_id: UUID) -> dict[str, str]:
    """Return the digests of what the end of a run left, by address."""
    types = {"execution_checkpoint", "execution_end", "module_output"}
    record = read_record(engine, directive_id)
    return {one.uri: one.digest for one in record.artifacts if one.type in types}


def write_doubt(engine: sa.Engine, directive_id: UUID) -> None:
    """Put a directive in doubt with the services' own role, and say nothing."""
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE directives SET status_reason = 'in_doubt' WHERE id = :id"),
            {"id": directive_id},
        )
