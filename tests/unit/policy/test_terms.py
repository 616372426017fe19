"""What an approval takes: the policy's terms, and more people where a matching rule asks for it."""

from typing import Any

import pytest

from remit.policy.config import ApprovalPolicy, ApprovalRule, PolicyConfig
from remit.policy.engine import approval_terms
from remit.policy.types import ApprovalTerms, PolicyInput

APPROVAL = ApprovalPolicy(
    required_approvals=2,
    allow_self_approval=True,
    rejection_ends=False,
    approver_groups=("sre",),
    rules=(
        ApprovalRule(name="one", scope="test", required_approvals=1),
        ApprovalRule(name="three", type="deploy", required_approvals=3),
        ApprovalRule(name="five", scope="production", type="deploy", required_approvals=5),
        ApprovalRule(name="silent", scope="staging"),
    ),
)


@pytest.mark.parametrize(
    ("intent", "needed"),
    [
        ({}, 2),
        ({"scope": "staging"}, 2),
        ({"scope": "test"}, 2),
        ({"type": "deploy"}, 3),
        ({"scope": "test", "type": "deploy"}, 3),
        ({"scope": "production", "type": "deploy"}, 5),
        ({"scope": "production"}, 2),
    ],
    ids=str,
)
def test_of_several_rules_the_one_that_asks_for_most_people_counts(
    intent: dict[str, Any], needed: int
) -> None:
    assert approval_terms(
        PolicyInput(intent, ""), PolicyConfig(approval=APPROVAL)
    ) == ApprovalTerms(
        required_approvals=needed,
        allow_self_approval=True,
        rejection_ends=False,
        approver_groups=("sre",),
    )


def test_a_rule_never_asks_for_fewer_people_than_the_policy() -> None:
    rule = ApprovalRule(name="lax", scope="test", required_approvals=1)
    strict = ApprovalPolicy(required_approvals=4, rules=(rule,))
    terms = approval_terms(PolicyInput({"scope": "test"}, ""), PolicyConfig(approval=strict))
    assert terms.required_approvals == 4
