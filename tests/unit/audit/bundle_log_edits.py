"""Edits to a bundle's log, and to whose it is, each with the verdict it must get."""

from dataclasses import replace

from remit.audit.bundle.types import Bundle
from remit.signing.keys import Installation
from tests.support.keys import INSTALLATION
from tests.unit.audit.bundle_editing import DAY, event, log, swapped, telling
from tests.unit.audit.bundle_edits import ANY, OTHER, Kind


def later_installation(one: Bundle) -> Bundle:
    """Let the installation seem to have begun when all was over."""
    assert one.installation is not None
    return replace(one, installation=replace(one.installation, since=one.exported_at))


def as_before(one: Bundle) -> Bundle:
    """Take all statements away that were not made before, as if it had happened then."""
    return later_installation(replace(one, issued=None, attempts=(), workers=()))


def elsewhere(one: Bundle) -> Bundle:
    """Pass it off as that of another installation with the same key."""
    assert one.installation is not None
    return replace(one, installation=replace(one.installation, id=OTHER))


LOG: dict[str, Kind] = {
    "event of an unknown type": (ANY, telling("note.made", {}), {"events", "order"}),
    "event of the installation's log": (
        ANY,
        telling("principal.created", {"name": "eve"}, actor="ada"),
        {"events", "order"},
    ),
    "field that no event has": (ANY, event("grant.issued", {"also": 1}), {"events"}),
    "field that is missing": (
        ("auto",),
        event("run.ended", {"outcome": ...}),
        {"events", "order"},
    ),
    "actor of what Remit does": (ANY, event("grant.issued", actor="ada"), {"events"}),
    "end before its run": (
        ("auto",),
        swapped("run.ended", "directive.completed"),
        {"order"},
    ),
    "run before its grant": (("auto",), swapped("directive.approved", "grant.consumed"), {"order"}),
    "approval before the answers": (
        ("approved",),
        swapped("approval.voted", "approval.resolved"),
        {"order"},
    ),
    "step told twice": (
        ANY,
        telling("directive.approved", {}, before="directive.approved"),
        {"order"},
    ),
    "call of a model before the run": (
        ("auto",),
        telling(
            "llm.called",
            dict.fromkeys(
                (
                    "provider",
                    "model",
                    "status",
                    "error_type",
                    "message_count",
                    "characters",
                    "input_tokens",
                    "output_tokens",
                    "cost_usd",
                )
            ),
            before="policy.evaluated",
        ),
        {"order"},
    ),
    "late result before the run": (
        ("auto",),
        telling("run.refused", {"attempt": 1, "outcome": "success"}, before="grant.issued"),
        {"order"},
    ),
    "reason of the block": (
        ("retried",),
        log(
            lambda chain: [
                replace(e, data=e.data.replace("canceled", "expired"))
                if e.type == "directive.blocked"
                else e
                for e in chain
            ]
        ),
        {"order"},
    ),
    "time that runs backwards": (
        ANY,
        log(
            lambda chain: [
                *chain[:2],
                replace(chain[2], occurred_at=chain[2].occurred_at - DAY),
                *chain[3:],
            ]
        ),
        {"times"},
    ),
    "whole log a day later": (
        ANY,
        log(lambda chain: [replace(e, occurred_at=e.occurred_at + DAY) for e in chain]),
        {"times"},
    ),
    "log of another directive": (
        ("auto",),
        log(lambda chain: [replace(e, directive_id=OTHER) for e in chain]),
        {"log"},
    ),
    "beginning of the installation put off": (ANY, later_installation, {"installation"}),
    "installation younger than the bundle": (
        ("blocked",),
        lambda one: replace(
            one, installation=Installation(INSTALLATION.id, one.exported_at + DAY), issued=None
        ),
        {"installation"},
    ),
    "made to look older": (("auto",), as_before, {"installation"}),
    "another installation": (
        ("auto",),
        elsewhere,
        {"grants", "no run without a grant", "issuer", "voters", "attempts"},
    ),
}
