"""What the gate would say under a policy of each tool and scope that it allows. Pure."""

from dataclasses import dataclass, replace
from decimal import Decimal

from remit.base.json_types import JsonObject
from remit.policy.config import PolicyConfig
from remit.policy.engine import approval_terms, decide, matching_rules
from remit.policy.types import PolicyInput
from remit.vocabulary import PolicyVerdict


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of directives of one kind, as long as no limit has been drawn on.

    Attributes:
        role: their role, where a limit judges it otherwise than others; None: any.
        over: their budget is larger than this, in US dollars; None: they may have none.
        up_to: their budget is at most this.
        required_approvals: how many people must approve; 0 when nobody is asked.
        rules: the rules, and limits, that ask; for a block: why.
    """

    scope: str
    tool: str
    role: str | None
    over: Decimal | None
    up_to: Decimal
    verdict: PolicyVerdict
    required_approvals: int
    rules: tuple[str, ...]


def preview(policy: PolicyConfig, announced: tuple[str, ...] | None = None) -> list[Preview]:
    """Return what would happen for each allowed scope and tool, by role and budget if it differs.

    Budgets over the policy's ceiling are left out: they are blocked everywhere.
    """
    roles = sorted({limit.role for limit in policy.budget_limits if limit.role is not None})
    found: list[Preview] = []
    for scope in policy.allowed_scopes:
        for tool in policy.allowed_tools:
            usual = _merged(policy, scope, tool, None, announced)
            found += usual
            for role in roles:
                other = _merged(policy, scope, tool, role, announced)
                if [replace(one, role=None) for one in other] != usual:
                    found += other
    return found


def _merged(
    policy: PolicyConfig, scope: str, tool: str, role: str | None, announced: tuple[str, ...] | None
) -> list[Preview]:
    """Return the ranges of budgets that differ in what happens, the lowest first."""
    amounts = {rule.amount_over for rule in policy.approval.rules if rule.amount_over is not None}
    amounts |= {limit.ceiling for limit in policy.budget_limits}
    tops = [
        *sorted(each for each in amounts if each < policy.budget_ceiling),
        policy.budget_ceiling,
    ]
    found: list[Preview] = []
    for over, up_to in zip([None, *tops], tops, strict=False):
        # An empty role is no directive's, so no limit names it.
        intent: JsonObject = {
            "scope": scope,
            "type": tool,
            "role": role or "",
            "budget": str(up_to),
        }
        here = Preview(scope, tool, role, over, up_to, *_judged(intent, policy, announced))
        if found and found[-1] == replace(here, over=found[-1].over, up_to=found[-1].up_to):
            found[-1] = replace(found[-1], up_to=up_to)
        else:
            found.append(here)
    return found


def _judged(
    intent: JsonObject, policy: PolicyConfig, announced: tuple[str, ...] | None
) -> tuple[PolicyVerdict, int, tuple[str, ...]]:
    seen = PolicyInput(intent, "", announced=announced)
    decision = decide(seen, policy)
    asks = decision.verdict is PolicyVerdict.REQUIRE_APPROVAL
    rules = [rule.name for rule in matching_rules(seen, policy)] if asks else []
    rules += [
        each.reason.partition(":")[0] if each.policy == "budget_limits" else each.policy
        for each in decision.results
        if each.verdict is decision.verdict
        and decision.verdict is not PolicyVerdict.ALLOW
        and each.policy != "human_approval"
    ]
    needed = approval_terms(seen, policy).required_approvals if asks else 0
    return decision.verdict, needed, tuple(rules)
