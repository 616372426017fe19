"""Whoever changes the row of a principal or a token has no key, and the row is nobody's."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from remit.base.json_types import JsonObject
from remit.errors import UnverifiableError
from remit.identity.statements import (
    PRINCIPAL,
    said_by,
    sign_invitation,
    sign_principal,
    sign_revocation,
    sign_token,
    sign_withdrawal,
    verify_invitation,
    verify_principal,
    verify_revocation,
    verify_token,
    verify_withdrawal,
)
from remit.identity.statements import TOKEN as TOKEN_KIND
from remit.identity.types import (
    Invitation,
    KeptInvitation,
    KeptToken,
    Principal,
    PrincipalRow,
    TokenRow,
)
from remit.signing.dsse import envelope_to_json
from remit.signing.statements import Kind, canonical, moment
from tests.support.keys import INSTALLATION, KEYS, new_keys

NOON = datetime(2026, 1, 2, 12, 0, 0, 123456, tzinfo=UTC)
HELPER = Principal("helper", "agent", ("proposer", "operator"), ("night", "day"), "ada")


def row(principal: Principal = HELPER, **changes: Any) -> PrincipalRow:
    fields: dict[str, Any] = {
        "created_by": "admin",
        "created_at": NOON,
        "disabled_at": None,
        "revision": 3,
        "envelope": sign_principal(HELPER, 3, KEYS, created_by="admin"),
    }
    return PrincipalRow(principal, **(fields | changes))


def test_a_principal_that_was_signed_verifies() -> None:
    verify_principal(row(), KEYS)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "other"},
        {"kind": "human"},
        {"roles": ("proposer", "operator", "approver")},
        {"roles": ("proposer",)},
        {"groups": ("night", "day", "release")},
        {"groups": ()},
        {"acts_for": None},
        {"acts_for": "eve"},
    ],
)
def test_a_principal_that_was_changed_does_not(changes: dict[str, Any]) -> None:
    with pytest.raises(UnverifiableError, match="its row was changed"):
        verify_principal(row(replace(HELPER, **changes)), KEYS)


def test_an_older_revision_does_not_stand_for_a_newer_one() -> None:
    with pytest.raises(UnverifiableError, match="its row was changed"):
        verify_principal(row(revision=4), KEYS)


def test_the_order_in_which_roles_and_groups_are_told_changes_nothing() -> None:
    turned = replace(HELPER, roles=("operator", "proposer"), groups=("day", "night", "day"))
    verify_principal(row(turned), KEYS)


def test_a_principal_that_nobody_signed_or_somebody_else_did_does_not_verify() -> None:
    with pytest.raises(UnverifiableError, match="never signed"):
        verify_principal(row(envelope=None), KEYS)
    other = new_keys()
    with pytest.raises(UnverifiableError, match="not trusted"):
        verify_principal(row(envelope=sign_principal(HELPER, 3, other, created_by="admin")), KEYS)


@pytest.mark.parametrize("changes", [{"created_by": "eve"}, {"disabled_at": NOON}])
def test_nor_does_one_whose_maker_was_changed_or_that_was_shut_out_by_other_means(
    changes: dict[str, Any],
) -> None:
    with pytest.raises(UnverifiableError, match="its row was changed"):
        verify_principal(row(**changes), KEYS)


def test_being_shut_out_is_signed_for_good() -> None:
    envelope = sign_principal(HELPER, 4, KEYS, created_by="admin", disabled=True)
    verify_principal(row(revision=4, disabled_at=NOON, envelope=envelope), KEYS)
    with pytest.raises(UnverifiableError, match="its row was changed"):
        verify_principal(row(revision=4, envelope=envelope), KEYS)


BEFORE = INSTALLATION.since - timedelta(days=1)


def first(kind: Kind, statement: JsonObject) -> JsonObject:
    """Return the envelope of a statement of the first version."""
    return envelope_to_json(KEYS.sign(kind.first_type, canonical(statement)))


PLAIN: JsonObject = {
    "name": "helper",
    "kind": "agent",
    "roles": ["operator", "proposer"],
    "groups": ["day", "night"],
    "acts_for": "ada",
    "revision": 3,
}


def test_who_was_known_before_statements_named_their_installation_still_is() -> None:
    envelope = first(PRINCIPAL, PLAIN)
    verify_principal(row(created_at=BEFORE, envelope=envelope), KEYS)
    verify_principal(row(created_at=BEFORE, disabled_at=BEFORE, envelope=envelope), KEYS)


@pytest.mark.parametrize(
    "changes", [{"created_at": NOON}, {"created_at": BEFORE, "disabled_at": NOON}]
)
def test_the_first_version_counts_for_nobody_who_came_or_went_later(
    changes: dict[str, Any],
) -> None:
    with pytest.raises(UnverifiableError, match="names no installation"):
        verify_principal(row(envelope=first(PRINCIPAL, PLAIN), **changes), KEYS)


TOKEN = TokenRow(
    id=UUID(int=7),
    principal="ada",
    scopes=("vote", "audit"),
    created_by="admin",
    created_at=NOON,
    expires_at=NOON,
    revoked_at=None,
    created_with=UUID(int=1),
)
KEPT = KeptToken(TOKEN, "ab" * 32, sign_token(KeptToken(TOKEN, "ab" * 32, None), KEYS))


def changed(**changes: Any) -> KeptToken:
    return replace(KEPT, row=replace(TOKEN, **changes))


def test_a_token_that_was_signed_verifies_in_any_zone() -> None:
    zone = timezone(timedelta(hours=5))
    verify_token(changed(expires_at=NOON.astimezone(zone)), KEYS)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": UUID(int=8)},
        {"principal": "eve"},
        {"scopes": ()},
        {"scopes": ("vote",)},
        {"expires_at": NOON + timedelta(microseconds=1)},
        {"created_by": "ada"},
        {"created_with": None},
        {"created_with": UUID(int=2)},
        {"redeemed": True},
    ],
)
def test_a_token_that_was_changed_does_not(changes: dict[str, Any]) -> None:
    with pytest.raises(UnverifiableError, match="its row was changed"):
        verify_token(changed(**changes), KEYS)
    with pytest.raises(UnverifiableError, match="its row was changed"):
        verify_token(replace(KEPT, hash="cd" * 32), KEYS)


def test_the_signature_of_a_principal_is_none_of_a_token() -> None:
    envelope = sign_principal(HELPER, 3, KEYS, created_by="admin")
    with pytest.raises(UnverifiableError):
        verify_token(replace(KEPT, envelope=envelope), KEYS)
    with pytest.raises(UnverifiableError, match="never signed"):
        verify_token(replace(KEPT, envelope=None), KEYS)


EARLY = replace(TOKEN, created_at=BEFORE, created_with=None)
EARLY_ENVELOPE = first(
    TOKEN_KIND,
    {
        "token": str(UUID(int=7)),
        "principal": "ada",
        "hash": "ab" * 32,
        "scopes": ["audit", "vote"],
        "expires_at": moment(NOON),
    },
)


def test_a_token_of_before_still_verifies_but_says_nothing_of_how_it_was_made() -> None:
    verify_token(KeptToken(EARLY, "ab" * 32, EARLY_ENVELOPE), KEYS)
    for more in ({"redeemed": True}, {"created_with": UUID(int=1)}, {"created_at": NOON}):
        claimed = KeptToken(replace(EARLY, **more), "ab" * 32, EARLY_ENVELOPE)
        with pytest.raises(UnverifiableError):
            verify_token(claimed, KEYS)


def revoked(**changes: Any) -> TokenRow:
    ended = replace(TOKEN, revoked_at=NOON, revoked_since=NOON - timedelta(hours=1))
    return replace(ended, **{"revocation": sign_revocation(ended, "admin", KEYS)} | changes)


def test_a_revocation_that_was_signed_verifies_and_so_does_none() -> None:
    verify_revocation(revoked(), KEYS)
    verify_revocation(TOKEN, KEYS)
    verify_revocation(replace(EARLY, revoked_at=BEFORE), KEYS)


@pytest.mark.parametrize(
    "changes",
    [
        {"revocation": None},
        {"revoked_since": None},
        {"revoked_since": NOON},
        {"revoked_at": NOON + timedelta(seconds=1)},
        {"revoked_at": None},
        {"id": UUID(int=8)},
        {"revocation": KEPT.envelope},
        {"revocation": {"payload": "e30="}},
    ],
)
def test_a_revocation_that_was_changed_does_not(changes: dict[str, Any]) -> None:
    with pytest.raises(UnverifiableError):
        verify_revocation(revoked(**changes), KEYS)


OFFER = Invitation(
    id=UUID(int=9),
    principal="ada",
    scopes=("vote",),
    valid_seconds=3600,
    created_by="admin",
    created_with=UUID(int=1),
    created_at=NOON,
    expires_at=NOON + timedelta(days=1),
)
OFFERED = KeptInvitation(OFFER, "ab" * 32, None)
INVITED = replace(OFFERED, envelope=sign_invitation(OFFERED, KEYS))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": UUID(int=8)},
        {"principal": "eve"},
        {"scopes": ()},
        {"valid_seconds": 3601},
        {"created_by": "eve"},
        {"created_with": None},
        {"expires_at": NOON + timedelta(days=2)},
    ],
)
def test_an_invitation_that_was_changed_does_not_verify(changes: dict[str, Any]) -> None:
    verify_invitation(INVITED, KEYS)
    with pytest.raises(UnverifiableError, match="its row was changed"):
        verify_invitation(replace(INVITED, invitation=replace(OFFER, **changes)), KEYS)
    with pytest.raises(UnverifiableError, match="its row was changed"):
        verify_invitation(replace(INVITED, hash="cd" * 32), KEYS)


def test_who_ended_an_invitation_is_signed() -> None:
    ended = replace(OFFER, revoked_at=NOON)
    verify_withdrawal(OFFER, KEYS)
    verify_withdrawal(replace(ended, revocation=sign_withdrawal(ended, "admin", KEYS)), KEYS)
    with pytest.raises(UnverifiableError):
        verify_withdrawal(ended, KEYS)


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"{}", b'{"by": 1}'])
def test_what_does_not_say_by_whom_it_is_is_by_nobody(payload: bytes) -> None:
    envelope = envelope_to_json(KEYS.sign("application/vnd.remit.revocation.v2+json", payload))
    with pytest.raises(UnverifiableError, match="it does not say by whom it is"):
        said_by(envelope)
    with pytest.raises(UnverifiableError, match="never signed"):
        said_by(None)
