"""What a bundle says of one directive: the rows of its life, and what was signed of each. Pure.

Rows that other packages have a type for are carried as that type. Which fields each format carries,
`remit.audit.bundle.file` says.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from remit.approval.types import ApprovalRequest, Grant, Vote
from remit.artifacts.types import Artifact
from remit.audit.chain import Event
from remit.audit.checkpoint import Inclusion
from remit.audit.run_ends import Attempt, Worker
from remit.base.json_types import JsonObject
from remit.directives.models import DirectiveRead
from remit.execution.models import ExecutionRunRead
from remit.signing.dsse import Envelope
from remit.signing.keys import Installation
from remit.vocabulary import EntryKind, PrincipalKind

Format = Literal["remit.evidence/1", "remit.evidence/2"]
"""What a bundle calls its own form. The first carried no statement but those of votes and grants,
and named no installation."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An approval request with every vote on it, oldest first."""

    request: ApprovalRequest
    votes: tuple[Vote, ...]


@dataclass(frozen=True, slots=True)
class BudgetEntry:
    """One entry of the budget's ledger, in US dollars.

    Attributes:
        ceiling: most that the account may hold with a promise; None when a person let it pass, and
            for an entry that closes a promise.
    """

    account: str
    period_start: datetime
    grant_id: UUID
    kind: EntryKind
    amount: Decimal
    ceiling: Decimal | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """A principal who takes part, as their row was when the bundle was made."""

    name: str
    kind: PrincipalKind
    roles: tuple[str, ...]
    groups: tuple[str, ...]
    acts_for: str | None
    created_by: str
    created_at: datetime
    disabled_at: datetime | None
    revision: int
    envelope: JsonObject | None


@dataclass(frozen=True, slots=True)
class Token:
    """A token that somebody voted with, or made another with, as its row was: all but the token.

    Attributes:
        created_with: the token that its maker showed; None: none was, or it was not noted.
        redeemed: whether its owner made it of an invitation.
        revoked_since: from when on nothing that was done with it counts; None: from `revoked_at`.
        revocation: that it was revoked, signed.
    """

    id: UUID
    principal: str
    hash: str
    scopes: tuple[str, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    created_with: UUID | None
    redeemed: bool
    revoked_since: datetime | None
    envelope: JsonObject | None
    revocation: JsonObject | None


@dataclass(frozen=True, slots=True)
class Statement:
    """The envelope that is kept of a row whose type has no place for it."""

    about: UUID
    envelope: JsonObject | None


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything that the database holds of one directive, at one moment.

    Rows stand oldest first, people by name, tokens and workers by identifier.

    Attributes:
        installation: whose database it is; None in the first format, which did not say.
        people: everybody who issued, voted, filed or made one of the tokens.
        tokens: those that somebody voted or issued with, and those that these were made with.
        ends: what was signed of the end of each run that no attempt of it ended.
        inclusion: proof that a checkpoint covers the log; None: none was named.
    """

    exported_at: datetime
    exported_by: str
    directive: DirectiveRead
    requests: tuple[Asked, ...]
    grants: tuple[Grant, ...]
    runs: tuple[ExecutionRunRead, ...]
    budget: tuple[BudgetEntry, ...]
    artifacts: tuple[Artifact, ...]
    events: tuple[Event, ...]
    installation: Installation | None = None
    issued: JsonObject | None = None
    people: tuple[Person, ...] = ()
    tokens: tuple[Token, ...] = ()
    workers: tuple[Worker, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    ends: tuple[Statement, ...] = ()
    filings: tuple[Statement, ...] = ()
    inclusion: Inclusion | None = None
    format: Format = "remit.evidence/2"

    @property
    def has_statements(self) -> bool:
        """Whether its format has a place for what everybody signed, and for the installation."""
        return self.format != "remit.evidence/1"


@dataclass(frozen=True, slots=True)
class SignedBundle:
    """A bundle that was read, with the envelope that signs it."""

    bundle: Bundle
    envelope: Envelope
