"""What a decision is made with: the policy in force, the keys that sign, and who executes."""

from dataclasses import dataclass

from remit.errors import MisconfiguredError
from remit.execution.workers import WorkerIdentity
from remit.policy.config import PolicyConfig
from remit.signing.keys import Keyring


@dataclass(frozen=True, slots=True)
class Authority:
    """Passed to every operation that decides, grants or verifies.

    Attributes:
        policy: the policy in force.
        keys: what signs grants and votes, and what verifies them.
        worker: who executes, and signs what it says of that; None where nothing is executed.
    """

    policy: PolicyConfig
    keys: Keyring
    worker: WorkerIdentity | None = None

    @property
    def executing(self) -> WorkerIdentity:
        """Who executes.

        Raises:
            MisconfiguredError: nobody does.
        """
        if self.worker is None:
            raise MisconfiguredError("only a worker that has announced itself begins runs")
        return self.worker
