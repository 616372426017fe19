"""Checks of a bundle about the order of its log: what came after what. Pure.

A directive goes one way through the loop, and every step of it leaves its events. Which may follow
which is a table: the log is read from its first event to its last, and where the table has no way
on, the log is not that of a directive.
"""

from collections.abc import Iterator, Mapping
from typing import get_args

from remit.audit.bundle_facts import Check, judged, parsed_data
from remit.audit.bundle_records import Evidence
from remit.audit.chain import Event
from remit.base.wording import quoted
from remit.vocabulary import AbortReason, VoidReason

_TELLING: Mapping[str, str] = {
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

WAYS: Mapping[str, Mapping[str, str]] = {
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
"""For each place on the way, where each event leads; an event that decides by what it says stands
with that word."""

RESTING = frozenset(
    {
        "draft",
        "gate",
        "waiting",
        "approved",
        "executing",
        "in doubt",
        "blocked",
        "complete",
        "aborted",
    }
)
"""Where a directive can stay: between them a step is one transaction."""

_BEGUN = frozenset({"executing", "in doubt"})

BESIDE: Mapping[str, frozenset[str]] = {
    "artifact.stored": RESTING,
    "llm.called": _BEGUN | {"complete", "aborted"},
    "memory.added": frozenset({"complete"}),
    "run.attempt_ended": _BEGUN,
    "run.refused": _BEGUN | {"complete", "aborted"},
    # In the step that ends the run, before it says so.
    "budget.unpromised": _BEGUN | {"settled"},
    "budget.exceeded": _BEGUN | {"settled"},
}
"""What happens beside the way, and at which places: never within a step."""


def ordered(evidence: Evidence) -> Check:
    """Check that the log goes the way of a directive."""
    problems = _off_the_way(evidence.events)
    return judged("order", problems, "each event where it can come")


def _off_the_way(events: tuple[Event, ...]) -> Iterator[str]:
    """Yield the first event that cannot stand where it does; nothing when all can."""
    way = Way()
    for event in events:
        problem = way.problem(event)
        if problem is not None:
            yield f"row {event.seq} {problem}"
            return
    if way.place not in RESTING:
        yield f"it ends where it is {way.place}, which is the middle of a step"


class Way:
    """How far one log has gone; its events are handed in one by one."""

    def __init__(self) -> None:
        self.place = "nothing"

    def problem(self, event: Event) -> str | None:
        """Return why an event cannot stand where it does; None, and go on with it, when it can."""
        if self.place in BESIDE.get(event.type, ()):
            return None
        step = event.type
        if step in _TELLING:
            step = f"{step} {parsed_data(event.data).get(_TELLING[step])}"
        after = WAYS[self.place].get(step)
        if after is None:
            nothing = self.place == "nothing"
            before = "as the first event" if nothing else f"where it is {self.place}"
            return f"tells of {quoted(step)} {before}"
        self.place = after
        return None
