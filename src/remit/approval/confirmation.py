"""What is signed when an operator's command confirms a policy, and whether it still verifies. Pure.

A policy that nobody confirmed may be half of one, or one that somebody put in place of another, so
nothing is decided or started under it.
"""

from dataclasses import dataclass
from datetime import datetime

from remit.base.json_types import JsonObject
from remit.signing.keys import Keyring
from remit.signing.statements import Kind, sign_statement, verify_statement

POLICY = Kind("policy")
"""What is signed of a policy that is confirmed."""


@dataclass(frozen=True, slots=True)
class ConfirmedPolicy:
    """A policy that may be decided by.

    Attributes:
        confirmed_by: whose command confirmed it; `remit` for whoever started the stack or worker.
        envelope: all of that but the time, and the installation, signed.
    """

    digest: str
    version: str
    confirmed_by: str
    confirmed_at: datetime
    envelope: JsonObject


def sign_policy(digest: str, version: str, by: str, keys: Keyring) -> JsonObject:
    """Return the envelope of a policy that is confirmed.

    Raises:
        MisconfiguredError: there is no key to sign with.
    """
    return sign_statement(POLICY, _statement(digest, version, by), keys)


def verify_policy(row: ConfirmedPolicy, keys: Keyring) -> None:
    """Return quietly when the row is what one of the keys signed for this installation.

    Raises:
        UnverifiableError: it is not; the message says why.
    """
    statement = _statement(row.digest, row.version, row.confirmed_by)
    verify_statement(POLICY, row.envelope, statement, keys)


def _statement(digest: str, version: str, by: str) -> JsonObject:
    return {"digest": digest, "version": version, "by": by}
