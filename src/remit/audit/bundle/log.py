"""Checks of a bundle about its log: one chain, of Remit's events, in an order that can be. Pure.

A row and the event that tells of it are written in one transaction. The row may carry the time of
the transaction's beginning, and the event that of its own writing, after a lock was waited for. So
a row is as old as its event, or a little older, and never younger.
"""

import json
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import pairwise, takewhile
from typing import Final

from pydantic import JsonValue

from remit.audit.bundle.facts import Check, counted, judged
from remit.audit.bundle.types import Bundle
from remit.audit.chain import Event, parsed_data
from remit.audit.checkpoint import Head, read_checkpoint, verify_inclusion
from remit.audit.event_rules import EVENT_SCHEMAS, RESTING, EventOrder
from remit.audit.verification import STATUS_OF, verify_chains
from remit.base.wording import listed, quoted
from remit.errors import UnverifiableError
from remit.identity.types import SYSTEM
from remit.signing.keys import Keyring

MOST_BEHIND: Final = timedelta(minutes=10)
"""How much older than its event a row may be."""

_ENDS = frozenset({"run.ended", "directive.completed"})

Dated = tuple[str, datetime, Event]
"""What a row is, its time, and the event that tells of it."""


def log(bundle: Bundle) -> Check:
    """Check that the log is one unbroken chain, of this directive alone."""
    directive = bundle.directive
    own = [event for event in bundle.events if event.directive_id == directive.id]
    foreign = len(bundle.events) - len(own)
    problems = [f"{counted(foreign, 'row')} of another directive"] if foreign else []
    problems += [
        f"row {one.seq}: {one.words}"
        for one in verify_chains(own, [(directive.id, directive.status)])
        if one.fault != "status_forged"
    ]
    return judged("log", problems, f"{counted(len(bundle.events), 'row')}, each after the other")


def status(bundle: Bundle) -> Check:
    """Check that the directive has the status and the reason that its log gave it last."""
    directive = bundle.directive
    moves = [event for event in bundle.events if event.type in STATUS_OF]
    logged = STATUS_OF[moves[-1].type] if moves else None
    reason: JsonValue = None
    if logged in {"blocked", "aborted"} or (moves and moves[-1].type == "directive.in_doubt"):
        reason = parsed_data(moves[-1].data).get("reason")
    stands = _with_reason(directive.status, directive.status_reason)
    problems: list[str] = []
    if (directive.status, directive.status_reason) != (logged, reason):
        problems.append(f"it is {stands}, and the log says {_with_reason(logged, reason)}")
    return judged("status", problems, f"{stands}, as the log says")


def _with_reason(status: object, reason: object) -> str:
    return f"{status}" if reason is None else f"{status} ({reason})"


def events(bundle: Bundle) -> Check:
    """Check that the log holds nothing but events as Remit writes them."""
    problems: list[str] = []
    actors = frozenset({SYSTEM.name})
    for event in bundle.events:
        if event.type == "run.reconciled":
            actors |= {event.actor}  # whoever settles a run in doubt ends it
        found = _of_event(event, actors if event.type in _ENDS else {SYSTEM.name})
        problems += [f"row {event.seq}, {quoted(event.type)}, {problem}" for problem in found]
    kinds = len({event.type for event in bundle.events})
    return judged("events", problems, f"of {kinds} types, each in its form")


def _of_event(event: Event, actors: Collection[str]) -> Iterator[str]:
    schema = EVENT_SCHEMAS.get(event.type)
    if schema is None:
        yield "is of a type that the log of a directive never holds"
        return
    try:
        data = json.loads(event.data)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        yield "says nothing that can be read"
        return
    missing = schema.required - data.keys()
    more = data.keys() - schema.required - schema.optional
    if missing:
        yield f"does not say {listed(sorted(missing), 'and')}"
    if more:
        yield f"says what no such event does: {listed(sorted(more), 'and')}"
    if schema.by_remit and event.actor not in actors:
        yield f"is by {quoted(event.actor)}, and Remit itself does such a thing"


def order(bundle: Bundle) -> Check:
    """Check that each event stands where it can come."""
    way = EventOrder()
    found = ((event, way.problem(event)) for event in bundle.events)
    problems = [f"row {event.seq} {problem}" for event, problem in found if problem is not None][:1]
    if not problems and way.state not in RESTING:
        problems.append(f"it ends where it is {way.state}, which is the middle of a step")
    return judged("order", problems, "each event where it can come")


def times(bundle: Bundle) -> Check:
    """Check that the times of the log and of the rows can be those of what happened."""
    problems = [*_backwards(bundle)]
    problems += [
        f"{what} is of {_shown(when)}, and the log tells of it at {_shown(event.occurred_at)}"
        for dated in (_directive_times, _consent_times, _run_times, _ledger_times)
        for what, when, event in dated(bundle)
        if not event.occurred_at - MOST_BEHIND <= when <= event.occurred_at
    ]
    return judged("times", problems, "none runs backwards, and rows and log agree on each")


def _backwards(bundle: Bundle) -> Iterator[str]:
    for before, after in pairwise(bundle.events):
        if after.occurred_at < before.occurred_at:
            yield f"row {after.seq} is older than the one before it"
    for event in bundle.events[-1:]:
        if event.occurred_at > bundle.exported_at + MOST_BEHIND:
            yield f"row {event.seq} is younger than the export"


def _directive_times(bundle: Bundle) -> Iterator[Dated]:
    directive = bundle.directive
    for event in bundle.events[:1]:
        yield "the directive", directive.created_at, event
    # What is found without a decision passes the gate again, where it stands already.
    moved = [
        event
        for event in bundle.events
        if event.type in STATUS_OF and "found" not in parsed_data(event.data)
    ]
    if moved:
        yield "the status of the directive", directive.updated_at, moved[-1]
    naming: dict[str, Event] = {}
    for event in bundle.events:
        evidence = parsed_data(event.data).get("evidence")
        naming |= dict.fromkeys(evidence if isinstance(evidence, dict) else (), event)
    for artifact in bundle.artifacts:
        if artifact.uri in naming:
            yield f"artifact {artifact.id}", artifact.created_at, naming[artifact.uri]


def _consent_times(bundle: Bundle) -> Iterator[Dated]:
    asked = _of(bundle.events, "approval.requested")
    for one, event in zip(bundle.requests, asked, strict=False):
        request = one.request
        yield f"request {request.id}", request.requested_at, event
        later = _following(bundle, event)
        for vote, voted in zip(one.votes, _of(later, "approval.voted"), strict=False):
            yield f"a vote of {quoted(vote.voter)}", vote.cast_at, voted
        ends = _of(later, "approval.resolved")
        if request.resolved_at is not None and ends:
            yield f"the end of request {request.id}", request.resolved_at, ends[0]
    for grant, event in zip(bundle.grants, _of(bundle.events, "grant.issued"), strict=False):
        yield f"grant {grant.id}", grant.issued_at, event
        voided = _of(_following(bundle, event), "grant.voided")
        if grant.voided_at is not None and voided:
            yield f"the end of grant {grant.id}", grant.voided_at, voided[0]


def _run_times(bundle: Bundle) -> Iterator[Dated]:
    for run, event in zip(bundle.runs, _of(bundle.events, "directive.executing"), strict=False):
        yield f"run {run.id}", run.created_at, event
        later = _following(bundle, event)
        begun, ended = _of(later, "run.attempted"), _of(later, "run.ended")
        if run.started_at is not None and begun:
            yield f"the beginning of run {run.id}", run.started_at, begun[0]
        if run.ended_at is not None and ended:
            yield f"the end of run {run.id}", run.ended_at, ended[0]


def _ledger_times(bundle: Bundle) -> Iterator[Dated]:
    for grant, issued in zip(bundle.grants, _of(bundle.events, "grant.issued"), strict=False):
        ends = _of(_following(bundle, issued), "run.ended", "grant.voided")
        for entry in bundle.budget:
            if entry.grant_id == grant.id and entry.kind == "reserve":
                yield f"a promise on {quoted(entry.account)}", entry.created_at, issued
            elif entry.grant_id == grant.id and ends:
                yield f"an entry on {quoted(entry.account)}", entry.created_at, ends[0]


def _of(events: Collection[Event], *types: str) -> list[Event]:
    return [event for event in events if event.type in types]


def _following(bundle: Bundle, first: Event) -> list[Event]:
    """Return the events after one, up to the next of its type."""
    later = bundle.events[bundle.events.index(first) + 1 :]
    return [*takewhile(lambda event: event.type != first.type, later)]


def _shown(when: datetime) -> str:
    return when.isoformat(timespec="seconds")


def checkpoint(bundle: Bundle, keys: Keyring) -> Check:
    """Check the proof that a checkpoint covers the log, if the bundle carries one."""
    proof = bundle.inclusion
    if proof is None:
        return judged("checkpoint", [], "the bundle carries none")
    problems: list[str] = []
    words = ""
    try:
        taken_at = verify_inclusion(proof, keys)
        words = f"row {proof.head.seq} is in the one of {_shown(taken_at)}"
        if taken_at > bundle.exported_at:
            problems.append("the checkpoint is younger than the bundle")
    except UnverifiableError as error:
        problems.append(error.message)
    return judged("checkpoint", [*problems, *_off(bundle, proof.head)], words)


def against_kept(bundle: Bundle, data: bytes, keys: Keyring) -> Check:
    """Check the log against the file of a checkpoint, which whoever verifies has kept."""
    name = "kept checkpoint"
    try:
        held = read_checkpoint(data, keys)
    except UnverifiableError as error:
        return judged(name, [error.message], "")
    heads = [head for head in held.heads if head.directive_id == bundle.directive.id]
    taken = _shown(held.taken_at)
    if not heads:
        problems = [
            f"the checkpoint of {taken} has no row of it, and its log begins before"
            for event in bundle.events[:1]
            if event.occurred_at < held.taken_at
        ]
        return judged(name, problems, f"it began after the one of {taken}")
    [head] = heads
    if held.taken_at > bundle.exported_at and len(bundle.events) < head.seq:
        words = f"the one of {taken} is younger, and noted a later row: it says nothing of these"
        return judged(name, [], words)
    return judged(name, _off(bundle, head), f"row {head.seq} is in the one of {taken}")


def _off(bundle: Bundle, head: Head) -> list[str]:
    if head.directive_id != bundle.directive.id:
        return ["the head is that of another directive"]
    if len(bundle.events) < head.seq:
        return [f"the log had {head.seq} rows at the checkpoint, and has {len(bundle.events)}"]
    if head.seq < 1 or bundle.events[head.seq - 1].hash != head.hash:
        return [f"row {head.seq} had another hash at the checkpoint: the log was rewritten"]
    return []
