"""What a decision is made with: the policy in force, the keys, and the workers they vouch for."""

from dataclasses import dataclass, field
from datetime import timedelta

from remit.errors import MisconfiguredError
from remit.execution.worker_repository import KnownWorkers
from remit.execution.workers import WorkerIdentity
from remit.policy.config import PolicyConfig
from remit.signing.keys import Keyring


@dataclass(frozen=True, slots=True)
class Authority:
    """Passed to every operation that decides, grants or verifies.

    Attributes:
        worker: who executes, and signs what it says of that; None where nothing is executed.
        workers: those whose certificates were verified; a process that lasts keeps one.
        patience: how long what was granted for a version of a module waits for a worker that has
            it, after the last of them was gone; then the grant is void.
    """

    policy: PolicyConfig
    keys: Keyring
    worker: WorkerIdentity | None = None
    workers: KnownWorkers = field(default_factory=KnownWorkers, compare=False, repr=False)
    patience: timedelta = timedelta(0)

    @property
    def executing(self) -> WorkerIdentity:
        """Who executes.

        Raises:
            MisconfiguredError: nobody does.
        """
        if self.worker is None:
            raise MisconfiguredError("only a worker that has announced itself begins runs")
        return self.worker
