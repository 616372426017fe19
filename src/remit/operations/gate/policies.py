"""The policy in force, and which policies may be decided by: those that an operator has confirmed.

Whoever starts a stack confirms the policy that it starts with. From then on another file, whoever
put it there and however much of it is there, is nobody's policy until `remit policy install` or
`remit policy confirm` says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from remit.approval.repository import find_policy, is_any_confirmed, keep_policy
from remit.approval.statements import sign_policy, verify_policy
from remit.approval.types import ConfirmedPolicy
from remit.audit.chain import INSTALLATION
from remit.audit.repository import NewEvent, append_events
from remit.base.json_types import JsonObject
from remit.base.wording import quoted
from remit.db.session import snapshot, transaction
from remit.errors import (
    ForbiddenError,
    InvalidInputError,
    PolicyUnconfirmedError,
    UnreadableError,
    UnverifiableError,
)
from remit.identity.rules import require
from remit.identity.types import SYSTEM, Principal
from remit.policy.config import PolicyConfig, default_policy, parse_policy, read_policy
from remit.signing.keys import Keyring
from remit.vocabulary import PolicyFault


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What became of a command that confirms a policy; not `created`: it was confirmed before."""

    policy: ConfirmedPolicy
    created: bool


class Confirmations:
    """Tells whether a policy is confirmed; a digest is looked up until it is, and then no more."""

    def __init__(self, engine: sa.Engine, keys: Callable[[], Keyring]) -> None:
        self._engine = engine
        self._keys = keys
        self._known: set[str] = set()

    def require(self, policy: PolicyConfig) -> None:
        """Raise PolicyUnconfirmedError unless somebody has confirmed the policy."""
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
    """Return the same, within a transaction."""
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

    A process that only verifies confirms nothing. `only_first` leaves it alone where any policy was
    confirmed before: a worker that is started again by itself is no operator's command.

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
        data: JsonObject = {
            "digest": policy.digest,
            "version": policy.version,
            "envelope": envelope,
        }
        append_events(connection, [NewEvent(INSTALLATION, "policy.confirmed", by, data)])
    try:
        verify_policy(found, keys)
    except UnverifiableError as error:
        raise UnverifiableError(
            f"somebody else wrote that policy {policy.digest} is confirmed ({error.message}): give "
            "it another version, and look for who did"
        ) from error
    return Confirmed(found, created)


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """Why nothing is decided or started."""

    fault: PolicyFault
    message: str


class PolicySource:
    """Hands out the policy in force: the file is read again for each decision.

    One that has become unreadable, or that nobody has confirmed, is an error and never the old
    policy: what is uncertain fails closed.
    """

    def __init__(self, path: Path | None, confirmations: Confirmations | None = None) -> None:
        """Read the policy file; None means the built-in policy.

        Without `confirmations` the policy may be looked at, and nothing decided by it.

        Raises:
            InvalidInputError: the file holds no policy.
        """
        self._path = path
        self._confirmations = confirmations
        self._seen: str | None = None
        self._policy = default_policy()
        self.read()

    def current(self) -> PolicyConfig:
        """Return the policy in force now.

        Raises:
            InvalidInputError: the file no longer holds a policy.
            PolicyUnconfirmedError: it holds one that nobody has confirmed.
        """
        policy = self.read()
        if self._confirmations is not None:
            self._confirmations.require(policy)
        return policy

    def problem(self) -> PolicyProblem | None:
        """Return why nothing is decided or started now; None: nothing is wrong with the policy."""
        try:
            self.current()
        except PolicyUnconfirmedError as error:
            return PolicyProblem("policy_unconfirmed", error.message)
        except InvalidInputError as error:
            return PolicyProblem("policy_unreadable", error.message)
        return None

    def read(self) -> PolicyConfig:
        """Return the policy that stands there now, whether somebody has confirmed it or not."""
        if self._path is None:
            return self._policy
        text = read_policy(self._path)
        if text != self._seen:
            self._policy = parse_policy(text, source=str(self._path))
            self._seen = text
        return self._policy
