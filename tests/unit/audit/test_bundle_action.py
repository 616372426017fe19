"""Whether what ran was let run: what was changed of runs, evidence and money is found.

Whatever is changed here is signed anew with the key that is trusted, as if the database had held it
when the bundle was made. Exactly one check fails: the one that guards against it.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from remit.execution.models import output_to_json
from remit.execution.modules.types import ModuleOutput
from tests.unit.audit.bundle_parts import (
    GRANT,
    RUN,
    artifact,
    at,
    entry,
)
from tests.unit.audit.bundle_tamperings import (
    CANCELED,
    OTHER,
    RUNNING,
    VOID,
    Life,
    Tampering,
    both,
    of,
    paid,
    telling,
    with_artifact,
    with_budget,
    with_event,
    with_run,
    without_artifact,
    without_event,
)
from tests.unit.audit.bundles import (
    ACTION,
    blocked,
    done,
    failing,
    ready,
)

ALONE: dict[str, tuple[str, Life, Tampering, str]] = {
    "void grant that was used": (
        "no run without a grant",
        done,
        VOID,
        "has a grant that is void: canceled",
    ),
    "artifact of no run": (
        "no run without a grant",
        ready,
        lambda one: replace(one, artifacts=(*one.artifacts, artifact(9, "module_output", {}))),
        "is of a run that is not there",
    ),
    "artifact of another run": (
        "no run without a grant",
        blocked,
        lambda one: replace(one, artifacts=(replace(one.artifacts[0], run_id=OTHER),)),
        "is of a run that is not there",
    ),
    "run that the log alone tells of": (
        "no run without a grant",
        ready,
        both(
            telling("directive.executing", f'{{"run": "{RUN}"}}', 3),
            telling("grant.consumed", f'{{"grant": "{GRANT}"}}', 3),
        ),
        "the log tells of 1 run beyond what there is; the log tells of 1 used grant beyond",
    ),
    "aborted, and never ran": (
        "no run without a grant",
        ready,
        both(
            of(status="aborted", status_reason="canceled"),
            telling("directive.aborted", '{"reason": "canceled"}'),
        ),
        "the directive is aborted, and there is no run",
    ),
    "version of a run": (
        "runs",
        done,
        both(with_run(module_version="2"), with_artifact("execution_start", module_version="2")),
        "is of echo 2, not echo 1",
    ),
    "run before its grant": (
        "runs",
        done,
        with_run(created_at=at(4)),
        "began when its grant did not stand",
    ),
    "run after its grant": (
        "runs",
        done,
        with_run(created_at=at(65)),
        "began when its grant did not stand",
    ),
    "directive of a run": (
        "runs",
        done,
        with_run(directive_id=OTHER),
        "is of another directive than its grant",
    ),
    "digest of the module that began": (
        "runs",
        done,
        with_artifact("execution_start", module_digest="sha256:x"),
        "began otherwise: module_digest",
    ),
    "start that is missing": (
        "runs",
        done,
        without_artifact("execution_start"),
        "has 0 artifacts of its start",
    ),
    "status of the end": (
        "runs",
        done,
        with_artifact("execution_end", status="failed"),
        "ended otherwise than its artifact says",
    ),
    "result": (
        "runs",
        done,
        with_run(result=output_to_json(ModuleOutput.success({"said": "bye"}))),
        "returned something else than its artifact says",
    ),
    "returned nothing": (
        "runs",
        done,
        without_artifact("execution_checkpoint"),
        "returned something else than its artifact says",
    ),
    "end of what runs": (
        "runs",
        done,
        both(
            RUNNING,
            lambda one: replace(
                one, artifacts=(*one.artifacts, artifact(5, "execution_end", {}, RUN))
            ),
        ),
        "is running, and left an end",
    ),
    "attempts": ("runs", done, with_run(attempts=2), "the log tells of 1 attempt, not 2"),
    "run of a status that has none": (
        "runs",
        done,
        both(
            of(status="approved"),
            without_event("directive.completed"),
            without_event("directive.executing"),
            telling("directive.executing", f'{{"run": "{RUN}"}}', 2),
        ),
        "the directive is approved, and its last run is not",
    ),
    "promise that is missing": (
        "budget",
        ready,
        with_budget(),
        "the log tells of 1 promise beyond what there is",
    ),
    "promise that the log does not tell of": (
        "budget",
        ready,
        with_event(2, data='{"by": "policy"}'),
        "the log does not tell of 1 promise",
    ),
    "amount of a promise": (
        "budget",
        ready,
        both(
            with_budget(entry("reserve", 5, amount=Decimal("13.00"))),
            with_event(2, data='{"by": "policy", "reserved": {"daily": "13.00"}}'),
        ),
        "daily: another amount was promised than granted",
    ),
    "ceiling": (
        "budget",
        ready,
        with_budget(entry("reserve", 5, ceiling=Decimal("12.49"))),
        "daily: more was promised than may be",
    ),
    "promise of no grant": (
        "budget",
        ready,
        with_budget(entry("reserve", 5, grant_id=OTHER)),
        "daily: the grant is not there",
    ),
    "closing of nothing": (
        "budget",
        done,
        both(
            with_budget(entry("settle", 7)),
            with_event(7, data='{"by": ["ada", "grace"]}'),
        ),
        "daily: there is not exactly one promise",
    ),
    "closing in another period": (
        "budget",
        done,
        with_budget(entry("reserve", 5), entry("settle", 7, period_start=at(-1))),
        "daily: the promise was closed in another period",
    ),
    "open though it ended": (
        "budget",
        done,
        with_budget(entry("reserve", 5)),
        "daily: the promise was not closed as its run ended",
    ),
    "closed twice": (
        "budget",
        done,
        with_budget(entry("reserve", 5), entry("settle", 7), entry("release", 7)),
        "not closed as its run ended",
    ),
    "closed though it may be used": (
        "budget",
        ready,
        with_budget(entry("reserve", 5), entry("release", 7)),
        "not closed as its run ended",
    ),
    "closed though it runs": (
        "budget",
        done,
        both(RUNNING, with_budget(entry("reserve", 5), entry("release", 7))),
        "not closed as its run ended",
    ),
    "released though nobody knows what the attempt cost": (
        "budget",
        done,
        both(CANCELED, with_budget(entry("reserve", 5), entry("release", 7))),
        "not closed as its run ended",
    ),
    "another amount than it cost": (
        "budget",
        done,
        paid(ModuleOutput.success(cost=Decimal("1.50")), entry("settle", 7)),
        "not closed as its run ended",
    ),
    "cost that is no amount": (
        "budget",
        done,
        both(
            with_run(result={"cost": "much"}),
            with_artifact("execution_checkpoint", output={"cost": "much"}),
            with_budget(entry("reserve", 5), entry("settle", 7, amount=Decimal("1.00"))),
        ),
        "not closed as its run ended",
    ),
}
"""Which check fails, of which life, by what, and what it says."""


@pytest.mark.parametrize("name", ALONE)
def test_a_tampering_is_found_by_the_check_that_guards_against_it(name: str) -> None:
    check, live, tamper, words = ALONE[name]
    failed = failing(tamper(live()))
    assert list(failed) == [check]
    assert words in failed[check]


def test_each_of_these_checks_has_a_tampering_that_it_alone_finds() -> None:
    assert {check for check, *_ in ALONE.values()} == set(ACTION)
