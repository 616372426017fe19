"""How a run and its attempts ended, held against what was signed: what an audit finds in a row."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from remit.audit.bundle.checks import check_bundle
from remit.audit.bundle.file import read_bundle, sign_bundle
from remit.audit.bundle.types import Bundle
from remit.audit.run_ends import Attempt, AuditedRun, Worker, claims, judge_run, worker_keys
from remit.errors import UnverifiableError
from remit.execution.statements import ATTEMPT_END
from remit.signing.dsse import envelope_to_json
from remit.signing.statements import sign_statement
from tests.unit.audit import bundle_lives as lives
from tests.unit.audit.bundle_editing import attempt, run, then
from tests.unit.audit.bundle_parts import KEYS
from tests.unit.audit.bundle_speakers import EXECUTING, certified, left_by

Own = Sequence[tuple[Attempt, Worker]]
SUCCESS, FAILURE, CANCELED, SETTLED = (
    lives.approved(),
    lives.failed(),
    lives.canceled(),
    lives.settled(),
)


def audited(one: Bundle, **changes: Any) -> AuditedRun:
    """Return the last run of a bundle as an audit reads it."""
    ran = one.runs[-1]
    granted = next(each for each in one.grants if each.id == ran.grant_id)
    signed = [each.envelope for each in one.ends if each.about == ran.id]
    row = AuditedRun(
        **{name: getattr(ran, name) for name in AuditedRun.__slots__ if hasattr(ran, name)},
        granted_at=granted.issued_at,
        granted_digest=granted.module_digest,
        reason=one.directive.status_reason,
        envelope=signed[0] if signed else None,
        left={**left_by(ran, one)},
    )
    return replace(row, **changes)


def attempts(one: Bundle, **changes: Any) -> Own:
    """Return the attempts of the last run of a bundle, with the worker that made each."""
    own = [each for each in one.attempts if each.run_id == one.runs[-1].id]
    return [(replace(each, **changes), certified()) for each in own]


def judged(row: AuditedRun, own: Own) -> list[str]:
    return [*judge_run(row, own, {str(EXECUTING.id): certified()}.get, KEYS)]


@pytest.mark.parametrize("one", [SUCCESS, FAILURE, CANCELED, SETTLED, lives.in_doubt()])
def test_a_run_that_ended_as_was_signed_is_sound(one: Bundle) -> None:
    assert judged(audited(one), attempts(one)) == []


ENDING = SETTLED.ends[0].envelope
ATTEMPT = attempts(SUCCESS)[-1][0]


@pytest.mark.parametrize(
    ("row", "own", "expected"),
    [
        (
            audited(SUCCESS, attempts=2),
            [],
            "it says that it was begun 2 times, and 0 attempts are there",
        ),
        (audited(SUCCESS, ended_at=None), attempts(SUCCESS), "it has not ended, and its end was"),
        (audited(SUCCESS, envelope=ENDING), attempts(SUCCESS), "it was ended more than once"),
        (audited(CANCELED, envelope=None), attempts(CANCELED), "nobody signed how it ended"),
        (audited(CANCELED, envelope={}), attempts(CANCELED), "its end does not verify: "),
        (
            audited(SUCCESS, granted_digest="another"),
            attempts(SUCCESS),
            "attempt 1 was made by a worker that does not have the module that was granted",
        ),
        (
            audited(SUCCESS),
            [(ATTEMPT, replace(certified(), modules=[]))],  # type: ignore[arg-type]
            "attempt 1 was made by a worker that does not have the module that was granted",
        ),
        (
            audited(SUCCESS),
            [(ATTEMPT, replace(certified(), envelope=None))],
            "attempt 1 does not bear out its end: ",
        ),
        (
            audited(SUCCESS, result={"n": 2**60}, attempts=1),
            attempts(SUCCESS, cost=Decimal(7)),
            "attempt 1 ended otherwise than its worker signed: cost and output_digest",
        ),
        (
            audited(SUCCESS, status="failed", result=None),
            attempts(SUCCESS),
            "attempt 1 ended otherwise than its worker signed: output_digest and outcome",
        ),
        (
            audited(CANCELED, reason="timed_out", error_type="x"),
            attempts(CANCELED),
            "it ended otherwise than was signed: error_type and reason",
        ),
        (
            audited(SETTLED, status="failed", left={}),
            attempts(SETTLED),
            "it ended otherwise than was signed: artifacts and as",
        ),
    ],
)
def test_what_differs_from_what_was_signed_is_named(
    row: AuditedRun, own: Own, expected: str
) -> None:
    found = judged(row, own)
    assert any(one.startswith(expected) for one in found), found


def test_an_attempt_may_end_without_ending_its_run() -> None:
    said = {**claims(ATTEMPT.envelope), "ends_run": False}
    del said["installation"]
    signed = sign_statement(ATTEMPT_END, said, EXECUTING.keys)
    row, own = audited(SUCCESS, ended_at=None), attempts(SUCCESS, envelope=signed)
    assert judged(row, own) == []


@pytest.mark.parametrize("modules", ["too deep to be read", []])
def test_a_worker_whose_modules_cannot_be_read_is_not_certified(modules: Any) -> None:
    with pytest.raises(UnverifiableError, match="its modules are none"):
        worker_keys(replace(certified(), modules=modules), KEYS)


def test_a_bundle_names_what_differs_of_an_end_in_one_order() -> None:
    later = timedelta(seconds=1)
    edits = {
        "its worker signed: cost, ended_at, output_digest, error_type, attempts and outcome": then(
            run(status="failed", error_type="x", result={"n": 1}, attempts=2),
            attempt(cost=None, ended_at=ATTEMPT.started_at),
        ),
        "was signed: output_digest, error_type, attempts, run_started_at and as": run(
            status="failed",
            error_type="x",
            result={"n": 1},
            attempts=2,
            started_at=ATTEMPT.started_at - later,
        ),
    }
    for (words, edit), one in zip(edits.items(), (SUCCESS, SETTLED), strict=True):
        bundle = read_bundle(sign_bundle(edit(one), KEYS), KEYS)
        [told] = [each.detail for each in check_bundle(bundle, KEYS) if each.name == "attempts"]
        assert words in told


def test_an_envelope_that_cannot_be_read_claims_nothing() -> None:
    assert claims(envelope_to_json(KEYS.sign("x", b"\xff"))) == {}
    assert claims(None) == {}
