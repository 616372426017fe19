"""The policy in force: its file may change while a process runs, and the next decision sees it."""

from dataclasses import dataclass
from pathlib import Path

from remit.errors import InvalidInputError, PolicyUnconfirmedError
from remit.operations.gate.confirmations import Confirmations
from remit.policy.config import PolicyConfig, default_policy, parse_policy, read_policy
from remit.vocabulary import PolicyFault


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """Why nothing is decided or started."""

    fault: PolicyFault
    message: str


class PolicySource:
    """Hands out the policy in force.

    A policy file is read again for each decision, so that whoever decides under an old policy
    cannot go on for longer than one. A file that has become unreadable, or is one that nobody has
    confirmed, is an error and never the old policy: what is uncertain fails closed.
    """

    def __init__(self, path: Path | None, confirmations: Confirmations | None = None) -> None:
        """Name the policy file, and who tells whether a policy is confirmed.

        Args:
            path: the file; None means the built-in policy.
            confirmations: asked before a policy is handed out. None is for whoever only looks at
                the policy, and decides nothing.

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
            InvalidInputError: the file no longer holds a policy; the message names the fix.
            PolicyUnconfirmedError: it holds one that nobody has confirmed.
            UnavailableError: the database does not answer who has.
        """
        policy = self.read()
        if self._confirmations is not None:
            self._confirmations.require(policy)
        return policy

    def problem(self) -> PolicyProblem | None:
        """Return why nothing is decided or started now; None when nothing is wrong with the policy.

        Raises:
            UnavailableError: the database does not answer.
        """
        try:
            self.current()
        except PolicyUnconfirmedError as error:
            return PolicyProblem("policy_unconfirmed", error.message)
        except InvalidInputError as error:
            return PolicyProblem("policy_unreadable", error.message)
        return None

    def read(self) -> PolicyConfig:
        """Return the policy that stands there now, whether somebody has confirmed it or not.

        Raises:
            InvalidInputError: as :meth:`current`.
        """
        if self._path is None:
            return self._policy
        text = read_policy(self._path)
        if text != self._seen:
            self._policy = parse_policy(text, source=str(self._path))
            self._seen = text
        return self._policy
