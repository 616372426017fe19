"""The values of consent. All frozen; all times are the database's."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from remit.base.json_types import JsonObject
from remit.vocabulary import RequestStatus, VoidReason, VoteDecision


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """A question to people: may this exact action run?

    Attributes:
        required_approvals: how many people must approve; at least 1.
        rejection_ends: whether one rejection ends it; else it only withholds an approval.
        approver_groups: who may vote; empty means any person but the issuer.
        rules: the policy rules that ask, each with its reason.
        resolved_at: when it stopped being pending; None while it is.
    """

    id: UUID
    directive_id: UUID
    action_digest: str
    policy_version: str
    policy_digest: str
    status: RequestStatus
    required_approvals: int
    allow_self_approval: bool
    rejection_ends: bool
    approver_groups: tuple[str, ...]
    rules: tuple[str, ...]
    requested_at: datetime
    expires_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ballot:
    """One person's answer, as it arrives; whose it is, their token says.

    Attributes:
        reason: why; required for a rejection.
        action_digest: the action that the voter saw.
    """

    decision: VoteDecision
    reason: str | None
    action_digest: str


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's answer. Votes are never changed: a later one by the same person replaces it.

    Attributes:
        reason: why, in the voter's words; always present on a rejection.
        token_id: the token that it was cast with; None: cast before tokens were noted.
        standing: what the voter was when they cast it: "kind", "groups", "acts_for", and of their
            token "made_by" and whether it was "redeemed"; None: cast before that was noted.
        envelope: the vote as it was signed by whoever knew the voter; None: it never was, and
            does not count.
    """

    voter: str
    decision: VoteDecision
    reason: str | None
    action_digest: str
    cast_at: datetime
    token_id: UUID | None = None
    standing: JsonObject | None = None
    envelope: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to run one action once.

    Attributes:
        request_id: the approval request behind it; None when policy alone allowed it.
        policy_digest: under another policy the grant is void.
        module_version: empty, with its digest, when no worker had announced the module.
        required_approvals: how many people had to approve; 0 when policy alone allowed it.
        votes: the people who approved; empty when policy alone allowed it.
        budget: the most it may spend, in US dollars; None when the directive names none.
        heard: all that people had said before: "answers", the digest of each vote on its request,
            and "requests", every earlier request of the directive; None: nobody was ever asked, or
            it was issued before that was noted.
        envelope: all but when and why it was voided, signed; None: it never was, and starts
            nothing.
    """

    id: UUID
    directive_id: UUID
    request_id: UUID | None
    action_digest: str
    policy_version: str
    policy_digest: str
    module: str
    module_version: str
    module_digest: str
    required_approvals: int
    votes: tuple[str, ...]
    budget: Decimal | None
    issued_at: datetime
    expires_at: datetime
    voided_at: datetime | None = None
    void_reason: VoidReason | None = None
    heard: JsonObject | None = None
    envelope: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class ConfirmedPolicy:
    """A policy that may be decided by; one that nobody confirmed may have been put in its place.

    Attributes:
        confirmed_by: whose command confirmed it; `remit` for whoever started the stack or worker.
        envelope: all of that but the time, and the installation, signed.
    """

    digest: str
    version: str
    confirmed_by: str
    confirmed_at: datetime
    envelope: JsonObject
