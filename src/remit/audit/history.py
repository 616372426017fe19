"""Whether each log goes the way of a directive, while somebody else reads it. Pure.

The hashes of a chain prove its order, and not that what it tells can have happened. So the way of
each directive is followed event by event, as :data:`remit.audit.bundle_order.WAYS` has it, and the
installation's own chain may only tell of what :data:`OWN_EVENTS` holds.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from remit.audit.bundle_events import FORMS
from remit.audit.bundle_order import RESTING, Way
from remit.audit.chain import INSTALLATION, Event
from remit.audit.identity_events import IDENTITY_EVENTS
from remit.audit.verification import Finding
from remit.base.wording import quoted

MOST = 1000
"""Most findings; who forges more is found all the same."""

OWN_EVENTS = IDENTITY_EVENTS | frozenset(
    {
        "policy.confirmed",
        "artifact.stored",
        "memory.added",
        "llm.called",
    }
)
"""Everything that the installation's own log can tell of."""


@dataclass
class History:
    """Follows logs on their way.

    Attributes:
        findings: the first thing that is wrong with the way of each log, in their order.
    """

    findings: list[Finding] = field(default_factory=list)

    def through(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yield events as they are, ordered by directive and position, and follow each log."""
        for directive_id, rows in groupby(events, attrgetter("directive_id")):
            follow = self._own if directive_id == INSTALLATION else self._directive
            yield from follow(directive_id, rows)

    def _directive(self, directive_id: UUID, rows: Iterable[Event]) -> Iterator[Event]:
        way, problem = Way(), None
        for event in rows:
            if problem is None and len(self.findings) < MOST:
                problem = _of_event(way, event)
                if problem is not None:
                    self.findings.append(problem)
            yield event
        if problem is None and way.place not in RESTING:
            words = f"its log ends where it is {way.place}, which is the middle of a step"
            self.findings.append(Finding(directive_id, None, "out_of_order", words))

    def _own(self, directive_id: UUID, rows: Iterable[Event]) -> Iterator[Event]:
        for event in rows:
            if event.type not in OWN_EVENTS and len(self.findings) < MOST:
                words = f"it tells of {quoted(event.type)}, and no installation's log does"
                self.findings.append(Finding(directive_id, event.seq, "event_unknown", words))
            yield event


def _of_event(way: Way, event: Event) -> Finding | None:
    """Return what is wrong with an event of a directive where it stands; None: it may stand."""
    if event.type not in FORMS:
        words = f"it tells of {quoted(event.type)}, and no directive's log does"
        return Finding(event.directive_id, event.seq, "event_unknown", words)
    problem = way.problem(event)
    if problem is None:
        return None
    return Finding(event.directive_id, event.seq, "out_of_order", f"it {problem}")
