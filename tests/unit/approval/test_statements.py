"""What the signature of a grant or a vote covers: every field of it, and nothing can be swapped."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from remit.approval.statements import GRANT as GRANT_KIND
from remit.approval.statements import VOTE as VOTE_KIND
from remit.approval.statements import (
    grant_statement,
    sign_grant,
    sign_policy,
    sign_vote,
    verify_grant,
    verify_policy,
    verify_vote,
    vote_statement,
)
from remit.approval.types import ConfirmedPolicy, Grant, Vote
from remit.base.canonical import canonical_json
from remit.base.json_types import JsonObject
from remit.errors import MisconfiguredError, UnverifiableError
from remit.signing.dsse import envelope_to_json
from remit.signing.keys import Keyring
from tests.support.keys import INSTALLATION, new_keys
from tests.unit.approval.asking import NOON, request, vote

KEYS = new_keys()
OTHER_KEYS = new_keys()
VERIFY_ONLY = replace(KEYS, signing_key=None)
LATER = NOON + timedelta(microseconds=1)
CHANGED_ROW = "it is not what was signed: its row was changed"

GRANT = sign_grant(
    Grant(
        id=UUID(int=1),
        directive_id=UUID(int=2),
        request_id=UUID(int=3),
        action_digest="sha256:a",
        policy_version="1",
        policy_digest="sha256:p",
        module="echo",
        module_version="1",
        module_digest="sha256:m",
        required_approvals=1,
        votes=("ada", "grace"),
        budget=Decimal("12.50"),
        issued_at=NOON,
        expires_at=NOON + timedelta(hours=1),
    ),
    KEYS,
)
REQUEST = request()
VOTE = sign_vote(vote("ada"), REQUEST, KEYS)

OF_A_GRANT: dict[str, Any] = {
    "heard": {"answers": [], "requests": []},
    "id": UUID(int=9),
    "directive_id": UUID(int=9),
    "request_id": None,
    "action_digest": "sha256:b",
    "policy_version": "2",
    "policy_digest": "sha256:q",
    "module": "noop",
    "module_version": "2",
    "module_digest": "sha256:n",
    "required_approvals": 0,
    "votes": ("grace", "ada"),
    "budget": Decimal("12.51"),
    "issued_at": LATER,
    "expires_at": LATER + timedelta(hours=1),
}
OF_A_VOTE: dict[str, Any] = {
    "token_id": UUID(int=9),
    "standing": {"kind": "human"},
    "voter": "grace",
    "decision": "reject",
    "reason": "because",
    "action_digest": "sha256:b",
    "cast_at": LATER,
}
OF_A_REQUEST: dict[str, Any] = {"id": UUID(int=9), "directive_id": UUID(int=9)}


def test_what_was_signed_verifies() -> None:
    verify_grant(GRANT, KEYS)
    verify_grant(GRANT, VERIFY_ONLY)
    verify_vote(VOTE, REQUEST, KEYS)
    verify_vote(VOTE, REQUEST, VERIFY_ONLY)


def test_every_field_of_a_grant_and_of_a_vote_is_tried() -> None:
    unsigned = {"voided_at", "void_reason", "envelope"}
    assert OF_A_GRANT.keys() == {one.name for one in fields(Grant)} - unsigned
    assert OF_A_VOTE.keys() == {one.name for one in fields(Vote)} - {"envelope"}
    assert len(grant_statement(GRANT)) == len(OF_A_GRANT)
    assert len(vote_statement(VOTE, REQUEST)) == len(OF_A_VOTE) + len(OF_A_REQUEST)


@pytest.mark.parametrize("changed", sorted(OF_A_GRANT))
def test_a_grant_with_any_field_changed_does_not_verify(changed: str) -> None:
    forged = replace(GRANT, **{changed: OF_A_GRANT[changed]})
    with pytest.raises(UnverifiableError) as caught:
        verify_grant(forged, KEYS)
    assert str(caught.value) == CHANGED_ROW


@pytest.mark.parametrize(
    "changes",
    [
        {"votes": ("ada",)},
        {"votes": ("ada", "grace", "grace")},
        {"votes": ("ada, grace",)},
        {"votes": ()},
        {"budget": None},
        {"request_id": UUID(int=4)},
        {"required_approvals": 2},
        {"module": "echo "},
    ],
    ids=str,
)
def test_no_smaller_change_of_a_grant_verifies_either(changes: dict[str, Any]) -> None:
    with pytest.raises(UnverifiableError):
        verify_grant(replace(GRANT, **changes), KEYS)


@pytest.mark.parametrize("changed", sorted(OF_A_VOTE))
def test_a_vote_with_any_field_changed_does_not_verify(changed: str) -> None:
    forged = replace(VOTE, **{changed: OF_A_VOTE[changed]})
    with pytest.raises(UnverifiableError) as caught:
        verify_vote(forged, REQUEST, KEYS)
    assert str(caught.value) == CHANGED_ROW


@pytest.mark.parametrize("changed", sorted(OF_A_REQUEST))
def test_a_vote_answers_no_other_request_and_no_other_directive(changed: str) -> None:
    other = replace(REQUEST, **{changed: OF_A_REQUEST[changed]})
    with pytest.raises(UnverifiableError) as caught:
        verify_vote(VOTE, other, KEYS)
    assert str(caught.value) == CHANGED_ROW


def test_voiding_a_grant_does_not_need_its_signature_anew() -> None:
    verify_grant(replace(GRANT, voided_at=LATER, void_reason="canceled"), KEYS)


def test_the_same_moment_and_the_same_amount_in_another_form_verify() -> None:
    elsewhere = timezone(timedelta(hours=5, minutes=30))
    moved = replace(GRANT, issued_at=GRANT.issued_at.astimezone(elsewhere))
    verify_grant(moved, KEYS)
    moment = VOTE.cast_at.astimezone(elsewhere)
    verify_vote(replace(VOTE, cast_at=moment), REQUEST, KEYS)


def grant_in(envelope: Any, keys: Keyring = KEYS) -> None:
    """Verify the grant as if this had been stored as its envelope."""
    verify_grant(replace(GRANT, envelope=envelope), keys)


def vote_in(envelope: Any, keys: Keyring = KEYS) -> None:
    """Verify the vote as if this had been stored as its envelope."""
    verify_vote(replace(VOTE, envelope=envelope), REQUEST, keys)


VerifyIn = Callable[..., None]
BOTH = pytest.mark.parametrize(
    ("verify_in", "statement", "payload_type"),
    [
        (grant_in, grant_statement(GRANT), GRANT_KIND.payload_type),
        (vote_in, vote_statement(VOTE, REQUEST), VOTE_KIND.payload_type),
    ],
    ids=["grant", "vote"],
)


def signed(statement: JsonObject, payload_type: str, keys: Keyring = KEYS) -> JsonObject:
    named: JsonObject = {"installation": str(INSTALLATION.id), **statement}
    return envelope_to_json(keys.sign(payload_type, canonical_json(named)))


@BOTH
def test_what_was_never_signed_does_not_verify(
    verify_in: VerifyIn, statement: JsonObject, payload_type: str
) -> None:
    with pytest.raises(UnverifiableError) as caught:
        verify_in(None)
    assert str(caught.value) == "it was never signed"


@BOTH
def test_what_an_untrusted_key_signed_does_not_verify(
    verify_in: VerifyIn, statement: JsonObject, payload_type: str
) -> None:
    verify_in(signed(statement, payload_type))
    with pytest.raises(UnverifiableError, match="is not trusted here"):
        verify_in(signed(statement, payload_type, OTHER_KEYS))
    with pytest.raises(UnverifiableError, match="is not trusted here"):
        verify_in(signed(statement, payload_type), OTHER_KEYS)


@BOTH
def test_an_untrusted_key_that_takes_a_trusted_name_does_not_verify(
    verify_in: VerifyIn, statement: JsonObject, payload_type: str
) -> None:
    forged: Any = signed(statement, payload_type, OTHER_KEYS)
    forged["signatures"][0]["keyid"] = KEYS.kid
    with pytest.raises(UnverifiableError, match="either was changed or forged"):
        verify_in(forged)


@BOTH
@pytest.mark.parametrize(
    "wrong",
    [
        GRANT_KIND.payload_type,
        VOTE_KIND.payload_type,
        "application/vnd.remit.checkpoint+json",
        "application/json",
    ],
)
def test_the_same_statement_signed_as_something_else_does_not_verify(
    verify_in: VerifyIn, statement: JsonObject, payload_type: str, wrong: str
) -> None:
    if wrong == payload_type:
        verify_in(signed(statement, wrong))
        return
    with pytest.raises(UnverifiableError, match="the envelope holds "):
        verify_in(signed(statement, wrong))


@BOTH
@pytest.mark.parametrize(
    "envelope", [{}, [], "", 1, True, {"payload": "", "payloadType": "", "signatures": []}], ids=str
)
def test_what_is_no_envelope_does_not_verify(
    verify_in: VerifyIn, statement: JsonObject, payload_type: str, envelope: Any
) -> None:
    with pytest.raises(UnverifiableError):
        verify_in(envelope)


@BOTH
def test_a_statement_that_was_signed_in_another_form_does_not_verify(
    verify_in: VerifyIn, statement: JsonObject, payload_type: str
) -> None:
    loose = canonical_json(statement).replace(b'":', b'": ', 1)
    with pytest.raises(UnverifiableError) as caught:
        verify_in(envelope_to_json(KEYS.sign(payload_type, loose)))
    assert str(caught.value) == CHANGED_ROW


def test_who_can_only_verify_can_neither_grant_nor_vote() -> None:
    for sign in (
        lambda: sign_grant(GRANT, VERIFY_ONLY),
        lambda: sign_vote(VOTE, REQUEST, VERIFY_ONLY),
    ):
        with pytest.raises(MisconfiguredError, match="there is no key to sign with"):
            sign()


POLICY = ConfirmedPolicy("sha256:p", "1", "ada", NOON, sign_policy("sha256:p", "1", "ada", KEYS))


def test_a_confirmed_policy_verifies_whenever_it_was_kept() -> None:
    verify_policy(POLICY, KEYS)
    verify_policy(replace(POLICY, confirmed_at=LATER), KEYS)


@pytest.mark.parametrize(
    "change", [{"digest": "sha256:q"}, {"version": "2"}, {"confirmed_by": "grace"}]
)
def test_another_policy_or_one_that_somebody_else_confirmed_does_not_verify(
    change: dict[str, Any],
) -> None:
    with pytest.raises(UnverifiableError, match=CHANGED_ROW):
        verify_policy(replace(POLICY, **change), KEYS)


def test_a_policy_that_others_keys_confirmed_does_not_verify() -> None:
    with pytest.raises(UnverifiableError):
        verify_policy(POLICY, OTHER_KEYS)
    with pytest.raises(MisconfiguredError):
        sign_policy("sha256:p", "1", "ada", VERIFY_ONLY)
