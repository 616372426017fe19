"""What an author of a policy may not have meant. Pure.

Nothing is refused for it: `validation` refuses what would let something through unasked.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from remit.base.wording import listed, quoted
from remit.confusables.text import oddities, revealed
from remit.policy.config import ApprovalRule, PolicyConfig, default_policy
from remit.policy.limits import BudgetLimit

_SHORTEST_NAME = 4
"""Shorter names than this may well differ in one letter."""

_MOST_PERIODS: Mapping[tuple[str, str], int] = {
    ("day", "hour"): 24,
    ("week", "hour"): 7 * 24,
    ("week", "day"): 7,
    ("month", "hour"): 31 * 24,
    ("month", "day"): 31,
    ("month", "week"): 6,
}
"""In how many of the shorter periods a longer one may lie."""


def lint(policy: PolicyConfig, modules: Sequence[str] | None = None, where: str = "") -> list[str]:
    """Return what its author should look at again, each with the key path; empty: nothing."""
    tools, scopes = policy.allowed_tools, policy.allowed_scopes
    roles = sorted({limit.role for limit in policy.budget_limits if limit.role is not None})
    missing = [quoted(tool) for tool in tools if modules is not None and tool not in modules]
    return [
        *_of_lists(policy),
        *_of_names("tools.allow", tools),
        *_of_names("scopes.allow", scopes),
        *_of_names("budget.limits.role", roles),
        *_of_names("approval.approver_groups", policy.approval.approver_groups),
        *(
            f"tools.allow: there is no module {each} {where}, and without one its directives are "
            "blocked"
            for each in [listed(missing)]
            if missing
        ),
        *_of_approval(policy),
        *_of_rules(policy),
        *_of_limits(policy.budget_limits),
    ]


def _of_lists(policy: PolicyConfig) -> Iterator[str]:
    if not policy.allowed_tools:
        yield "tools.allow: allows no tool, so every directive is blocked"
    if not policy.allowed_scopes:
        yield "scopes.allow: allows no scope, so every directive is blocked"
    if "budget_ceiling" not in policy.model_fields_set:
        yield "budget.ceiling: is left out, so no directive with a budget is let through"


def _of_names(path: str, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        for note in oddities(name)[:1]:
            yield f"{path}: {quoted(revealed(name))} {note}"
    for one, other in combinations(names, 2):
        if _is_slip(one, other):
            yield f"{path}: {quoted(one)} and {quoted(other)} differ in one letter: are both meant?"


def _is_slip(one: str, other: str) -> bool:
    """Return whether names differ in one letter, or in two that changed places; digits may."""
    if max(len(one), len(other)) < _SHORTEST_NAME:
        return False
    for _ in range(2):
        while one and other and one[-1] == other[-1]:
            one, other = one[:-1], other[:-1]
        one, other = one[::-1], other[::-1]
    swapped = len(one) == len("ab") and one == other[::-1]
    return (swapped or max(len(one), len(other)) == 1) and not any(map(str.isdigit, one + other))


def _of_approval(policy: PolicyConfig) -> Iterator[str]:
    approval, usual = policy.approval, default_policy().approval
    if approval.required_approvals > 1 and not _asks(policy):
        yield "approval.required_approvals: no rule asks for a person, so nobody is ever asked"
    if approval.allow_self_approval:
        yield (
            "approval.allow_self_approval: who issues a directive may approve it, and so may those "
            "an agent acts for"
        )
    if not approval.independent_tokens:
        yield "approval.independent_tokens: whoever made two people's tokens may vote as both"
    if not approval.rejection_ends:
        yield "approval.rejection_ends: what one person rejects, others may still approve"
    if approval.expires_after > usual.expires_after:
        yield "approval.expires_after: a request waits longer than the usual 24h"
    if policy.grant_valid_for > default_policy().grant_valid_for:
        yield "grant.valid_for: an approved directive waits for its run longer than the usual 1h"


def _asks(policy: PolicyConfig) -> bool:
    return bool(policy.approval.rules) or any(one.at_cap == "ask" for one in policy.budget_limits)


def _of_rules(policy: PolicyConfig) -> Iterator[str]:
    approval, rules = policy.approval, policy.approval.rules
    most = min(
        [
            policy.budget_ceiling,
            *(
                limit.ceiling
                for limit in policy.budget_limits
                if limit.role is None and limit.at_cap == "block"
            ),
        ]
    )
    for at, rule in enumerate(rules):
        path = f"approval.rules[{at}] ({quoted(rule.name)})"
        needed = rule.required_approvals
        if needed is not None and needed < approval.required_approvals:
            yield (
                f"{path}: asks for {needed}, and approval.required_approvals for "
                f"{approval.required_approvals}, which counts"
            )
        if rule.amount_over is not None and rule.amount_over >= most:
            yield (
                f"{path}: never asks: a budget over ${rule.amount_over:,} is blocked, as no "
                f"directive may cost more than ${most:,}"
            )
        if _names_what_is_not_allowed(rule, policy):
            yield f"{path}: never asks: nothing of its kind is allowed"
        for other in (*rules[:at], *rules[at + 1 :]):
            if _is_covered(rule, other, policy) and not (
                _is_covered(other, rule, policy) and rules.index(other) > at
            ):
                yield f"{path}: changes nothing: {quoted(other.name)} asks whenever it would"
                break


def _names_what_is_not_allowed(rule: ApprovalRule, policy: PolicyConfig) -> bool:
    return (rule.scope is not None and rule.scope not in policy.allowed_scopes) or (
        rule.type is not None and rule.type not in policy.allowed_tools
    )


def _is_covered(rule: ApprovalRule, other: ApprovalRule, policy: PolicyConfig) -> bool:
    """Return whether another rule matches whenever a rule does, and asks for as many people."""
    usual = policy.approval.required_approvals
    return (
        other.scope in {None, rule.scope}
        and other.type in {None, rule.type}
        and (
            other.amount_over is None
            or (rule.amount_over is not None and rule.amount_over >= other.amount_over)
        )
        and max(other.required_approvals or 0, usual) >= max(rule.required_approvals or 0, usual)
    )


def _of_limits(limits: Sequence[BudgetLimit]) -> Iterator[str]:
    """Yield limits that are never reached, as another one always is before."""
    for limit in limits:
        for other in limits:
            if _holds_before(other, limit) and not (
                _holds_before(limit, other) and other.name >= limit.name
            ):
                seldom = (limit.period, other.period) == ("week", "month")
                how = "reached only where two months meet" if seldom else "never reached"
                yield f"budget.limits ({limit.name}): {how}: {other.name} is reached before"
                break


def _holds_before(other: BudgetLimit, limit: BudgetLimit) -> bool:
    """Return whether a limit is reached whenever another one would be, and holds back as much."""
    times = _MOST_PERIODS.get((limit.period, other.period), 1)
    # What a person lets pass in one period adds up to any sum in several.
    holds = ("block",) if times > 1 else ("block", limit.at_cap)
    return (
        other.role in {None, limit.role}
        and other.at_cap in holds
        and other.ceiling * times <= limit.ceiling
    )
