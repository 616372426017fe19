"""What would happen is what the gate says, for each scope, tool, role and range of budgets."""

from decimal import Decimal

from remit.policy.config import PolicyConfig, default_policy
from remit.policy.preview import Preview, preview
from remit.vocabulary import PolicyVerdict

ALLOW, ASK, BLOCK = PolicyVerdict.ALLOW, PolicyVerdict.REQUIRE_APPROVAL, PolicyVerdict.BLOCK
NOTHING = (None, Decimal("100.00"), ALLOW, 0, ())


def outline(one: Preview) -> tuple[object, ...]:
    return one.over, one.up_to, one.verdict, one.required_approvals, one.rules


def policy(**changes: object) -> PolicyConfig:
    """Return a policy of one tool and one scope."""
    fields = {"allowed_tools": ["echo"], "allowed_scopes": ["test"], "budget_ceiling": "$100"}
    return PolicyConfig.model_validate(fields | changes)


def test_each_allowed_scope_and_tool_has_its_prospects() -> None:
    found = preview(default_policy())
    kinds = {(one.scope, one.tool) for one in found}
    assert len(kinds) == 3 * 4
    of_staging = [outline(one) for one in found if (one.scope, one.tool) == ("staging", "echo")]
    assert of_staging == [
        (None, Decimal("50.00"), ASK, 1, ("staging-needs-a-person",)),
        (Decimal("50.00"), Decimal("100.00"), ASK, 1, ("staging-needs-a-person", "large-spend")),
    ]


def test_a_policy_that_allows_nothing_has_none() -> None:
    assert preview(PolicyConfig()) == []


def test_budgets_that_are_treated_alike_are_one_range() -> None:
    rules = [
        {"name": "a", "scope": "test", "amount_over": "$10", "required_approvals": 2},
        {"name": "b", "type": "shell", "amount_over": "$20"},
        {"name": "c", "amount_over": "$500"},
    ]
    assert [outline(one) for one in preview(policy(approval={"rules": rules}))] == [
        (None, Decimal("10.00"), ALLOW, 0, ()),
        (Decimal("10.00"), Decimal("100.00"), ASK, 2, ("a",)),
    ]


def test_a_tool_that_no_worker_has_is_blocked() -> None:
    [one] = preview(policy(), ("noop",))
    assert outline(one) == (None, Decimal("100.00"), BLOCK, 0, ("tool_unavailable",))
    assert [outline(one) for one in preview(policy(), ("echo",))] == [NOTHING]


def test_a_role_is_told_apart_where_a_limit_judges_it_otherwise() -> None:
    limits = [
        {"name": "all", "ceiling": "$90", "period": "day", "at_cap": "ask"},
        {"name": "ops", "ceiling": "$40", "period": "day", "role": "ops"},
        {"name": "wide", "ceiling": "$100", "period": "day", "role": "wide"},
    ]
    found = preview(policy(budget_limits=limits))
    assert [(one.role, *outline(one)) for one in found] == [
        (None, None, Decimal("90.00"), ALLOW, 0, ()),
        (None, Decimal("90.00"), Decimal("100.00"), ASK, 1, ("limit all",)),
        ("ops", None, Decimal("40.00"), ALLOW, 0, ()),
        ("ops", Decimal("40.00"), Decimal("100.00"), BLOCK, 0, ("limit ops",)),
    ]
