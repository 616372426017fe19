"""Whoever changes the row of a principal or a token has no key, and the row is nobody's."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from remit.errors import UnverifiableError
from remit.identity.statements import (
    sign_principal,
    sign_token,
    token_statement,
    verify_principal,
    verify_token,
)
from remit.identity.types import Principal, PrincipalRow
from tests.support.keys import KEYS, new_keys

NOON = datetime(2026, 1, 2, 12, 0, 0, 123456, tzinfo=UTC)
HELPER = Principal("helper", "agent", ("proposer", "operator"), ("night", "day"), "ada")


def row(principal: Principal = HELPER, **changes: Any) -> PrincipalRow:
    fields: dict[str, Any] = {
        "created_by": "admin",
        "created_at": NOON,
        "disabled_at": None,
        "revision": 3,
        "envelope": sign_principal(HELPER, 3, KEYS),
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
        verify_principal(row(envelope=sign_principal(HELPER, 3, other)), KEYS)


TOKEN: dict[str, Any] = {
    "token_id": UUID(int=7),
    "principal": "ada",
    "digest": "ab" * 32,
    "scopes": ("vote", "audit"),
    "expires_at": NOON,
}


def test_a_token_that_was_signed_verifies_in_any_zone() -> None:
    envelope = sign_token(token_statement(**TOKEN), KEYS)
    zone = timezone(timedelta(hours=5))
    there = token_statement(**TOKEN | {"expires_at": NOON.astimezone(zone)})
    verify_token(envelope, there, NOON, KEYS)


@pytest.mark.parametrize(
    "changes",
    [
        {"token_id": UUID(int=8)},
        {"principal": "eve"},
        {"digest": "cd" * 32},
        {"scopes": ()},
        {"scopes": ("vote",)},
        {"expires_at": NOON + timedelta(microseconds=1)},
    ],
)
def test_a_token_that_was_changed_does_not(changes: dict[str, Any]) -> None:
    envelope = sign_token(token_statement(**TOKEN), KEYS)
    with pytest.raises(UnverifiableError, match="its row was changed"):
        verify_token(envelope, token_statement(**TOKEN | changes), NOON, KEYS)


def test_the_signature_of_a_principal_is_none_of_a_token() -> None:
    with pytest.raises(UnverifiableError):
        verify_token(sign_principal(HELPER, 3, KEYS), token_statement(**TOKEN), NOON, KEYS)
    with pytest.raises(UnverifiableError, match="never signed"):
        verify_token(None, token_statement(**TOKEN), NOON, KEYS)
