"""Checks of a bundle about time: no time runs backwards, and rows and log agree on when. Pure.

A row and the event that tells of it are written in one transaction. The row may carry the time of
the transaction's beginning, and the event that of its own writing, after a lock was waited for. So
a row is as old as its event, or a little older, and never younger.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from remit.audit.bundle_facts import Check, judged, parsed_data
from remit.audit.bundle_records import Evidence
from remit.audit.chain import Event
from remit.audit.verification import STATUS_OF
from remit.base.wording import quoted

MOST_BEHIND: Final = timedelta(minutes=10)
"""How much older than its event a row may be."""

Dated = tuple[str, datetime, Event]
"""What a row is, its time, and the event that tells of it."""


def timed(evidence: Evidence) -> Check:
    """Check that the times of the log and of the rows can be those of what happened."""
    problems = [*_backwards(evidence)]
    problems += [
        f"{what} is of {_shown(when)}, and the log tells of it at {_shown(event.occurred_at)}"
        for what, when, event in _dated(evidence)
        if not event.occurred_at - MOST_BEHIND <= when <= event.occurred_at
    ]
    return judged("times", problems, "none runs backwards, and rows and log agree on each")


def _backwards(evidence: Evidence) -> Iterator[str]:
    """Yield where the times of the log run backwards, or past the moment of the export."""
    for before, after in pairwise(evidence.events):
        if after.occurred_at < before.occurred_at:
            yield f"row {after.seq} is older than the one before it"
    for event in evidence.events[-1:]:
        if event.occurred_at > evidence.exported_at + MOST_BEHIND:
            yield f"row {event.seq} is younger than the export"


def _dated(evidence: Evidence) -> Iterator[Dated]:
    """Yield every row that an event tells of."""
    yield from _directive_times(evidence)
    yield from _consent_times(evidence)
    yield from _run_times(evidence)


def _directive_times(evidence: Evidence) -> Iterator[Dated]:
    directive = evidence.directive
    for event in evidence.events[:1]:
        yield "the directive", directive.created_at, event
    moved = [event for event in evidence.events if _moves(event)]
    if moved:
        yield "the status of the directive", directive.updated_at, moved[-1]
    telling = {uri: event for event in evidence.events for uri in _evidence_of(event)}
    for artifact in evidence.artifacts:
        if artifact.uri in telling:
            yield f"artifact {artifact.id}", artifact.created_at, telling[artifact.uri]


def _consent_times(evidence: Evidence) -> Iterator[Dated]:
    asked = _of(evidence, "approval.requested")
    for one, event in zip(evidence.requests, asked, strict=False):
        request = one.request
        yield f"request {request.id}", request.requested_at, event
        answers = _following(evidence, event, until="approval.requested")
        votes = [each for each in answers if each.type == "approval.voted"]
        for vote, voted in zip(one.votes, votes, strict=False):
            yield f"a vote of {quoted(vote.voter)}", vote.cast_at, voted
        ends = [each for each in answers if each.type == "approval.resolved"]
        if request.resolved_at is not None and ends:
            yield f"the end of request {request.id}", request.resolved_at, ends[0]
    for grant, event in zip(evidence.grants, _of(evidence, "grant.issued"), strict=False):
        yield f"grant {grant.id}", grant.issued_at, event
        voided = _following(evidence, event, until="grant.issued")
        if grant.voided_at is not None:
            for each in [each for each in voided if each.type == "grant.voided"][:1]:
                yield f"the end of grant {grant.id}", grant.voided_at, each


def _run_times(evidence: Evidence) -> Iterator[Dated]:
    for run, event in zip(evidence.runs, _of(evidence, "directive.executing"), strict=False):
        yield f"run {run.id}", run.created_at, event
        later = _following(evidence, event, until="directive.executing")
        begun = [each for each in later if each.type == "run.attempted"]
        ended = [each for each in later if each.type == "run.ended"]
        if run.started_at is not None and begun:
            yield f"the beginning of run {run.id}", run.started_at, begun[0]
        if run.ended_at is not None and ended:
            yield f"the end of run {run.id}", run.ended_at, ended[0]
    yield from _ledger_times(evidence)


def _ledger_times(evidence: Evidence) -> Iterator[Dated]:
    for grant, issued in zip(evidence.grants, _of(evidence, "grant.issued"), strict=False):
        later = _following(evidence, issued, until="grant.issued")
        ends = [each for each in later if each.type in {"run.ended", "grant.voided"}]
        for entry in evidence.budget:
            if entry.grant_id == grant.id and entry.kind == "reserve":
                yield f"a promise on {quoted(entry.account)}", entry.created_at, issued
            elif entry.grant_id == grant.id and ends:
                yield f"an entry on {quoted(entry.account)}", entry.created_at, ends[0]


def _of(evidence: Evidence, event_type: str) -> list[Event]:
    return [event for event in evidence.events if event.type == event_type]


def _following(evidence: Evidence, first: Event, *, until: str) -> list[Event]:
    """Return the events after one, up to the next of a type."""
    found: list[Event] = []
    for event in evidence.events[evidence.events.index(first) + 1 :]:
        if event.type == until:
            break
        found.append(event)
    return found


def _moves(event: Event) -> bool:
    """Return whether an event tells of another status than before."""
    # What is found without a decision passes the gate again, where it stands already.
    return event.type in STATUS_OF and "found" not in parsed_data(event.data)


def _evidence_of(event: Event) -> list[str]:
    named = parsed_data(event.data).get("evidence")
    return [*named] if isinstance(named, dict) else []


def _shown(when: datetime) -> str:
    return when.isoformat(timespec="seconds")
