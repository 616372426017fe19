"""Checks of a bundle about its log: nothing is in it but what Remit says, as Remit says it. Pure.

The hashes of a chain prove its order, and not that any of it is Remit's. So every event must be of
a type that the log of a directive can hold, say what events of its type say and nothing else, and
be by somebody who can do such a thing.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from remit.audit.bundle_facts import Check, judged
from remit.audit.bundle_records import Evidence
from remit.audit.chain import Event
from remit.base.wording import listed, quoted
from remit.identity.types import SYSTEM


@dataclass(frozen=True, slots=True)
class Form:
    """What an event of one type says.

    Attributes:
        must: the particulars that it has.
        may: those that it may have besides; "evidence", which names artifacts, always may be.
        by_remit: whether only Remit itself does such a thing.
    """

    must: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()
    by_remit: bool = True


def _form(must: str = "", may: str = "", *, by_remit: bool = True) -> Form:
    return Form(frozenset(must.split()), frozenset({"evidence", *may.split()}), by_remit)


FORMS: Mapping[str, Form] = {
    "directive.drafted": _form("action_digest", by_remit=False),
    # One that was found without a decision passes the gate again; its content is frozen already.
    "directive.proposed": _form(may="action_digest found", by_remit=False),
    "directive.retried": _form("action_digest", by_remit=False),
    "directive.blocked": _form("reason", "because", by_remit=False),
    "directive.approved": _form(),
    "directive.executing": _form("run"),
    "directive.in_doubt": _form("reason because"),
    "directive.completed": _form(),
    "directive.aborted": _form("reason", "because", by_remit=False),
    "policy.evaluated": _form("verdict policy_version policy_digest artifact"),
    "approval.requested": _form("because"),
    "approval.voted": _form("decision reason", by_remit=False),
    "approval.resolved": _form("outcome"),
    "grant.issued": _form("by", "reserved"),
    "grant.consumed": _form("grant"),
    # Whoever revokes the token that an approval was cast with voids what stood on it.
    "grant.voided": _form("reason", by_remit=False),
    "run.attempted": _form("attempt", "worker"),
    "run.attempt_ended": _form("attempt outcome", "because cost"),
    "run.ended": _form("outcome", "artifact"),
    "run.refused": _form("attempt outcome", "because cost"),
    "run.reconciled": _form("as because", by_remit=False),
    "budget.unpromised": _form("spent"),
    "budget.exceeded": _form("promised spent"),
    "artifact.stored": _form("artifact", "envelope", by_remit=False),
    "memory.added": _form("memories", "envelopes run", by_remit=False),
    "llm.called": _form(
        "provider model status error_type message_count characters input_tokens output_tokens "
        "cost_usd"
    ),
}
"""Everything that the log of a directive can say; `remit.audit.repository` has the whole list, with
what only that of the installation can."""


_ENDS = frozenset({"run.ended", "directive.completed"})


def known_events(evidence: Evidence) -> Check:
    """Check that the log holds nothing but events as Remit writes them."""
    problems: list[str] = []
    doers = frozenset({SYSTEM.name})
    for event in evidence.events:
        if event.type == "run.reconciled":
            doers |= {event.actor}  # whoever settles a run in doubt ends it
        found = _of_event(event, doers if event.type in _ENDS else {SYSTEM.name})
        problems += [f"row {event.seq}, {quoted(event.type)}, {problem}" for problem in found]
    kinds = len({event.type for event in evidence.events})
    return judged("events", problems, f"of {kinds} types, each in its form")


def _of_event(event: Event, doers: Collection[str]) -> Iterator[str]:
    """Yield in what an event is unlike those of its type.

    Args:
        event: the event.
        doers: who can be its actor, where not everybody can.
    """
    form = FORMS.get(event.type)
    if form is None:
        yield "is of a type that the log of a directive never holds"
        return
    try:
        said = json.loads(event.data)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        yield "says nothing that can be read"
        return
    missing, more = form.must - said.keys(), said.keys() - form.must - form.may
    if missing:
        yield f"does not say {listed(sorted(missing), 'and')}"
    if more:
        yield f"says what no such event does: {listed(sorted(more), 'and')}"
    if form.by_remit and event.actor not in doers:
        yield f"is by {quoted(event.actor)}, and Remit itself does such a thing"
