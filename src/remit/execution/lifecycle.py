"""Which status of a run may follow which.

The rules only: `remit.execution.mutator` is the one place that writes the status.
"""

from remit.base.lifecycle import TransitionTable
from remit.vocabulary import RunStatus

TRANSITIONS: TransitionTable[RunStatus] = TransitionTable(
    "run",
    {
        # A run can fail before it starts: its worker may be lost, its grant may be void.
        "pending": frozenset({"running", "failed", "canceled"}),
        "running": frozenset({"completed", "failed", "canceled"}),
        "completed": frozenset(),
        "failed": frozenset(),
        "canceled": frozenset(),
    },
)
"""The whole lifecycle."""


def validate_transition(current: str, target: str) -> None:
    """Return quietly when a run may go from `current` to `target`.

    Raises:
        IllegalTransitionError: it may not; the message names the statuses that may follow.
        InvalidInputError: either is no status of a run.
    """
    TRANSITIONS.validate(current, target)


def get_valid_next_statuses(status: str) -> frozenset[RunStatus]:
    """Return the statuses that may follow `status`; empty when it is final."""
    return TRANSITIONS.next_of(status)


def is_terminal_status(status: str) -> bool:
    """Return whether a run with this status never changes again."""
    return TRANSITIONS.is_terminal(status)
