"""Which status of a directive may follow which.

The rules only: `remit.directives.mutator` is the one place that writes the status.
"""

from remit.base.lifecycle import TransitionTable
from remit.vocabulary import DirectiveStatus

TRANSITIONS: TransitionTable[DirectiveStatus] = TransitionTable(
    "directive",
    {
        "draft": frozenset({"proposed"}),
        "proposed": frozenset({"approved", "blocked"}),
        # An approval that ran out, or no longer fits what it approved, blocks.
        "approved": frozenset({"executing", "blocked"}),
        "executing": frozenset({"complete", "aborted"}),
        "complete": frozenset(),
        # The retry: the same intent passes the gate again.
        "blocked": frozenset({"proposed"}),
        "aborted": frozenset(),
    },
)
"""The whole lifecycle."""


def validate_transition(current: str, target: str) -> None:
    """Return quietly when a directive may go from `current` to `target`.

    Raises:
        IllegalTransitionError: it may not; the message names the statuses that may follow.
        InvalidInputError: either is no status of a directive.
    """
    TRANSITIONS.validate(current, target)


def get_valid_next_statuses(status: str) -> frozenset[DirectiveStatus]:
    """Return the statuses that may follow `status`; empty when it is final.

    Raises:
        InvalidInputError: `status` is no status of a directive.
    """
    return TRANSITIONS.next_of(status)


def is_terminal_status(status: str) -> bool:
    """Return whether a directive with this status never changes again.

    Raises:
        InvalidInputError: `status` is no status of a directive.
    """
    return TRANSITIONS.is_terminal(status)
