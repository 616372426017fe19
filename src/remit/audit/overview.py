"""What an overview of the loop is made of: numbers, and a few directives. Pure values.

`overview_repository` reads them, `remit.operations.evidence.overview` puts them together.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

MOST_COUNTED = 50_000
"""Where counting what there is now ends: so many stand for so many or more."""

TallyKind = Literal["status", "failure", "duration", "queue_lag", "approval_wait"]
"""What the directives that changed lately are tallied by."""


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many directives have a status now, and how long the first of them has had it."""

    status: str
    count: int
    oldest_seconds: float | None


@dataclass(frozen=True, slots=True)
class Tally:
    """How often something happened lately, and how long it took, where that is measured.

    Attributes:
        word: which of that kind: a status, a reason, a type; empty where all is one.
    """

    kind: TallyKind
    word: str
    count: int
    median_seconds: float | None
    p95_seconds: float | None


@dataclass(frozen=True, slots=True)
class VerdictCount:
    """How often the gate said so; with `policy` the one that did not allow, empty for the whole."""

    policy: str
    verdict: str
    count: int


@dataclass(frozen=True, slots=True)
class PendingApproval:
    """A directive that waits for people.

    Attributes:
        approvals: how many have voted for it, as the rows say; signatures are not verified here.
        left_seconds: how long its request still runs; below 0 when it has run out.
    """

    directive_id: UUID
    type: str
    scope: str
    issued_by: str
    approvals: int
    required_approvals: int
    expires_at: datetime
    left_seconds: float


@dataclass(frozen=True, slots=True)
class Running:
    """A directive that executes; `age_seconds` is for how long.

    Attributes:
        is_in_doubt: whether nobody knows how its last attempt ended: it waits for a person.
    """

    directive_id: UUID
    type: str
    scope: str
    attempts: int
    age_seconds: float
    is_in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """A directive that came to an end, or was blocked."""

    directive_id: UUID
    type: str
    scope: str
    status: str
    status_reason: str | None
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class MemoryReads:
    """How often memory was asked a question, by whether it answered, refused or failed."""

    query: str
    outcome: str
    count: int


@dataclass(frozen=True, slots=True)
class Unanswered:
    """What waits for a gate or for people.

    Attributes:
        unattended: proposed directives with no pending request, that nobody will decide about.
        expiring: pending requests that run out soon; see `SOON` of `overview_repository`.
        in_doubt: directives of which nobody knows whether they were carried out.
    """

    unattended: int
    expiring: int
    in_doubt: int = 0
