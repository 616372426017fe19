"""Requests, ballots, votes and voters, for the tests of the rules of consent."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from remit.approval.types import ApprovalRequest, Ballot, Vote
from remit.identity.types import Principal
from remit.vocabulary import VoteDecision

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def request(**changes: Any) -> ApprovalRequest:
    """Return a request that waits for one person."""
    fields: dict[str, Any] = {
        "id": UUID(int=1),
        "directive_id": UUID(int=2),
        "action_digest": "sha256:a",
        "policy_version": "1",
        "policy_digest": "sha256:p",
        "status": "pending",
        "required_approvals": 1,
        "allow_self_approval": False,
        "rejection_ends": True,
        "approver_groups": (),
        "rules": (),
        "requested_at": NOON,
        "expires_at": NOON + timedelta(hours=1),
        "resolved_at": None,
    }
    return ApprovalRequest(**(fields | changes))


def ballot(**changes: Any) -> Ballot:
    """Return an approval of what :func:`request` asks about."""
    fields: dict[str, Any] = {
        "decision": "approve",
        "reason": None,
        "action_digest": "sha256:a",
    }
    return Ballot(**(fields | changes))


def voter(**changes: Any) -> Principal:
    """Return a person who may vote."""
    fields: dict[str, Any] = {"name": "operator", "kind": "human", "roles": ("approver",)}
    return Principal(**(fields | changes))


def vote(name: str, decision: VoteDecision = "approve", at: int = 0, digest: str = "a") -> Vote:
    """Return a vote that was cast `at` seconds after noon."""
    return Vote(name, decision, "why", f"sha256:{digest}", NOON + timedelta(seconds=at))
