"""What a bundle says of one directive: the rows of its life, and what was signed of each. Pure.

Rows that other packages have a type for are carried as that type; the types of this module are for
the others. Which fields a bundle carries of each, `remit.audit.bundle_forms` says.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from remit.approval.types import ApprovalRequest, Grant, Vote
from remit.artifacts.types import Artifact
from remit.audit.chain import Event
from remit.audit.inclusion import Inclusion
from remit.base.json_types import JsonObject
from remit.directives.models import DirectiveRead
from remit.execution.models import ExecutionRunRead
from remit.signing.keys import Installation
from remit.vocabulary import EntryKind, PrincipalKind

Format = Literal["remit.evidence/1", "remit.evidence/2"]
"""What a bundle calls its own form. The first carried no statement but those of votes and grants,
and named no installation."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An approval request and what people answered.

    Attributes:
        request: the question.
        votes: every answer, oldest first.
    """

    request: ApprovalRequest
    votes: tuple[Vote, ...]


@dataclass(frozen=True, slots=True)
class BudgetEntry:
    """One entry of the budget's ledger.

    Attributes:
        account: the account's key.
        period_start: when the period began that it counts in.
        grant_id: the grant that the amount was promised with.
        kind: whether it promises, or how it closes the promise.
        amount: US dollars.
        ceiling: most that the account may hold with a promise; None when a person let it pass, and
            for a closing.
        created_at: when it was written.
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
    """A principal who takes part, as the installation knew them when the bundle was made.

    Attributes:
        name: what the evidence calls them.
        kind: what they are.
        roles: what they are trusted with.
        groups: the groups of approvers that they belong to.
        acts_for: on whose behalf they act; None: on their own.
        created_by: who made them known.
        created_at: when.
        disabled_at: when they were shut out; None while they are not.
        revision: how often they were changed; 1 when they were made known.
        envelope: all of this, signed; None: somebody else wrote the row.
    """

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
    """A token that somebody voted with, or made another with: all but the token.

    Attributes:
        id: its identifier.
        principal: whose it is.
        hash: digest of the token.
        scopes: the abilities that it is limited to; empty: all that the principal's roles give.
        created_by: who made it.
        created_at: when.
        expires_at: when it ends by itself.
        revoked_at: when it was revoked; None while it was not.
        created_with: the token that its maker showed; None: none was, or it was not noted.
        redeemed: whether its owner made it of an invitation.
        revoked_since: from when on nothing that was done with it counts; None: from `revoked_at`.
        envelope: what was signed when it was made; None: somebody else wrote the row.
        revocation: that it was revoked, signed; None while it was not.
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
class Worker:
    """A process that executed, with the key of what it says.

    Attributes:
        id: its identifier.
        kid: name of its key.
        public_key: the key, as PEM.
        modules: digest of each module that it had, by name.
        envelope: all of this, certified by the installation.
        started_at: when it was made known.
    """

    id: UUID
    kid: str
    public_key: str
    modules: JsonObject
    envelope: JsonObject | None
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time that a run was begun.

    Attributes:
        run_id: the run.
        attempt: which one it is, from 1.
        worker_id: who began it.
        started_at: when.
        ended_at: when it ended; None: it has not, or nobody knows.
        outcome: how its module ended; None as above.
        cost: US dollars that its module reported; None: none, or as above.
        envelope: its end, signed by its worker; None as above.
    """

    run_id: UUID
    attempt: int
    worker_id: UUID
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    cost: Decimal | None
    envelope: JsonObject | None


@dataclass(frozen=True, slots=True)
class Statement:
    """What was signed of a row whose type has no place for it.

    Attributes:
        about: the row.
        envelope: what was signed; None: nothing was.
    """

    about: UUID
    envelope: JsonObject | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a bundle says: everything that the database holds of one directive, at one moment.

    Attributes:
        exported_at: that moment, by the database's clock.
        exported_by: who asked for it.
        directive: the directive then.
        requests: every approval request with its votes, oldest first.
        grants: every grant, oldest first.
        runs: every run, oldest first.
        budget: every entry of the budget's ledger, oldest first.
        artifacts: every artifact, oldest first.
        events: its whole log, oldest first.
        installation: whose database it is; None in the first format, which did not say.
        issued: that the directive was issued, and by whom, signed; None: it never was.
        people: everybody who issued, voted, filed or made one of the tokens, by name.
        tokens: every token that somebody voted or issued with, and those that these were made
            with, by identifier.
        workers: every worker that began an attempt, by identifier.
        attempts: every attempt of the runs, in order.
        ends: what was signed of the end of each run that no attempt of it ended.
        filings: what was signed of each attachment.
        inclusion: proof that a checkpoint covers the log; None: none was named.
        format: see :data:`Format`.
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
    def says_who_said_it(self) -> bool:
        """Whether its format has a place for what everybody signed, and for the installation."""
        return self.format != "remit.evidence/1"
