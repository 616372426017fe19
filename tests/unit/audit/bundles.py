"""Evidence as the loop leaves it behind, made without a database, for the tests of its checks.

That a real database leaves the same behind is proved in tests/integration/operations.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from remit.audit.bundle.checks import check_bundle
from remit.audit.bundle.file import read_bundle, sign_bundle
from remit.audit.bundle.types import Asked, Bundle, SignedBundle
from remit.audit.chain import Event
from remit.audit.verification import STATUS_OF
from remit.directives.models import DirectiveRead
from tests.support.keys import INSTALLATION
from tests.unit.audit.bundle_parts import (
    GRANT,
    KEYS,
    REQUEST,
    RUN,
    at,
    directive,
    entry,
    evaluated,
    evaluation,
    events,
    grant,
    naming,
    of_run,
    opening,
    request,
    run,
    vote,
    voted,
)
from tests.unit.audit.bundle_speakers import signed_by_all
from tests.unit.audit.chains import linked

INTEGRITY = ("action digest", "log", "status", "artifacts", "decisions")
CONSENT = ("requests", "votes", "grants")
ACTION = ("no run without a grant", "runs", "budget")
OF_ROWS = ("signature", "installation", *INTEGRITY, *CONSENT, *ACTION)
"""The names of the checks that every format has, in their order."""

OF_STATEMENTS = (
    "issuer",
    "events",
    "order",
    "times",
    "named evidence",
    "answers",
    "voters",
    "attempts",
    "filings",
    "checkpoint",
)
"""The names of those that only the second format has."""


def bare(found: DirectiveRead, said: Sequence[Event], **more: Any) -> Bundle:
    """Return evidence of a directive with nothing but its log, and what is given."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("requests", "grants", "runs", "budget", "artifacts"), ()
    )
    moved = [event.occurred_at for event in said if event.type in STATUS_OF]
    found = found.model_copy(update={"updated_at": moved[-1]})
    given = {"installation": INSTALLATION, **nothing, **more}
    return signed_by_all(Bundle(at(60), "audrey", found, events=tuple(said), **given))


def stuck() -> Bundle:
    """Return a directive that the gate has not seen."""
    found = directive("proposed")
    return bare(found, events(opening(found)))


def blocked() -> Bundle:
    """Return a directive that the policy blocked."""
    found = directive("blocked", "policy", type="rm")
    decision = evaluation(found)
    said = events(
        opening(found),
        evaluated(decision),
        ("directive.blocked", {"reason": "policy", "because": ["tool"], **naming(decision)}),
    )
    return bare(found, said, artifacts=(decision,))


def waiting() -> Bundle:
    """Return a directive on which one of two people has voted."""
    found = directive("proposed")
    decision, asked = evaluation(found), request(found)
    given = vote(asked, "ada", 2)
    said = events(
        opening(found),
        evaluated(decision),
        ("approval.requested", {"because": [*asked.rules], **naming(decision)}),
        voted(given),
    )
    return bare(found, said, artifacts=(decision,), requests=(Asked(asked, (given,)),))


def ready(**changes: Any) -> Bundle:
    """Return a directive that policy alone allows, and that has not run.

    Args:
        changes: other values of the grant's fields, signed with them.
    """
    found = directive("approved", scope="test")
    decision = evaluation(found)
    issued = {"by": "policy", "reserved": {"daily": "12.50"}}
    said = events(
        opening(found),
        evaluated(decision),
        ("grant.issued", issued),
        ("directive.approved", naming(decision)),
    )
    return bare(
        found,
        said,
        artifacts=(decision,),
        grants=(grant(found, **({"issued_at": at(2)} | changes)),),
        budget=(entry("reserve", 2),),
    )


def done() -> Bundle:
    """Return a directive that two people approved, one at second thought, and that is complete."""
    found = directive("complete")
    decision, asked = evaluation(found), request(found, status="consumed", resolved_at=at(5))
    cast = (vote(asked, "grace", 2, "why?"), vote(asked, "ada", 3), vote(asked, "grace", 4))
    people = {"request_id": REQUEST, "required_approvals": 2, "votes": ("ada", "grace")}
    issued = grant(found, **people)
    ran = run(issued)
    artifacts = (decision, *of_run(issued, ran))
    said = events(
        opening(found),
        evaluated(decision),
        ("approval.requested", {"because": [*asked.rules], **naming(decision)}),
        *map(voted, cast),
        ("approval.resolved", {"outcome": "approved"}),
        ("grant.issued", {"by": ["ada", "grace"], "reserved": {"daily": "12.50"}}),
        ("directive.approved", {}),
        ("grant.consumed", {"grant": str(GRANT)}),
        ("directive.executing", {"run": str(RUN)}),
        ("run.attempted", {"attempt": 1, **naming(artifacts[1])}),
        ("run.ended", {"outcome": "success", "artifact": artifacts[-1].uri}),
        ("directive.completed", naming(*artifacts[2:])),
    )
    return bare(
        found,
        said,
        requests=(Asked(asked, cast),),
        grants=(issued,),
        runs=(ran,),
        budget=(entry("reserve", 5), entry("settle", 7)),
        artifacts=artifacts,
    )


def failing(evidence: Bundle) -> dict[str, str]:
    """Return the checks of rows that fail once the evidence is signed, with what they say.

    What the checks of statements find besides, `edits.py` tells for each kind of edit.
    """
    bundle: SignedBundle = read_bundle(sign_bundle(evidence, KEYS), KEYS)
    checks = check_bundle(bundle, KEYS)
    return {one.name: one.detail for one in checks if not one.holds and one.name in OF_ROWS}


Change = Callable[[Bundle], Bundle]


def retold(evidence: Bundle, change: Callable[[list[Event]], Iterable[Event]]) -> Bundle:
    """Return evidence with another log, whose hashes fit."""
    return replace(evidence, events=tuple(linked(change([*evidence.events]))))
