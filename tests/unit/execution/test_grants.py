"""What a grant must be to cover a run: the rule by itself."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from remit.approval.statements import sign_grant
from remit.approval.types import Grant
from remit.directives.digest import action_digest
from remit.directives.models import DirectiveRead, intent_of
from remit.execution.grants import effect_key, void_reason
from remit.execution.models import ExecutionRunRead
from tests.support.contents import directive as content
from tests.support.keys import KEYS, new_keys

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
ABOUT = DirectiveRead.model_construct(
    **content(type="echo").model_dump(),
    id=UUID(int=2),
    action_digest=None,
    status_reason=None,
)


def grant(**changes: Any) -> Grant:
    """Return a signed grant for `ABOUT`, changed before it was signed."""
    fields: dict[str, Any] = {
        "id": UUID(int=1),
        "directive_id": ABOUT.id,
        "request_id": None,
        "action_digest": action_digest(intent_of(ABOUT)),
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
    return sign_grant(Grant(**(fields | changes)), KEYS)


def run(found: Grant, **changes: Any) -> ExecutionRunRead:
    """Return the run that consumed a grant."""
    fields = {"module": found.module, "idempotency_key": effect_key(found)}
    return ExecutionRunRead.model_construct(**(fields | changes))


def reason_for(
    found: Grant | None,
    about: DirectiveRead = ABOUT,
    *,
    now: datetime | None = NOON,
    module_digest: str = "sha256:m",
    by: ExecutionRunRead | None = None,
) -> str | None:
    return void_reason(
        found,
        about,
        keys=KEYS,
        module_digest=module_digest,
        policy_digest="sha256:p",
        now=now,
        run=by,
    )


def test_a_grant_for_this_very_action_under_this_very_policy_holds() -> None:
    assert reason_for(grant()) is None


def test_no_grant_is_no_leave() -> None:
    assert reason_for(None) == "approval_unverifiable"


@pytest.mark.parametrize(
    "found",
    [
        replace(grant(), envelope=None),
        replace(grant(), module_version="2"),
        sign_grant(grant(), new_keys()),
        grant(directive_id=UUID(int=3)),
    ],
    ids=["never signed", "changed since", "by a stranger's key", "for another directive"],
)
def test_a_grant_that_nobody_signed_for_this_directive_is_no_leave(found: Grant) -> None:
    assert reason_for(found) == "approval_unverifiable"
    assert reason_for(found, now=None, by=run(found)) == "approval_unverifiable"


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


def test_a_grant_of_no_module_starts_none_of_a_worker_that_has_none() -> None:
    assert reason_for(grant(module_digest=""), module_digest="") == "action_changed"


@pytest.mark.parametrize("payload", [{"say": "goodbye"}, {"say": float("nan")}])
def test_the_content_as_it_is_now_counts(payload: dict[str, Any]) -> None:
    changed = ABOUT.model_copy(update={"payload": payload})
    assert reason_for(grant(), changed) == "action_changed"


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


@pytest.mark.parametrize(
    ("changes", "of_the_run", "reason"),
    [
        ({}, {}, None),
        ({"expires_at": NOON - timedelta(days=1)}, {}, None),
        ({}, {"module": "noop"}, "approval_unverifiable"),
        ({}, {"idempotency_key": "another"}, "approval_unverifiable"),
        ({"voided_at": NOON, "void_reason": "canceled"}, {}, "approval_unverifiable"),
        ({"module_digest": "sha256:n"}, {}, "action_changed"),
        ({"policy_digest": "sha256:q"}, {}, "policy_changed"),
    ],
    ids=["it holds", "its time is over", "module", "key", "void", "version", "policy"],
)
def test_of_a_grant_that_a_run_consumed_all_but_its_expiry_is_judged_again(
    changes: dict[str, Any], of_the_run: dict[str, Any], reason: str | None
) -> None:
    found = grant(**changes)
    assert reason_for(found, now=None, by=run(found, **of_the_run)) == reason
