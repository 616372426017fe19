"""What the tour tells while it is played: moments, in the boxes of the loop, in a few words."""

from dataclasses import dataclass
from typing import Literal, Protocol

from remit.directives.models import DirectiveRead
from remit.policy.types import PolicyDecision
from remit.vocabulary import PolicyVerdict

Box = Literal["intent", "gate", "consent", "act", "evidence"]
"""The boxes of the loop that a directive passes in the tour."""

Mark = Literal["passed", "waits", "stopped"]


class Workers(Protocol):
    """Who keeps the worker running; `remit.stack.supervisor.Stack` does."""

    def kill_worker(self) -> int:
        """Kill the worker with SIGKILL; return its process id."""
        ...

    def wait_for_worker(self, *, other_than: int | None = None) -> int:
        """Wait until another worker is ready; return its process id."""
        ...


@dataclass(frozen=True)
class Moment:
    """Something that has just happened in a scene.

    Attributes:
        scene: its position in the script, from 0.
        box: the box of the loop in which it happened.
        mark: whether the directive passed the box, waits in it, or was stopped in it.
        text: what happened, in a few words.
        note: whether it is worth a line of its own: an act of a person, a fate of the worker.
        ended: whether the scene is over.
    """

    scene: int
    box: Box
    mark: Mark
    text: str
    note: bool = False
    ended: bool = False


def answer_in_words(decision: PolicyDecision) -> str:
    """Return the gate's answer in a few words."""
    if decision.verdict is PolicyVerdict.BLOCK:
        return "; ".join(decision.block_reasons)
    if decision.verdict is PolicyVerdict.REQUIRE_APPROVAL:
        return "asks for a person: " + "; ".join(decision.approval_reasons)
    return "allowed by policy"


def end_in_words(directive: DirectiveRead) -> str:
    """Return a directive's end in a few words."""
    reason = directive.status_reason
    return directive.status if reason is None else f"{directive.status}: {reason}"
