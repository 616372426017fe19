"""What a decision is made with: the policy in force, and the keys that sign what it grants."""

from dataclasses import dataclass

from remit.policy.config import PolicyConfig
from remit.signing.keys import Keyring


@dataclass(frozen=True, slots=True)
class Authority:
    """Passed to every operation that decides, grants or verifies.

    Attributes:
        policy: the policy in force.
        keys: what signs grants and votes, and what verifies them.
    """

    policy: PolicyConfig
    keys: Keyring
