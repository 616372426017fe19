"""Edits to what a bundle says of evidence and money, each with the verdict it must get."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

from remit.audit.bundle.types import Bundle
from remit.vocabulary import ArtifactType
from tests.unit.audit.bundle_action_edits import RAN
from tests.unit.audit.bundle_editing import (
    DAY,
    artifact,
    event,
    request,
    telling,
    then,
    without,
    without_artifact,
)
from tests.unit.audit.bundle_edits import OTHER, Kind


def extra(kind: ArtifactType, run_of: bool, named: bool) -> Any:  # noqa: FBT001 - a table reads it
    """Return what adds an artifact, of the run or of nobody, and lets the log name it or not."""

    def edit(one: Bundle) -> Bundle:
        old = one.artifacts[-1]
        uri = f"artifact://local/{OTHER}"
        run_id = one.runs[-1].id if run_of else None
        said: dict[str, Any] = (
            {"text": "x"} if run_of else {"name": "x", "labels": {}, "filed_by": "agent-1"}
        )
        new = replace(old, id=OTHER, uri=uri, type=kind, run_id=run_id, metadata=said)
        more = replace(one, artifacts=(*one.artifacts, new))
        if not named:
            return more
        if run_of:
            return _named_too(more, uri)
        told = telling("artifact.stored", {"artifact": uri, "evidence": {uri: ""}}, actor="agent-1")
        return told(more)

    return edit


def _named_too(one: Bundle, uri: str) -> Bundle:
    last = one.events[-1]
    said = json.loads(last.data)
    said["evidence"][uri] = ""
    return replace(one, events=(*one.events[:-1], replace(last, data=json.dumps(said))))


def ledger(change: Any) -> Any:
    """Return what changes the entries of the ledger."""
    return lambda one: replace(one, budget=tuple(change([*one.budget])))


EVIDENCE: dict[str, Kind] = {
    "artifact that no event names": (
        RAN,
        extra("attachment", run_of=False, named=False),
        {"named evidence", "filings"},
    ),
    "attachment that nobody filed": (
        RAN,
        extra("attachment", run_of=False, named=True),
        {"filings"},
    ),
    "output that no module left": (
        RAN,
        extra("module_output", run_of=True, named=True),
        {"attempts"},
    ),
    "output that is gone": (
        ("auto",),
        then(without_artifact("module_output"), artifact("execution_end", artifacts=[])),
        {"attempts"},
    ),
    "name that the log no longer says": (
        ("auto",),
        event("directive.completed", {"evidence": ...}),
        {"named evidence"},
    ),
    "who filed an attachment": (
        ("filed",),
        then(artifact("attachment", filed_by="ada"), event("artifact.stored", actor="ada")),
        {"filings"},
    ),
    "who filed it, in the log": (
        ("filed",),
        event("artifact.stored", actor="ada"),
        {"filings"},
    ),
    "word of a filing, in the log": (
        ("filed",),
        event("artifact.stored", {"envelope": {"payload": "x"}}),
        {"filings"},
    ),
    "filing that the log has no word of": (
        ("filed",),
        event("artifact.stored", {"envelope": ...}),
        {"filings"},
    ),
    "name of an attachment": (("filed",), artifact("attachment", name="x"), {"filings"}),
    "attachment cut out": (
        ("filed",),
        then(without_artifact("attachment"), without("artifact.stored")),
        {"filings"},
    ),
    "when evidence was stored": (
        ("auto",),
        lambda one: replace(
            one,
            artifacts=tuple(
                replace(each, created_at=each.created_at - DAY) for each in one.artifacts
            ),
        ),
        {"times"},
    ),
}
MONEY: dict[str, Kind] = {
    "amount that was spent": (
        ("approved",),
        ledger(lambda all_: [all_[0], replace(all_[1], amount=Decimal("0.01"))]),
        {"budget"},
    ),
    "promise taken away": (("approved",), ledger(lambda all_: all_[1:]), {"budget"}),
    "settlement taken away": (("approved",), ledger(lambda all_: all_[:1]), {"budget"}),
    "promise given back": (
        ("canceled",),
        ledger(lambda all_: [all_[0], replace(all_[1], kind="release")]),
        {"budget"},
    ),
    "limit that somebody let pass": (
        ("failed",),
        ledger(lambda all_: [replace(all_[0], ceiling=None), all_[1]]),
        {"budget"},
    ),
    "period of a settlement": (
        ("approved",),
        ledger(lambda all_: [all_[0], replace(all_[1], period_start=all_[1].period_start - DAY)]),
        {"budget"},
    ),
    "when money was spent": (
        ("approved",),
        ledger(lambda all_: [all_[0], replace(all_[1], created_at=all_[1].created_at - DAY)]),
        {"times"},
    ),
    "status of a withdrawn request": (("withdrawn",), request(status="invalidated"), {"answers"}),
    "promise of a withdrawn grant kept": (
        ("withdrawn",),
        ledger(lambda all_: all_[:1]),
        {"budget"},
    ),
    "cost without a promise": (
        ("unpromised",),
        ledger(lambda all_: [replace(all_[0], amount=Decimal(1))]),
        {"budget"},
    ),
    "cost without a promise taken away": (("unpromised",), ledger(lambda _: []), {"budget"}),
    "cost without a promise, of one that had one": (
        ("approved",),
        ledger(lambda all_: [*all_, replace(all_[1], account="not promised")]),
        {"budget"},
    ),
}
