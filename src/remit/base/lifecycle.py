"""The one shape that every lifecycle has: a table of which status may follow which. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from remit.base.wording import listed, quoted
from remit.errors import IllegalTransitionError, InvalidInputError

StatusT = TypeVar("StatusT", bound=str)


@dataclass(frozen=True)
class TransitionTable(Generic[StatusT]):
    """Which status may follow which, for one kind of thing.

    Attributes:
        noun: what has the status, in messages.
        next_statuses: an empty set marks a final one.
    """

    noun: str
    next_statuses: Mapping[StatusT, frozenset[StatusT]]

    def next_of(self, status: str) -> frozenset[StatusT]:
        """Return the statuses that may follow `status`; empty when it is final.

        Raises:
            InvalidInputError: `status` is not in the table.
        """
        # The lookup is also the check: only keys of the table, which are statuses, are found.
        found = self.next_statuses.get(cast("StatusT", status))
        if found is None:
            known = listed(self.next_statuses, "and")
            raise InvalidInputError(
                f"unknown {self.noun} status {quoted(status)}; the statuses are {known}",
                field="status",
            )
        return found

    def is_terminal(self, status: str) -> bool:
        """Return whether nothing may follow `status`; InvalidInputError when it is no status."""
        return not self.next_of(status)

    def validate(self, current: str, target: str) -> None:
        """Return quietly when `target` may follow `current`.

        Raises:
            IllegalTransitionError: it may not; the message names those that may.
            InvalidInputError: either is not in the table.
        """
        allowed = self.next_of(current)
        self.next_of(target)
        if target in allowed:
            return
        # The table's own order, so that the same fault is always worded the same way.
        legal = [status for status in self.next_statuses if status in allowed]
        fix = f"only {listed(legal)} may follow" if legal else f"{current} is final"
        raise IllegalTransitionError(
            f"a {self.noun} cannot go from {current} to {target}: {fix}", field="status"
        )
