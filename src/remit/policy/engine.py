"""The gate's rules: pure functions from an intent and a policy to results; none ever raises.

To add a policy, write its function and name it in `POLICIES`.
"""

from collections.abc import Callable
from decimal import Decimal

from pydantic import JsonValue

from remit.base.durations import parse_timebox
from remit.base.wording import listed, quoted
from remit.errors import InvalidInputError
from remit.policy.config import ApprovalRule, PolicyConfig
from remit.policy.limits import BudgetLimit, fits, read_sum
from remit.policy.types import (
    ApprovalTerms,
    PolicyDecision,
    PolicyInput,
    PolicyResult,
    combine,
)
from remit.vocabulary import PolicyVerdict

Policy = Callable[[PolicyInput, PolicyConfig], list[PolicyResult]]
"""What every policy is: it never raises, and may be silent where it has nothing to object to."""


def budget_ceiling(policy_input: PolicyInput, config: PolicyConfig) -> list[PolicyResult]:
    """Block a budget that is over the ceiling or cannot be read; no budget spends nothing."""
    amount, ceiling = policy_input.budget, config.budget_ceiling
    if amount is None:
        return [_allow("budget_ceiling", "no budget: nothing may be spent")]
    if isinstance(amount, str):
        return [_block("budget_ceiling", f"budget: {amount}")]
    if amount > ceiling:
        return [_block("budget_ceiling", f"budget ${amount:,} is over the ceiling of ${ceiling:,}")]
    return [_allow("budget_ceiling", f"budget ${amount:,} is within the ceiling of ${ceiling:,}")]


def budget_limits(policy_input: PolicyInput, config: PolicyConfig) -> list[PolicyResult]:
    """Block a budget that would pass a limit, or ask for a person where the limit says so."""
    amount = policy_input.budget
    if not isinstance(amount, Decimal):
        return []
    return [
        _within(limit, read_sum(policy_input.committed, limit), amount)
        for limit in applying_limits(policy_input.intent.get("role"), amount, config)
    ]


def tool_allowlist(policy_input: PolicyInput, config: PolicyConfig) -> list[PolicyResult]:
    """Block a tool that the policy does not list, exactly as written."""
    tool = policy_input.intent.get("type")
    return [_on_list("tool_allowlist", "tool", tool, config.allowed_tools)]


def tool_unavailable(policy_input: PolicyInput, config: PolicyConfig) -> list[PolicyResult]:
    """Block a tool that is allowed and that no worker has announced: nothing could execute it.

    Where no worker has announced anything yet, an installation is just being set up, and nothing
    is known to be missing; a block, which only a person takes back, would then hit everything.
    """
    tool, announced = policy_input.intent.get("type"), policy_input.announced
    if not announced or tool in announced or tool not in config.allowed_tools:
        return []
    return [
        _block(
            "tool_unavailable",
            f"no worker has announced the tool {quoted(str(tool))}: start one that has it, then "
            f"retry; announced: {listed(announced, 'and')}",
        )
    ]


def scope_allowlist(policy_input: PolicyInput, config: PolicyConfig) -> list[PolicyResult]:
    """Block a scope that the policy does not list, exactly as written."""
    scope = policy_input.intent.get("scope")
    return [_on_list("scope_allowlist", "scope", scope, config.allowed_scopes)]


def timebox_form(policy_input: PolicyInput, config: PolicyConfig) -> list[PolicyResult]:
    """Block a timebox that cannot be read, as one written behind Remit's back may be."""
    del config  # no policy file has a say in how a length of time is written
    timebox = policy_input.intent.get("timebox")
    if timebox is None:
        return []
    if not isinstance(timebox, str):
        return [_block("timebox_form", 'timebox: must be text, like "5m"')]
    try:
        parse_timebox(timebox)
    except InvalidInputError as error:
        return [_block("timebox_form", f"timebox: {error.message}")]
    return []


def human_approval(policy_input: PolicyInput, config: PolicyConfig) -> list[PolicyResult]:
    """Ask for a person once for every rule that matches; allow when none does."""
    matching = matching_rules(policy_input, config)
    if not matching:
        return [_allow("human_approval", "no rule asks for a person")]
    return [
        PolicyResult(PolicyVerdict.REQUIRE_APPROVAL, "human_approval", _reason_of(rule))
        for rule in matching
    ]


POLICIES: tuple[Policy, ...] = (
    budget_ceiling,
    budget_limits,
    tool_allowlist,
    tool_unavailable,
    scope_allowlist,
    timebox_form,
    human_approval,
)
"""Every policy, in the order of the results."""


def evaluate_directive(policy_input: PolicyInput, config: PolicyConfig) -> list[PolicyResult]:
    """Return what every policy says about a directive, in the order of `POLICIES`.

    All are asked even when one blocks: whoever mends the directive learns of every obstacle.
    """
    return [result for policy in POLICIES for result in policy(policy_input, config)]


def decide(policy_input: PolicyInput, config: PolicyConfig) -> PolicyDecision:
    """Return the gate's decision: the results, and the most restrictive verdict among them."""
    results = tuple(evaluate_directive(policy_input, config))
    return PolicyDecision(combine(results), results, config.version, config.digest)


def applying_limits(
    role: JsonValue, budget: Decimal | str | None, config: PolicyConfig
) -> tuple[BudgetLimit, ...]:
    """Return the limits by which the gate judges an intent, in the order of their names.

    There are none without a budget, or with one that cannot be read, which the ceiling blocks.
    """
    if not isinstance(budget, Decimal):
        return ()
    return tuple(one for one in config.budget_limits if one.role is None or one.role == role)


def matching_rules(policy_input: PolicyInput, config: PolicyConfig) -> tuple[ApprovalRule, ...]:
    """Return the rules by which a person must decide about an intent, in the policy's order."""
    return tuple(rule for rule in config.approval.rules if _matches(rule, policy_input))


def approval_terms(policy_input: PolicyInput, config: PolicyConfig) -> ApprovalTerms:
    """Return what an approval of an intent takes: of several rules the one that asks for most."""
    approval = config.approval
    wanted = [rule.required_approvals or 0 for rule in matching_rules(policy_input, config)]
    return ApprovalTerms(
        required_approvals=max([approval.required_approvals, *wanted]),
        allow_self_approval=approval.allow_self_approval,
        rejection_ends=approval.rejection_ends,
        approver_groups=approval.approver_groups,
    )


def _allow(policy: str, reason: str) -> PolicyResult:
    return PolicyResult(PolicyVerdict.ALLOW, policy, reason)


def _block(policy: str, reason: str) -> PolicyResult:
    return PolicyResult(PolicyVerdict.BLOCK, policy, reason)


def _on_list(policy: str, noun: str, value: JsonValue, allowed: tuple[str, ...]) -> PolicyResult:
    if not isinstance(value, str):
        return _block(policy, f"{noun}: must be text")
    if value not in allowed:
        return _block(
            policy, f"{noun} {quoted(value)} is not allowed; allowed: {listed(allowed, 'and')}"
        )
    return _allow(policy, f"{noun} {quoted(value)} is allowed")


def _matches(rule: ApprovalRule, policy_input: PolicyInput) -> bool:
    intent, amount = policy_input.intent, policy_input.budget
    return (
        (rule.scope is None or rule.scope == intent.get("scope"))
        and (rule.type is None or rule.type == intent.get("type"))
        # A budget that cannot be read exceeds nothing: the ceiling blocks it, above any approval.
        and (
            rule.amount_over is None or (isinstance(amount, Decimal) and amount > rule.amount_over)
        )
    )


def _within(limit: BudgetLimit, committed: Decimal | None, amount: Decimal) -> PolicyResult:
    policy = "budget_limits"
    if committed is None:
        return _block(policy, f"limit {limit.name}: what is committed so far cannot be read")
    sums = f"${committed:,} committed so far, ${amount:,} more"
    if fits(limit, committed, amount):
        return _allow(policy, f"limit {limit.name}: {sums}: within ${limit.ceiling:,}")
    if limit.at_cap == "ask":
        return PolicyResult(PolicyVerdict.REQUIRE_APPROVAL, policy, limit.passed)
    return _block(policy, f"{limit.passed} ({sums})")


def _reason_of(rule: ApprovalRule) -> str:
    criteria = [
        f"scope is {quoted(rule.scope)}" if rule.scope is not None else "",
        f"type is {quoted(rule.type)}" if rule.type is not None else "",
        f"budget is over ${rule.amount_over:,}" if rule.amount_over is not None else "",
    ]
    return f"{rule.name}: {listed(filter(None, criteria), 'and')}"
