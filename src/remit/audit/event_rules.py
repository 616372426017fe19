"""What a log can say, and in which order. Pure.

The hashes of a chain prove its order, and neither that what it tells can have happened nor that any
of it is Remit's. So every event must be of a type that its log can hold, in the form of its type,
and stand where it can come. An audit follows every log with :class:`LogCheck`, and a bundle's
checks the one log that it carries.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import get_args
from uuid import UUID

from remit.audit.chain import INSTALLATION, Event, parsed_data
from remit.audit.identity_events import IDENTITY_EVENTS
from remit.audit.verification import Finding
from remit.base.wording import quoted
from remit.vocabulary import AbortReason, Fault, VoidReason


@dataclass(frozen=True, slots=True)
class EventSchema:
    """What an event of one type says.

    Attributes:
        required: the particulars that it has.
        optional: those that it may have besides; "evidence", which names artifacts, always may be.
        by_remit: whether only Remit itself does such a thing.
    """

    required: frozenset[str]
    optional: frozenset[str]
    by_remit: bool


def _says(required: str = "", optional: str = "", *, by_remit: bool = True) -> EventSchema:
    may_be = frozenset({"evidence", *optional.split()})
    return EventSchema(frozenset(required.split()), may_be, by_remit)


EVENT_SCHEMAS: Mapping[str, EventSchema] = {
    "directive.drafted": _says("action_digest", by_remit=False),
    # One that was found without a decision passes the gate again; its content is frozen already.
    "directive.proposed": _says(optional="action_digest found", by_remit=False),
    "directive.retried": _says("action_digest", by_remit=False),
    "directive.blocked": _says("reason", "because", by_remit=False),
    "directive.approved": _says(),
    "directive.executing": _says("run"),
    "directive.in_doubt": _says("reason because"),
    "directive.completed": _says(),
    "directive.aborted": _says("reason", "because", by_remit=False),
    "policy.evaluated": _says("verdict policy_version policy_digest artifact"),
    "approval.requested": _says("because"),
    "approval.voted": _says("decision reason", by_remit=False),
    "approval.resolved": _says("outcome"),
    "grant.issued": _says("by", "reserved"),
    "grant.consumed": _says("grant"),
    # Whoever revokes the token that an approval was cast with voids what stood on it.
    "grant.voided": _says("reason", by_remit=False),
    "run.attempted": _says("attempt", "worker"),
    "run.attempt_ended": _says("attempt outcome", "because cost"),
    "run.ended": _says("outcome", "artifact"),
    "run.refused": _says("attempt outcome", "because cost"),
    "run.reconciled": _says("as because", by_remit=False),
    "budget.unpromised": _says("spent"),
    "budget.exceeded": _says("promised spent"),
    "artifact.stored": _says("artifact", "envelope", by_remit=False),
    "memory.added": _says("memories", "envelopes run", by_remit=False),
    "llm.called": _says(
        "provider model status error_type message_count characters input_tokens output_tokens "
        "cost_usd"
    ),
}
"""Everything that the log of a directive can say."""

INSTALLATION_EVENTS = IDENTITY_EVENTS | {
    "policy.confirmed",
    "artifact.stored",
    "memory.added",
    "llm.called",
}
"""Everything that the installation's own log can tell of."""

_DECIDING: Mapping[str, str] = {
    "policy.evaluated": "verdict",
    "approval.resolved": "outcome",
    "run.ended": "outcome",
    "grant.voided": "reason",
    "directive.blocked": "reason",
    "directive.aborted": "reason",
}
"""Which particular of an event decides what may follow it."""

_VOID: tuple[str, ...] = get_args(VoidReason)
_FAILED: tuple[str, ...] = tuple(reason for reason in get_args(AbortReason) if reason != "canceled")

_ENDS: Mapping[str, str] = {
    "run.ended success": "succeeded",
    "run.ended failure": "failed",
    "run.ended error": "failed",
}

TRANSITIONS: Mapping[str, Mapping[str, str]] = {
    "nothing": {"directive.drafted": "draft", "directive.proposed": "gate"},
    "draft": {"directive.proposed": "gate"},
    "gate": {
        "policy.evaluated allow": "allowed",
        "policy.evaluated require_approval": "asking",
        "policy.evaluated block": "refused",
        # Its decision was not recorded: it is asked for again, or given up.
        "directive.proposed": "gate",
        "directive.blocked canceled": "blocked",
    },
    "allowed": {"grant.issued": "granted"},
    "asking": {"approval.requested": "waiting"},
    "refused": {"directive.blocked policy": "blocked"},
    "waiting": {
        "approval.voted": "waiting",
        "approval.resolved approved": "allowed",
        "approval.resolved rejected": "rejected",
        "approval.resolved expired": "expired",
        "approval.resolved canceled": "canceled",
        "approval.resolved invalidated": "invalidated",
    },
    "rejected": {"directive.blocked rejected": "blocked"},
    "expired": {"directive.blocked expired": "blocked"},
    "canceled": {"directive.blocked canceled": "blocked"},
    "invalidated": {
        "directive.blocked policy_changed": "blocked",
        "directive.blocked budget_exhausted": "blocked",
    },
    "granted": {"directive.approved": "approved"},
    "approved": {
        "grant.consumed": "consumed",
        "approval.resolved canceled": "withdrawn",
        **{f"grant.voided {reason}": f"void {reason}" for reason in _VOID},
    },
    "withdrawn": {"grant.voided canceled": "void canceled"},
    **{f"void {reason}": {f"directive.blocked {reason}": "blocked"} for reason in _VOID},
    "blocked": {"directive.retried": "gate"},
    "consumed": {"directive.executing": "executing"},
    "executing": {
        "run.attempted": "executing",
        "directive.in_doubt": "in doubt",
        **_ENDS,
        "run.ended canceled": "stopped",
    },
    # A success that its worker reports late still counts; else a person settles it.
    "in doubt": {**_ENDS, "run.reconciled": "settled"},
    "settled": _ENDS,
    "succeeded": {"directive.completed": "complete"},
    "failed": {f"directive.aborted {reason}": "aborted" for reason in _FAILED},
    "stopped": {"directive.aborted canceled": "aborted"},
    "complete": {},
    "aborted": {},
}
"""Where each event leads from each state; one that decides by what it says, with that word."""

_BEGUN = frozenset({"executing", "in doubt"})
_ENDED = frozenset({"complete", "aborted"})
RESTING = _BEGUN | _ENDED | {"draft", "gate", "waiting", "approved", "blocked"}
"""Where a directive can stay: between them a step is one transaction."""

SIDE_EVENTS: Mapping[str, frozenset[str]] = {
    "artifact.stored": RESTING,
    "llm.called": _BEGUN | _ENDED,
    "memory.added": frozenset({"complete"}),
    "run.attempt_ended": _BEGUN,
    "run.refused": _BEGUN | _ENDED,
    # In the step that ends the run, before it says so.
    "budget.unpromised": _BEGUN | {"settled"},
    "budget.exceeded": _BEGUN | {"settled"},
}
"""What happens besides, and in which states: never within a step."""

MOST = 1000
"""Most findings; who forges more is found all the same."""


class EventOrder:
    """How far one log has come; its events are handed in one by one."""

    def __init__(self) -> None:
        self.state = "nothing"

    def problem(self, event: Event) -> str | None:
        """Return why an event cannot stand where it does; None, and go on with it, when it can."""
        if self.state in SIDE_EVENTS.get(event.type, ()):
            return None
        step = event.type
        if step in _DECIDING:
            step = f"{step} {parsed_data(event.data).get(_DECIDING[step])}"
        after = TRANSITIONS[self.state].get(step)
        if after is None:
            is_first = self.state == "nothing"
            where = "as the first event" if is_first else f"where it is {self.state}"
            return f"tells of {quoted(step)} {where}"
        self.state = after
        return None


@dataclass
class LogCheck:
    """Follows every log while somebody else reads them.

    Attributes:
        findings: the first thing that is wrong with each log, in their order.
    """

    findings: list[Finding] = field(default_factory=list)

    def through(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yield events as they are, ordered by directive and position."""
        for directive_id, rows in groupby(events, attrgetter("directive_id")):
            follow = self._own if directive_id == INSTALLATION else self._directive
            yield from follow(directive_id, rows)

    def _directive(self, directive_id: UUID, rows: Iterable[Event]) -> Iterator[Event]:
        order, problem = EventOrder(), None
        fault: Fault
        for event in rows:
            if problem is None and len(self.findings) < MOST:
                if event.type in EVENT_SCHEMAS:
                    fault, problem = "out_of_order", order.problem(event)
                else:
                    fault = "event_unknown"
                    problem = f"tells of {quoted(event.type)}, and no directive's log does"
                if problem is not None:
                    found = Finding(directive_id, event.seq, fault, f"it {problem}")
                    self.findings.append(found)
            yield event
        if problem is None and order.state not in RESTING:
            words = f"its log ends where it is {order.state}, which is the middle of a step"
            self.findings.append(Finding(directive_id, None, "out_of_order", words))

    def _own(self, directive_id: UUID, rows: Iterable[Event]) -> Iterator[Event]:
        for event in rows:
            if event.type not in INSTALLATION_EVENTS and len(self.findings) < MOST:
                words = f"it tells of {quoted(event.type)}, and no installation's log does"
                self.findings.append(Finding(directive_id, event.seq, "event_unknown", words))
            yield event
