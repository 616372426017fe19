"""A limit says what directives may spend together; the gate holds it against what is committed."""

from dataclasses import replace
from decimal import Context, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.errors import InvalidInputError
from remit.policy.config import PolicyConfig, parse_policy
from remit.policy.engine import applying_limits, budget_limits, decide
from remit.policy.limits import BudgetLimit
from remit.policy.types import PolicyInput, PolicyResult
from remit.vocabulary import PolicyVerdict
from tests.support.policies import whole

ALLOW, REQUIRE, BLOCK = (
    PolicyVerdict.ALLOW,
    PolicyVerdict.REQUIRE_APPROVAL,
    PolicyVerdict.BLOCK,
)
LARGEST = "999999999999.99"


def limit(**changes: Any) -> BudgetLimit:
    """Return a limit of $100.00 a day for all roles, with changes."""
    fields: dict[str, Any] = {"name": "daily", "ceiling": Decimal(100), "period": "day"}
    return BudgetLimit(**fields | changes)


def config(*limits: BudgetLimit) -> PolicyConfig:
    """Return a policy that allows echo in test up to the largest budget, under limits."""
    return PolicyConfig(
        budget_ceiling=Decimal(LARGEST),
        budget_limits=limits,
        allowed_tools=("echo",),
        allowed_scopes=("test",),
    )


def seen(budget: Any, committed: dict[str, str] | None = None, **intent: Any) -> PolicyInput:
    """Return what the gate sees of an intent with a budget, and what it is told of the accounts."""
    content = {"type": "echo", "scope": "test", "role": "operations", "budget": budget, **intent}
    return PolicyInput(content, "sha256:0", committed or {})


@pytest.mark.parametrize(
    ("period", "told"),
    [("hour", "an hour"), ("day", "a day"), ("week", "a week"), ("month", "a month")],
)
def test_a_limit_is_told_as_a_rate(period: str, told: str) -> None:
    assert limit(period=period).passed == f"limit daily: budget would pass $100.00 {told}"


@pytest.mark.parametrize(
    ("budget", "committed", "verdict", "reason"),
    [
        ("$100", "0.00", ALLOW, "$0.00 committed so far, $100.00 more: within $100.00"),
        ("$40", "60.00", ALLOW, "$60.00 committed so far, $40.00 more: within $100.00"),
        (
            "$40.01",
            "60.00",
            BLOCK,
            "budget would pass $100.00 a day ($60.00 committed so far, $40.01 more)",
        ),
        (
            "$0.01",
            "100.00",
            BLOCK,
            "budget would pass $100.00 a day ($100.00 committed so far, $0.01 more)",
        ),
        ("$0", "100.00", ALLOW, "$100.00 committed so far, $0.00 more: within $100.00"),
        (
            "$1",
            "1234567.89",
            BLOCK,
            "budget would pass $100.00 a day ($1,234,567.89 committed so far, $1.00 more)",
        ),
        ("$1", "", BLOCK, "what is committed so far cannot be read"),
        ("$1", "-5.00", BLOCK, "what is committed so far cannot be read"),
        ("$1", "NaN", BLOCK, "what is committed so far cannot be read"),
        ("$1", "1e3", BLOCK, "what is committed so far cannot be read"),
        ("$1", "5", BLOCK, "what is committed so far cannot be read"),
    ],
)
def test_a_budget_must_fit_beside_what_is_committed(
    budget: str, committed: str, verdict: PolicyVerdict, reason: str
) -> None:
    found = budget_limits(seen(budget, {"daily": committed}), config(limit()))
    assert found == [PolicyResult(verdict, "budget_limits", f"limit daily: {reason}")]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "limit daily: budget would pass $100.00 a day"),
        (
            {"name": "ops", "role": "operations", "period": "week", "ceiling": Decimal("5000.5")},
            'limit ops: budget would pass $5,000.50 a week for role "operations"',
        ),
    ],
)
@pytest.mark.parametrize("committed", ["99999.00", "5000.50"])
def test_a_limit_may_ask_for_a_person_in_words_that_hold_no_moving_sum(
    changes: dict[str, Any], reason: str, committed: str
) -> None:
    asking = limit(at_cap="ask", **changes)
    decision = decide(seen("$1", {asking.name: committed}), config(asking))
    assert decision.verdict is REQUIRE
    assert decision.approval_reasons == (reason,)


def test_a_limit_that_is_not_told_of_has_nothing_committed() -> None:
    [found] = budget_limits(seen("$100", {"other": "50.00"}), config(limit()))
    assert found.verdict is ALLOW


@pytest.mark.parametrize(
    ("role", "budget", "names"),
    [
        ("operations", "$5", ("all", "daily")),
        ("operations", "$0", ("all", "daily")),
        ("Operations", "$5", ("all",)),
        ("research", "$5", ("all",)),
        (None, "$5", ("all",)),
        (["operations"], "$5", ("all",)),
        ("operations", None, ()),
        ("operations", "lots", ()),
        ("operations", 5, ()),
    ],
)
def test_a_limit_applies_to_budgets_of_its_role_or_of_every_role(
    role: Any, budget: Any, names: tuple[str, ...]
) -> None:
    policy = config(limit(role="operations"), limit(name="all"))
    told = seen(budget, role=role)
    applying = applying_limits(told.intent["role"], told.budget, policy)
    assert tuple(one.name for one in applying) == names
    assert len(budget_limits(told, policy)) == len(names)


def test_every_limit_that_is_passed_is_named_and_a_block_stands_above_a_question() -> None:
    policy = config(limit(name="b"), limit(name="a", at_cap="ask"))
    decision = decide(seen("$101"), policy)
    assert decision.verdict is BLOCK
    assert decision.block_reasons == (
        "limit b: budget would pass $100.00 a day ($0.00 committed so far, $101.00 more)",
    )
    assert decision.approval_reasons == ("limit a: budget would pass $100.00 a day",)


def test_the_accounts_of_a_policy_are_told_apart() -> None:
    limits = (limit(), limit(name="a"), limit(name="b", role="a"), limit(name="c", role="a@b"))
    assert [one.account for one in limits] == ["daily", "a", "b@a", "c@a@b"]


cents = st.integers(0, 10**14 - 1)


@given(cents, cents, cents, st.integers(1, 40))
def test_a_cent_decides_whatever_the_precision_of_the_caller(
    committed: int, budget: int, ceiling: int, digits: int
) -> None:
    amounts = [Decimal(f"{n // 100}.{n % 100:02}") for n in (committed, budget, ceiling)]
    policy = config(limit(ceiling=amounts[2]))
    told = seen(str(amounts[1]), {"daily": str(amounts[0])})
    with localcontext(Context(prec=digits)):
        [found] = budget_limits(told, policy)
    assert found.verdict is (ALLOW if committed + budget <= ceiling else BLOCK)


@given(st.text() | st.from_regex(r"-?\d{1,25}\.\d{0,3}"))
def test_the_gate_answers_whatever_is_told_to_be_committed(text: str) -> None:
    told = replace(seen("$5"), committed={"daily": text})
    [found] = budget_limits(told, config(limit()))
    assert found.verdict in {ALLOW, BLOCK}
    assert found.reason.isprintable()


LIMIT = (
    'version = "1"\n[[budget.limits]]\nname = "ok"\nceiling = "$1"\nperiod = "day"\n'
    "[[budget.limits]]\n"
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('ceiling = "$1"\nperiod = "day"', ".limits[1].name: missing: add it"),
        ('name = "a"\nperiod = "day"', ".limits[1].ceiling: missing: add it"),
        ('name = "a"\nceiling = "$1"', ".limits[1].period: missing: add it"),
        (
            'name = "a"\nceiling = 1\nperiod = "day"',
            '.limits[1].ceiling: must be text, like "$100.00"',
        ),
        (
            'name = "a"\nceiling = "$1"\nperiod = "year"',
            '.limits[1].period: must be "hour", "day", "week" or "month"',
        ),
        (
            'name = "a"\nceiling = "$1"\nperiod = "day"\nat_cap = 1',
            '.limits[1].at_cap: must be "block" or "ask"',
        ),
        (
            'name = "a"\nceiling = "$1"\nperiod = "day"\nrole = ""',
            ('.limits[1].role: "" is not a name: use visible characters, no space around them'),
        ),
        (
            'name = "a"\nceiling = "$1"\nperiod = "day"\nscope = "test"',
            (".limits[1].scope: unknown key; known here: name, ceiling, period, role and at_cap"),
        ),
        (
            'name = "ok"\nceiling = "$2"\nperiod = "day"',
            '.limits: two limits are named "ok": give each a name of its own',
        ),
        (
            'name = 1\nceiling = "$2"\nperiod = "day"',
            ".limits[1].name: must be text",
        ),
        (
            'name = "a@b"\nceiling = "$2"\nperiod = "day"',
            (
                '.limits[1].name: "a@b" is not the name of a limit: use at most 100 of a-z, 0-9, '
                '".", "_" and "-", a letter or digit first'
            ),
        ),
    ],
    ids=lambda value: value[-30:],
)
def test_a_fault_of_a_limit_is_named_with_its_key_and_fix(text: str, message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_policy(whole(LIMIT + text), source="my.toml")
    assert caught.value.message == f"my.toml: budget{message}"


@pytest.mark.parametrize("text", ["limits = 1", "limits = [1]"])
def test_limits_must_be_tables_in_a_list(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^my\.toml: budget\.limits(\[0\])?: must be a "):
        parse_policy(whole('version = "1"\n[budget]\n' + text), source="my.toml")
