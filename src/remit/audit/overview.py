"""What an overview of the loop is made of: numbers, and a few directives. Pure values.

`overview_repository` reads them, `remit.operations.evidence.overview` puts them together.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

MOST_COUNTED = 50_000
"""Where counting what there is now ends."""

TallyKind = Literal["status", "failure", "duration", "queue_lag", "approval_wait"]
"""What the directives that changed lately are tallied by."""


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many directives have a status now.

    Attributes:
        status: the status.
        count: how many; :data:`MOST_COUNTED` stands for so many or more.
        oldest_seconds: how long the first of them has had it; None when there is none.
    """

    status: str
    count: int
    oldest_seconds: float | None


@dataclass(frozen=True, slots=True)
class Tally:
    """How often something happened lately, and how long it took.

    Attributes:
        kind: what was tallied.
        word: which of that kind: a status, a reason, a type; empty where all is one.
        count: how often.
        median_seconds: half took no longer; None where nothing is measured.
        p95_seconds: 95 of 100 took no longer; None likewise.
    """

    kind: TallyKind
    word: str
    count: int
    median_seconds: float | None
    p95_seconds: float | None


@dataclass(frozen=True, slots=True)
class Judged:
    """How often the gate, or one of its policies, said so.

    Attributes:
        policy: the policy that did not allow; empty for the verdict on the whole.
        verdict: what it said.
        count: how often.
    """

    policy: str
    verdict: str
    count: int


@dataclass(frozen=True, slots=True)
class PendingApproval:
    """A directive that waits for people.

    Attributes:
        directive_id: the directive.
        type: the module that it asks for.
        scope: its scope.
        issued_by: who issued it.
        approvals: how many have voted for it, as the rows say; signatures are not verified here.
        required_approvals: how many must.
        expires_at: when the request runs out.
        left_seconds: how long that is from now; below 0 when it has run out.
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
    """A directive that executes.

    Attributes:
        directive_id: the directive.
        type: the module that executes it.
        scope: its scope.
        attempts: how many attempts were begun.
        age_seconds: how long it has been executing.
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
    """A directive that came to an end, or was blocked.

    Attributes:
        directive_id: the directive.
        type: the module that it asked for.
        scope: its scope.
        status: complete, aborted or blocked.
        status_reason: why; None when it is complete.
        ended_at: when.
    """

    directive_id: UUID
    type: str
    scope: str
    status: str
    status_reason: str | None
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class MemoryReads:
    """How often memory was asked a question.

    Attributes:
        query: which question.
        outcome: answered, refused or failed.
        count: how often.
    """

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
