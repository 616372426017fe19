"""What makes a grant void: the rule by itself."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from remit.approval.rules import void_reason
from remit.approval.types import Grant

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def grant(**changes: Any) -> Grant:
    fields: dict[str, Any] = {
        "id": UUID(int=1),
        "directive_id": UUID(int=2),
        "request_id": None,
        "action_digest": "sha256:a",
        "policy_version": "1",
        "policy_digest": "sha256:p",
        "module": "echo",
        "module_version": "1",
        "module_digest": "sha256:m",
        "required_approvals": 0,
        "votes": (),
        "budget": None,
        "issued_at": NOON,
        "expires_at": NOON + timedelta(hours=1),
        "voided_at": None,
        "void_reason": None,
    }
    return Grant(**(fields | changes))


def reason_for(found: Grant | None, now: datetime = NOON) -> str | None:
    return void_reason(
        found,
        action_digest="sha256:a",
        module="echo",
        module_digest="sha256:m",
        policy_digest="sha256:p",
        now=now,
    )


def test_a_grant_for_this_very_action_under_this_very_policy_holds() -> None:
    assert reason_for(grant()) is None


def test_no_grant_is_no_leave() -> None:
    assert reason_for(None) == "approval_unverifiable"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"action_digest": "sha256:b"}, "action_changed"),
        ({"module": "noop"}, "action_changed"),
        ({"module_digest": "sha256:n"}, "action_changed"),
        ({"module_digest": ""}, "action_changed"),
        ({"policy_digest": "sha256:q"}, "policy_changed"),
        ({"expires_at": NOON}, "approval_expired"),
        ({"voided_at": NOON, "void_reason": "canceled"}, "canceled"),
        ({"voided_at": NOON, "void_reason": None}, "approval_unverifiable"),
    ],
)
def test_a_grant_that_no_longer_fits_is_void(changes: dict[str, Any], reason: str) -> None:
    assert reason_for(grant(**changes)) == reason


@pytest.mark.parametrize(
    ("needed", "votes", "reason"),
    [
        (0, (), None),
        (1, ("ada",), None),
        (2, ("ada", "grace"), None),
        (2, ("ada", "grace", "linus"), None),
        (1, (), "approval_unverifiable"),
        (2, ("ada",), "approval_unverifiable"),
        (2, ("ada", "ada"), "approval_unverifiable"),
    ],
)
def test_a_grant_of_too_few_people_is_void(
    needed: int, votes: tuple[str, ...], reason: str | None
) -> None:
    assert reason_for(grant(required_approvals=needed, votes=votes)) == reason


def test_a_grant_holds_until_the_moment_it_expires_and_not_at_it() -> None:
    ends = grant().expires_at
    assert reason_for(grant(), now=ends - timedelta(microseconds=1)) is None
    assert reason_for(grant(), now=ends) == "approval_expired"
