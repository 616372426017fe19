"""Scenes that were never played, and what became of them: values for the tests of the report."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from remit.approval.statements import sign_grant, sign_vote
from remit.approval.types import ApprovalRequest, Grant, Vote
from remit.audit.chain import Event
from remit.directives.models import DirectiveRead
from remit.execution.models import ExecutionRunRead
from remit.identity.types import Principal
from remit.operations.evidence.records import Record
from remit.signing.keys import Keyring
from remit.tour.ledger import Ledger
from remit.tour.report import Played
from remit.tour.script import Scene
from remit.vocabulary import PolicyVerdict
from tests.support.keys import new_keys

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ID, GRANT, RUN = UUID(int=1), UUID(int=2), UUID(int=3)
DIGEST = "sha256:" + "0" * 64
REQUEST = UUID(int=4)
KEYS = new_keys()
OTHER_KEYS = new_keys()
PEOPLE = {
    one.name: one for one in (Principal("operator", "human"), Principal("assistant", "agent"))
}


def a_scene(type_: str = "echo", **expect: Any) -> Scene:
    directive = {
        "role": "executor",
        "type": type_,
        "objective": "Try.",
        "scope": "test",
        "issued_by": "planner",
        "status": "proposed",
    }
    outcome = {"verdict": "allow", "status": "complete", "run": "completed", "attempts": 1}
    return Scene.model_validate(
        {"title": "Try", "directive": directive, "expect": outcome | expect}
    )


def a_directive(**changes: Any) -> DirectiveRead:
    values: dict[str, Any] = {
        "id": ID,
        "type": "echo",
        "status": "complete",
        "status_reason": None,
        "action_digest": DIGEST,
        "created_at": NOW,
        "updated_at": NOW + timedelta(seconds=1.5),
    }
    return DirectiveRead.model_construct(**(values | changes))


def a_grant(keys: Keyring = KEYS, **changes: Any) -> Grant:
    grant = Grant(
        id=GRANT,
        directive_id=ID,
        request_id=None,
        action_digest=DIGEST,
        policy_version="1",
        policy_digest=DIGEST,
        module="echo",
        module_version="1",
        module_digest=DIGEST,
        required_approvals=0,
        votes=(),
        budget=None,
        issued_at=NOW,
        expires_at=NOW + timedelta(hours=1),
        voided_at=None,
        void_reason=None,
    )
    return sign_grant(replace(grant, **changes), keys)


def voted(*votes: tuple[str, Any], granted: tuple[str, ...], keys: Keyring = KEYS) -> Record:
    """Return the record of a directive that was voted on, and granted in these names."""
    request = ApprovalRequest(
        id=REQUEST,
        directive_id=ID,
        action_digest=DIGEST,
        policy_version="1",
        policy_digest=DIGEST,
        status="consumed",
        required_approvals=1,
        allow_self_approval=False,
        rejection_ends=True,
        approver_groups=(),
        rules=(),
        requested_at=NOW,
        expires_at=NOW + timedelta(hours=1),
        resolved_at=NOW,
    )
    cast = [Vote(name, decision, None, DIGEST, NOW) for name, decision in votes]
    signed = tuple(sign_vote(vote, request, keys) for vote in cast)
    grant = a_grant(request_id=REQUEST, required_approvals=1, votes=granted)
    return a_record(request=request, votes=signed, grant=grant)


def a_run(**changes: Any) -> ExecutionRunRead:
    values: dict[str, Any] = {"id": RUN, "grant_id": GRANT, "module": "echo"}
    values |= {"status": "completed", "attempts": 1}
    return ExecutionRunRead.model_construct(**(values | changes))


def a_record(**changes: Any) -> Record:
    event = Event(ID, 1, "grant.consumed", "remit", NOW, "{}", "genesis", DIGEST)
    record = Record(
        directive=a_directive(),
        request=None,
        votes=(),
        grant=a_grant(),
        run=a_run(),
        artifacts=(),
        events=(event,),
        broken_at=None,
    )
    return replace(record, **changes)


def a_played(**changes: Any) -> Played:
    played = Played(
        scene=a_scene(),
        record=a_record(),
        ledger=Ledger((), 0),
        verdict=PolicyVerdict.ALLOW,
        complaints=(),
        killed_pid=None,
    )
    return replace(played, **changes)
