"""Which policies may be decided by: those that an operator's command has confirmed.

Whoever starts a stack confirms the policy that it starts with. From then on another file, whoever
put it there and however much of it is there, is nobody's policy until `remit policy install` or
`remit policy confirm` says so.
"""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from remit.approval.confirmation import ConfirmedPolicy, sign_policy, verify_policy
from remit.approval.policy_repository import find_policy, is_any_confirmed, keep_policy
from remit.audit.chain import INSTALLATION
from remit.audit.repository import NewEvent, append_events
from remit.base.json_types import JsonObject
from remit.base.wording import quoted
from remit.db.session import snapshot, transaction
from remit.errors import (
    ForbiddenError,
    PolicyUnconfirmedError,
    UnreadableError,
    UnverifiableError,
)
from remit.identity.rules import require
from remit.identity.types import SYSTEM, Principal
from remit.policy.config import PolicyConfig
from remit.signing.keys import Keyring


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What became of a command that confirms a policy.

    Attributes:
        created: whether this command did; False: one before had.
    """

    policy: ConfirmedPolicy
    created: bool


class Confirmations:
    """Tells whether a policy is confirmed; a digest is looked up until it is, and then no more."""

    def __init__(self, engine: sa.Engine, keys: Callable[[], Keyring]) -> None:
        self._engine = engine
        self._keys = keys
        self._known: set[str] = set()

    def require(self, policy: PolicyConfig) -> None:
        """Return quietly when somebody has confirmed the policy.

        Raises:
            PolicyUnconfirmedError: nobody has.
            UnavailableError: the database does not answer.
        """
        if policy.digest in self._known:
            return
        find_confirmed(self._engine, policy, self._keys())
        # A row of `policies` never changes.
        self._known.add(policy.digest)


def find_confirmed(engine: sa.Engine, policy: PolicyConfig, keys: Keyring) -> ConfirmedPolicy:
    """Return who confirmed a policy, and when.

    Raises:
        PolicyUnconfirmedError: nobody has, or somebody else wrote that they had.
    """
    with snapshot(engine) as connection:
        return confirmed_in(connection, policy, keys)


def confirmed_in(connection: sa.Connection, policy: PolicyConfig, keys: Keyring) -> ConfirmedPolicy:
    """Return the same, within a transaction.

    Raises:
        PolicyUnconfirmedError: likewise.
    """
    problem = "no operator has confirmed it"
    try:
        found = find_policy(connection, policy.digest)
        if found is not None:
            verify_policy(found, keys)
            return found
    except (UnverifiableError, UnreadableError) as error:
        problem = f"that it is confirmed does not verify: {error.message}"
    raise PolicyUnconfirmedError(
        f"policy_unconfirmed: nothing is decided or started under policy {quoted(policy.version)} "
        f"({policy.digest}): {problem}; if it is what you mean, `remit policy confirm` says so"
    )


def confirm_policy(
    engine: sa.Engine, policy: PolicyConfig, *, by: Principal, keys: Keyring
) -> Confirmed:
    """Confirm a policy: from now on it may be decided by.

    Raises:
        ForbiddenError: `by` does not operate, or is an agent: it would say by which rules it is
            to be judged.
        UnverifiableError: somebody else wrote that this policy is confirmed.
        MisconfiguredError: there is no key to sign with.
    """
    require(by, "operate")
    if by.kind == "agent":
        raise ForbiddenError(
            f"{by.name} is an agent, and no agent confirms the policy that it is judged by; ask a "
            "person who operates"
        )
    with transaction(engine) as connection:
        return _confirm(connection, policy, by.name, keys)


def confirm_at_start(
    engine: sa.Engine, policy: PolicyConfig, keys: Keyring, *, only_first: bool = False
) -> None:
    """Confirm the policy that somebody starts a stack or a worker with.

    Args:
        engine: the database.
        policy: the policy.
        keys: what signs it; a process that only verifies confirms nothing.
        only_first: whether to leave it alone where any policy was confirmed before: a worker that
            is started again by itself is no operator's command.

    Raises:
        UnverifiableError: somebody else wrote that this policy is confirmed.
    """
    if keys.kid is None:
        return
    with transaction(engine) as connection:
        if not (only_first and is_any_confirmed(connection)):
            _confirm(connection, policy, SYSTEM.name, keys)


def _confirm(connection: sa.Connection, policy: PolicyConfig, by: str, keys: Keyring) -> Confirmed:
    envelope = sign_policy(policy.digest, policy.version, by, keys)
    found, created = keep_policy(connection, policy.digest, policy.version, by, envelope)
    if created:
        said: JsonObject = {"digest": policy.digest, "version": policy.version}
        data: JsonObject = {**said, "envelope": envelope}
        append_events(connection, [NewEvent(INSTALLATION, "policy.confirmed", by, data)])
    try:
        verify_policy(found, keys)
    except UnverifiableError as error:
        raise UnverifiableError(
            f"somebody else wrote that policy {policy.digest} is confirmed ({error.message}): give "
            "it another version, and look for who did"
        ) from error
    return Confirmed(found, created)
