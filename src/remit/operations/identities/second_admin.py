"""Whether two admins are asked where one would make an approver or an admin.

It is switched on by an event of the installation's own log, signed as all that tells of people. The
operations about people and invitations call :func:`require_second` inside their transactions.
"""

from collections.abc import Collection

import sqlalchemy as sa

from remit.audit.chain import Event
from remit.audit.identity_events import is_genuine
from remit.audit.identity_repository import list_own_events
from remit.audit.repository import event_data
from remit.errors import ForbiddenError
from remit.identity.rules import FOR_PEOPLE, GIVEN_BY
from remit.signing.keys import Keyring
from remit.vocabulary import Role


def genuine_events(connection: sa.Connection, kinds: Collection[str], keys: Keyring) -> list[Event]:
    """Return the installation's events of some types that one of the keys signed, oldest first."""
    found = list_own_events(connection, kinds)
    return [one for one in found if is_genuine(one, keys)]


def is_on(connection: sa.Connection, keys: Keyring) -> bool:
    """Return whether two admins are asked."""
    said = genuine_events(connection, ["four_eyes.set"], keys)
    return bool(said) and event_data(said[-1])["on"] is True


def is_powerful(roles: Collection[Role]) -> bool:
    """Return whether a principal with these roles can consent, or let others in."""
    return any(GIVEN_BY[role] & FOR_PEOPLE for role in roles)


def require_second(
    connection: sa.Connection, roles: Collection[Role], keys: Keyring, *, agreed: bool
) -> None:
    """Return quietly when one admin may do what gives somebody these roles, or a second agreed.

    Raises:
        ForbiddenError: two admins are asked.
    """
    if agreed or not is_powerful(roles) or not is_on(connection, keys):
        return
    raise ForbiddenError(
        "two admins are asked where an approver or an admin is made: one proposes it, with `remit "
        "token invite` or `remit principal set`, and another one confirms"
    )
