"""What the gate takes in and gives out: frozen values with no behavior beyond reading them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from pydantic import JsonValue

from remit.base.money import parse_budget
from remit.errors import InvalidInputError
from remit.vocabulary import PolicyVerdict


@dataclass(frozen=True)
class PolicyResult:
    """What one policy found.

    Attributes:
        reason: one line for the person who reads the decision.
    """

    verdict: PolicyVerdict
    policy: str
    reason: str


CHANGED_CONTENT = PolicyResult(
    PolicyVerdict.BLOCK,
    "frozen_content",
    "the content was changed after it was frozen; propose a new directive",
)
"""What stands beside the results of the policies when content was changed behind Remit's back."""


@dataclass(frozen=True)
class PolicyInput:
    """All that the gate sees of a directive; nothing else may bear on the decision.

    Attributes:
        committed: by name of each limit, what this period's directives were promised and have spent
            so far, in dollars like "12.50"; left out: "0.00".
        announced: the tools that workers have announced; empty: none ever was. None: not told, as
            by decisions that were made before it was asked.
    """

    intent: Mapping[str, JsonValue]
    action_digest: str
    committed: Mapping[str, str] = field(default_factory=dict)
    announced: tuple[str, ...] | None = None

    @cached_property
    def budget(self) -> Decimal | str | None:
        """The budget in US dollars; text: why it cannot be read; None: there is none."""
        budget = self.intent.get("budget")
        if budget is None:
            return None
        if not isinstance(budget, str):
            return 'must be text, like "$50.00"'
        try:
            return parse_budget(budget)
        except InvalidInputError as error:
            return error.message


@dataclass(frozen=True)
class PolicyDecision:
    """The gate's answer: what every policy found, in their order, and the most severe verdict."""

    verdict: PolicyVerdict
    results: tuple[PolicyResult, ...]
    policy_version: str
    policy_digest: str

    @property
    def block_reasons(self) -> tuple[str, ...]:
        """Every reason for which the directive is blocked; empty when it is not."""
        return self._reasons(PolicyVerdict.BLOCK)

    @property
    def approval_reasons(self) -> tuple[str, ...]:
        """Every reason for which a person must decide; empty when none need to."""
        return self._reasons(PolicyVerdict.REQUIRE_APPROVAL)

    def _reasons(self, verdict: PolicyVerdict) -> tuple[str, ...]:
        return tuple(result.reason for result in self.results if result.verdict is verdict)


@dataclass(frozen=True)
class ApprovalTerms:
    """What an approval takes."""

    required_approvals: int
    allow_self_approval: bool
    rejection_ends: bool
    approver_groups: tuple[str, ...]


def combine(results: Iterable[PolicyResult]) -> PolicyVerdict:
    """Return the most severe verdict of `results`; BLOCK when there are none."""
    # No result means that nothing was examined, and nothing examined must never mean allowed: an
    # emptied list of policies would otherwise open the gate without a word.
    return max(
        (result.verdict for result in results),
        key=lambda verdict: verdict.severity,
        default=PolicyVerdict.BLOCK,
    )
