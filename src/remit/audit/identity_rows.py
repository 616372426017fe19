"""Holds people, tokens and invitations against what the log tells of them, both ways. Pure.

An audit calls :func:`compare_identity` with the installation's own chain and every row.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from uuid import UUID

from remit.audit.chain import Event
from remit.audit.identity_events import IDENTITY_EVENTS, verify_identity_event
from remit.audit.identity_told import Told, ToldInvitation, ToldPrincipal, ToldToken
from remit.base.wording import listed, quoted
from remit.errors import RemitError, UnverifiableError
from remit.identity.statements import (
    verify_invitation,
    verify_principal,
    verify_revocation,
    verify_token,
    verify_withdrawal,
)
from remit.identity.types import KeptInvitation, KeptToken, PrincipalRow
from remit.signing.keys import Keyring
from remit.vocabulary import IdentityFault

_Key = TypeVar("_Key", str, UUID)


@dataclass(frozen=True, slots=True)
class Kept:
    """All that is kept of who acts.

    Attributes:
        principals: every principal.
        tokens: every token.
        invitations: every invitation.
    """

    principals: Sequence[PrincipalRow]
    tokens: Sequence[KeptToken]
    invitations: Sequence[KeptInvitation]


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One thing that is wrong with who acts, or with what the log tells of it.

    Attributes:
        seq: the event of the installation's chain that is wrong; None when it is about no event.
        fault: what is wrong.
        words: the same for a person.
    """

    seq: int | None
    fault: IdentityFault
    words: str


def compare_identity(events: Iterable[Event], kept: Kept, keys: Keyring) -> Iterator[Discrepancy]:
    """Yield what is wrong with the rows of who acts, and with the events that tell of them.

    Args:
        events: the installation's own chain, in its order; events of other matters are passed over.
        kept: every row.
        keys: the keys that are trusted.
    """
    told = Told()
    for event in events:
        if event.type not in IDENTITY_EVENTS:
            continue
        try:
            verify_identity_event(event, keys)
        except RemitError as error:
            words = f"its event {event.type} does not verify: {error.message}"
            yield Discrepancy(event.seq, "unverifiable", words)
            continue
        try:
            told.add(event)
        except UnverifiableError as error:
            yield Discrepancy(event.seq, "told_otherwise", f"{event.type}: {error.message}")
    yield from _unsigned(kept, keys)
    yield from _compared("the principal", told.principals, _principals(kept))
    yield from _compared("the token", told.tokens, _tokens(kept))
    yield from _compared("the invitation", told.invitations, _invitations(kept))


def _unsigned(kept: Kept, keys: Keyring) -> Iterator[Discrepancy]:
    for what, verify in _statements(kept, keys):
        try:
            verify()
        except RemitError as error:
            words = f"{what} does not verify: {error.message}"
            yield Discrepancy(None, "unverifiable", words)


def _statements(kept: Kept, keys: Keyring) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield what every signed row is, and what verifies it."""
    for one in kept.principals:
        name = quoted(one.principal.name)
        yield f"the principal {name}", partial(verify_principal, one, keys)
    for token in kept.tokens:
        what = f"the token {token.row.id} of {quoted(token.row.principal)}"
        yield what, partial(verify_token, token, keys)
        yield f"the end of {what}", partial(verify_revocation, token.row, keys)
    for invitation in kept.invitations:
        shown = invitation.invitation
        what = f"the invitation {shown.id} of {quoted(shown.principal)}"
        yield what, partial(verify_invitation, invitation, keys)
        yield f"the end of {what}", partial(verify_withdrawal, shown, keys)


def _compared(
    what: str, told: Mapping[_Key, object], kept: Mapping[_Key, object]
) -> Iterator[Discrepancy]:
    for key, row in kept.items():
        if key not in told:
            yield Discrepancy(None, "untold", f"{what} {quoted(str(key))}: no event tells of it")
        elif row != told[key]:
            unlike = listed(_unlike(row, told[key]), "and")
            words = f"{what} {quoted(str(key))} is not as the log tells: {unlike}"
            yield Discrepancy(None, "told_otherwise", words)
    for key in sorted(told.keys() - kept.keys(), key=str):
        words = f"{what} {quoted(str(key))}: the log tells of it, and there is none"
        yield Discrepancy(None, "unfounded", words)


def _unlike(row: object, told: object) -> list[str]:
    """Return the names of the fields in which two values of one kind differ."""
    names = type(row).__slots__  # type: ignore[attr-defined]
    return [name for name in names if getattr(row, name) != getattr(told, name)]


def _principals(kept: Kept) -> dict[str, ToldPrincipal]:
    return {
        row.principal.name: ToldPrincipal(
            kind=row.principal.kind,
            roles=frozenset(row.principal.roles),
            groups=frozenset(row.principal.groups),
            acts_for=row.principal.acts_for,
            created_by=row.created_by,
            revision=row.revision,
            disabled=row.disabled_at is not None,
        )
        for row in kept.principals
    }


def _tokens(kept: Kept) -> dict[UUID, ToldToken]:
    return {
        row.id: ToldToken(
            principal=row.principal,
            scopes=frozenset(row.scopes),
            expires_at=row.expires_at,
            created_by=row.created_by,
            created_with=row.created_with,
            redeemed=row.redeemed,
            revoked=row.revoked_at is not None,
            revoked_since=row.revoked_since,
        )
        for row in (one.row for one in kept.tokens)
    }


def _invitations(kept: Kept) -> dict[UUID, ToldInvitation]:
    return {
        one.id: ToldInvitation(
            principal=one.principal,
            scopes=frozenset(one.scopes),
            valid_seconds=one.valid_seconds,
            expires_at=one.expires_at,
            created_by=one.created_by,
            created_with=one.created_with,
            token_id=one.token_id,
            revoked=one.revoked_at is not None,
        )
        for one in (kept_one.invitation for kept_one in kept.invitations)
    }
