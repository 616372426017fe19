"""A policy is frozen, and its digest changes with everything that it says."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from remit.policy.config import ApprovalPolicy, ApprovalRule, PolicyConfig, parse_policy
from remit.policy.limits import BudgetLimit
from tests.support.policies import whole

HOUR = timedelta(hours=1)
V = 'version = "1"\n'
FULL: dict[str, Any] = {
    "version": "2",
    "budget_ceiling": Decimal(5),
    "budget_limits": (
        BudgetLimit(name="two", ceiling=Decimal(20), period="month"),
        BudgetLimit(name="one", ceiling=Decimal(9), period="day", role="r", at_cap="ask"),
    ),
    "allowed_tools": ("b", "a"),
    "allowed_scopes": ("d", "c"),
    "grant_valid_for": HOUR,
    "approval": ApprovalPolicy(
        required_approvals=2,
        expires_after=HOUR,
        allow_self_approval=True,
        rejection_ends=False,
        approver_groups=("y", "x"),
        rules=(
            ApprovalRule(name="one", scope="c", type="a", amount_over=Decimal("1.5")),
            ApprovalRule(name="two", scope="d", required_approvals=3),
        ),
    ),
}


def _limits_with(**changes: Any) -> tuple[BudgetLimit, ...]:
    """Return the limits of the full policy, one of them changed."""
    first, second = FULL["budget_limits"]
    return first, second.model_copy(update=changes)


def test_the_canonical_form_is_json_that_makes_the_same_policy_again() -> None:
    config = PolicyConfig(**FULL)
    canonical = config.canonical()
    assert canonical == {
        "version": "2",
        "budget_ceiling": "5.00",
        "budget_limits": [
            {"name": "one", "ceiling": "9.00", "period": "day", "role": "r", "at_cap": "ask"},
            {"name": "two", "ceiling": "20.00", "period": "month", "role": None, "at_cap": "block"},
        ],
        "allowed_tools": ["a", "b"],
        "allowed_scopes": ["c", "d"],
        "approval": {
            "required_approvals": 2,
            "expires_after": "3600s",
            "allow_self_approval": True,
            "rejection_ends": False,
            "approver_groups": ["x", "y"],
            "rules": [
                {
                    "name": "one",
                    "scope": "c",
                    "type": "a",
                    "amount_over": "1.50",
                    "required_approvals": None,
                },
                {
                    "name": "two",
                    "scope": "d",
                    "type": None,
                    "amount_over": None,
                    "required_approvals": 3,
                },
            ],
        },
        "grant_valid_for": "3600s",
    }
    again = PolicyConfig.model_validate(json.loads(json.dumps(canonical)))
    assert again == config
    assert again.digest == config.digest


def test_the_order_and_repetition_of_names_do_not_change_the_digest() -> None:
    other = {**FULL, "allowed_tools": ("a", "b", "a"), "allowed_scopes": ("c", "d")}
    assert PolicyConfig(**other).digest == PolicyConfig(**FULL).digest


def test_the_order_of_limits_does_not_change_the_digest() -> None:
    other = {**FULL, "budget_limits": FULL["budget_limits"][::-1]}
    assert PolicyConfig(**other).digest == PolicyConfig(**FULL).digest


def test_the_spelling_of_amounts_and_lengths_does_not_change_the_digest() -> None:
    one, two = (
        parse_policy(
            whole(f'{V}[budget]\nceiling = "{amount}"\n[grant]\nvalid_for = "{length}"'), source="a"
        )
        for amount, length in (("$1,000", "1h"), ("1000.00", "60m"))
    )
    assert one.digest == two.digest
    assert one.digest.startswith("sha256:")


@pytest.mark.parametrize(
    "change",
    [
        {"version": "3"},
        {"budget_ceiling": Decimal("5.01")},
        {"budget_limits": FULL["budget_limits"][:1]},
        {"budget_limits": _limits_with(ceiling=Decimal("9.01"))},
        {"budget_limits": _limits_with(period="week")},
        {"budget_limits": _limits_with(role="q")},
        {"budget_limits": _limits_with(role=None)},
        {"budget_limits": _limits_with(at_cap="block")},
        {"budget_limits": _limits_with(name="won")},
        {"allowed_tools": ("a",)},
        {"allowed_scopes": ("c", "d", "e")},
        {"grant_valid_for": 2 * HOUR},
        {"approval": ApprovalPolicy()},
        {"approval": FULL["approval"].model_copy(update={"required_approvals": 3})},
        {"approval": FULL["approval"].model_copy(update={"rejection_ends": True})},
        {"approval": FULL["approval"].model_copy(update={"rules": FULL["approval"].rules[:1]})},
        {"approval": FULL["approval"].model_copy(update={"rules": FULL["approval"].rules[::-1]})},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_other_change_changes_the_digest(change: dict[str, Any]) -> None:
    assert PolicyConfig(**{**FULL, **change}).digest != PolicyConfig(**FULL).digest


@pytest.mark.parametrize(
    "change",
    [
        {"budget_ceiling": Decimal("NaN")},
        {"budget_ceiling": Decimal("Infinity")},
        {"budget_ceiling": Decimal(-1)},
        {"budget_ceiling": Decimal("0.001")},
        {"budget_ceiling": Decimal("1E+3")},
        {"budget_ceiling": 5},
        {"grant_valid_for": timedelta(0)},
        {"grant_valid_for": timedelta(seconds=-1)},
        {"grant_valid_for": timedelta(seconds=1.5)},
        {"grant_valid_for": timedelta(days=31)},
        {"unknown": 1},
    ],
    ids=repr,
)
def test_a_policy_built_in_python_is_held_to_the_same_rules(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PolicyConfig(**{**FULL, **change})


def test_a_policy_is_frozen_and_its_digest_is_made_once() -> None:
    config = PolicyConfig(**FULL)
    with pytest.raises(ValidationError, match="frozen"):
        config.version = "3"  # type: ignore[misc]
    assert config.digest is config.digest
