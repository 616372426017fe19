"""The checks of a bundle as a whole: honest evidence holds, and one cause may fail several."""

from dataclasses import replace
from decimal import Decimal

import pytest

from remit.audit.bundle.checks import check_bundle
from remit.audit.bundle.facts import MOST_TOLD, counted, judged
from remit.audit.bundle.file import read_bundle, sign_bundle
from remit.audit.bundle.types import SignedBundle
from remit.execution.modules.types import ModuleOutput
from tests.unit.audit.bundle_parts import (
    AMOUNT,
    DIRECTIVE,
    GRANT,
    KEYS,
    RUN,
    STRANGERS,
    artifact,
    entry,
    request,
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
    of_changed_content,
    paid,
    telling,
    unsigned,
    with_budget,
    with_event,
    with_grant,
    with_request,
)
from tests.unit.audit.bundles import (
    OF_ROWS,
    OF_STATEMENTS,
    blocked,
    done,
    failing,
    ready,
    stuck,
    waiting,
)
from tests.unit.audit.chains import NOON

HOLDING: dict[str, tuple[Life, Tampering]] = {
    "stuck": (stuck, lambda one: one),
    "blocked": (blocked, lambda one: one),
    "waiting": (waiting, lambda one: one),
    "ready": (ready, lambda one: one),
    "done": (done, lambda one: one),
    "draft": (
        stuck,
        both(
            of(status="draft", action_digest=None),
            with_event(0, type="directive.drafted"),
        ),
    ),
    "canceled": (done, CANCELED),
    "running": (done, RUNNING),
    "voided": (
        ready,
        both(
            VOID,
            of(status="blocked", status_reason="canceled"),
            telling("directive.blocked", '{"reason": "canceled"}'),
            with_budget(entry("reserve", 5), entry("release", 8)),
        ),
    ),
    "cheaper": (
        done,
        paid(
            ModuleOutput.success(cost=Decimal("1.50")), entry("settle", 7, amount=Decimal("1.50"))
        ),
    ),
    "dearer, with leave": (
        done,
        with_budget(entry("reserve", 5, ceiling=None), entry("settle", 7)),
    ),
    "another digest is not told": (
        done,
        telling("note", f'{{"artifact": "{artifact(5, "execution_end", {}).uri}"}}', 2),
    ),
    "data that is no object": (done, telling("note", "7", 2)),
    "data that is no JSON": (done, telling("note", "{", 2)),
}


@pytest.mark.parametrize("name", HOLDING)
def test_evidence_that_was_not_tampered_with_holds(name: str) -> None:
    live, change = HOLDING[name]
    assert failing(change(live())) == {}


TOGETHER: dict[str, tuple[Life, Tampering, dict[str, str]]] = {
    "no grant": (
        done,
        lambda one: replace(one, grants=()),
        {
            "grants": "the log tells of 1 grant beyond what there is",
            "no run without a grant": f"run {RUN} has no grant",
            "budget": "daily: the grant is not there",
        },
    ),
    "forged grant": (
        done,
        unsigned(budget=Decimal("12.51")),
        {
            "grants": "does not verify",
            "no run without a grant": "has a grant whose signature does not hold",
            "budget": "another amount was promised than granted",
        },
    ),
    "one grant for two": (
        done,
        lambda one: replace(one, runs=(*one.runs, one.runs[0].model_copy(update={"id": OTHER}))),
        {
            "no run without a grant": "shares its grant with another run",
            "runs": "has 0 artifacts of its start",
        },
    ),
    "voter of a grant": (
        done,
        with_grant(votes=("ada", "mallory")),
        {"grants": "names mallory, without a signed approval", "runs": "approved_by"},
    ),
    "person counted twice": (
        done,
        with_grant(votes=("ada", "ada")),
        {"grants": "counts a person twice", "runs": "approved_by"},
    ),
    "too few": (
        done,
        with_grant(votes=("ada",)),
        {"grants": "has too few votes", "runs": "approved_by"},
    ),
    "against the votes": (
        done,
        lambda one: replace(
            one, requests=(replace(one.requests[0], votes=one.requests[0].votes[:2]),)
        ),
        {
            "votes": "the log tells of 1 vote beyond",
            "grants": "names grace, without a signed approval; "
            f"grant {GRANT} stands against the votes",
        },
    ),
    "policy of a grant that people gave": (
        done,
        both(with_grant(policy_digest="x"), with_request(policy_digest="x")),
        {
            "requests": "follows from no decision",
            "grants": "follows from no decision of the gate",
            "runs": "began otherwise: policy_digest",
        },
    ),
    "budget that cannot be read": (
        ready,
        of(budget="much"),
        {
            "action digest": "was changed",
            "decisions": "is about other content",
            "grants": "stands on a budget that cannot be read",
        },
    ),
    "budget taken away": (
        ready,
        of(budget=None),
        {
            "action digest": "was changed",
            "decisions": "is about other content",
            "grants": "promises another amount than the budget",
        },
    ),
    "request of another directive": (
        waiting,
        with_request(directive_id=OTHER),
        {"requests": "asks about another action", "votes": "does not verify"},
    ),
    "changed content that the gate saw": (
        blocked,
        lambda one: of_changed_content(one, seen=True),
        {"action digest": "was changed"},
    ),
    "changed content that the gate let pass": (
        blocked,
        lambda one: of_changed_content(one, seen=False),
        {"action digest": "was changed", "decisions": "comes out otherwise"},
    ),
    "log that is gone": (
        stuck,
        lambda one: replace(one, events=()),
        {"log": "row 1: the log says nothing of it", "status": "the log says None"},
    ),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_what_bears_on_several_things_fails_all_of_them(name: str) -> None:
    live, tamper, expected = TOGETHER[name]
    failed = failing(tamper(live()))
    assert list(failed) == list(expected)
    for check, words in expected.items():
        assert words in failed[check]


def test_the_checks_come_in_the_order_of_the_loop_and_say_what_they_found() -> None:
    bundle = read_bundle(sign_bundle(done(), KEYS), KEYS)
    checks = check_bundle(bundle, KEYS)
    assert [one.name for one in checks] == [*OF_ROWS, *OF_STATEMENTS]
    said = {one.name: one.detail for one in checks}
    assert said["signature"] == f"signed with {KEYS.kid}, and unchanged since"
    assert said["log"] == "14 rows, each after the other"
    assert said["status"] == "complete, as the log says"
    assert said["votes"] == "3 votes, each signed and in the log"
    assert said["no run without a grant"] == "1 run, 1 grant used"
    nothing = read_bundle(sign_bundle(stuck(), KEYS), KEYS)
    said = {one.name: one.detail for one in check_bundle(nothing, KEYS)}
    assert said["requests"] == "nobody was asked"
    assert said["budget"] == "nothing was promised"


def test_a_bundle_that_was_put_together_by_hand_fails_its_signature() -> None:
    good = read_bundle(sign_bundle(done(), KEYS), KEYS)
    other = SignedBundle(replace(good.bundle, exported_by="mallory"), good.envelope)
    [failed] = [one for one in check_bundle(other, KEYS) if not one.holds]
    assert (failed.name, failed.detail) == ("signature", "something else was signed")


def test_a_key_that_is_not_trusted_fails_all_that_it_signed() -> None:
    bundle = read_bundle(sign_bundle(done(), KEYS), KEYS)
    failed = {one.name for one in check_bundle(bundle, STRANGERS) if not one.holds}
    signed = {"votes", "grants", "no run without a grant"}
    assert failed == {"signature", *signed, "issuer", "answers", "voters", "attempts"}


def test_a_check_tells_of_few_problems_and_counts_the_rest() -> None:
    check = judged("x", [f"p{number}" for number in range(MOST_TOLD + 2)], "fine")
    assert (check.holds, check.detail) == (False, "p0; p1; p2; and 2 more")
    assert judged("x", ["p"] * MOST_TOLD, "fine").detail == "p; p; p"
    assert (counted(1, "vote"), counted(0, "vote")) == ("1 vote", "0 votes")


def test_the_evidence_of_these_tests_is_about_one_directive() -> None:
    assert {one.directive_id for one in done().events} == {DIRECTIVE}
    assert done().grants[0].budget == AMOUNT
    assert request(done().directive).requested_at > NOON
