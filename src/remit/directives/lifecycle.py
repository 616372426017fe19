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

validate_transition = TRANSITIONS.validate
"""Return quietly when a directive may go from one status to another; see TransitionTable."""

get_valid_next_statuses = TRANSITIONS.next_of
"""Return the statuses that may follow one; empty when it is final."""

is_terminal_status = TRANSITIONS.is_terminal
"""Return whether a directive with this status never changes again."""
