"""The gate is total, deterministic, and denies what it was not told to allow."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.policy.config import ApprovalPolicy, ApprovalRule, PolicyConfig, default_policy
from remit.policy.engine import decide, evaluate_directive
from remit.policy.types import PolicyDecision, PolicyInput, PolicyResult
from remit.vocabulary import PolicyVerdict

ANY_TEXT = st.text(st.characters(exclude_categories=()))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
    max_leaves=10,
)
LIKELY = {
    "type": st.sampled_from(["noop", "echo", "shell", "Echo", "echo "]),
    "scope": st.sampled_from(["test", "staging", "production", "TEST"]),
    "budget": st.sampled_from([None, "$0", "$50.00", "50.01", "100 USD", "$100.01", "-1", "x"]),
}
ALLOW, REQUIRE, BLOCK = (
    PolicyVerdict.ALLOW,
    PolicyVerdict.REQUIRE_APPROVAL,
    PolicyVerdict.BLOCK,
)


def seen(**intent: Any) -> PolicyInput:
    """Return what the gate sees of an intent that the default policy allows, with changes."""
    return PolicyInput({"type": "echo", "scope": "test", "budget": None, **intent}, "sha256:0")


def result_of(policy: str, config: PolicyConfig | None = None, **intent: Any) -> PolicyResult:
    """Return the one result of `policy`."""
    found = evaluate_directive(seen(**intent), config or default_policy())
    (result,) = (result for result in found if result.policy == policy)
    return result


@pytest.mark.parametrize("announced", [None, (), ("echo",), ("noop", "echo")])
def test_a_tool_is_available_unless_workers_have_announced_only_others(
    announced: tuple[str, ...] | None,
) -> None:
    told = replace(seen(), announced=announced)
    assert decide(told, default_policy()) == decide(seen(), default_policy())


def test_an_allowed_tool_that_no_worker_announced_is_blocked_for_that() -> None:
    decision = decide(replace(seen(), announced=("noop", "test")), default_policy())
    assert decision.block_reasons == (
        (
            'no worker has announced the tool "echo": start one that has it, then retry; '
            "announced: noop and test"
        ),
    )


@pytest.mark.parametrize("tool", ["shell", 7, None])
def test_a_tool_that_is_not_allowed_is_blocked_for_that_alone(tool: object) -> None:
    decision = decide(replace(seen(type=tool), announced=("noop",)), default_policy())
    assert len(decision.block_reasons) == 1
    assert "no worker" not in decision.block_reasons[0]


def test_a_modest_directive_is_allowed_by_every_policy_in_their_order() -> None:
    assert evaluate_directive(seen(budget="$5"), default_policy()) == [
        PolicyResult(
            ALLOW, "budget_ceiling", "budget $5.00 is within the ceiling of $100.00"
        ),
        PolicyResult(ALLOW, "tool_allowlist", 'tool "echo" is allowed'),
        PolicyResult(ALLOW, "scope_allowlist", 'scope "test" is allowed'),
        PolicyResult(ALLOW, "human_approval", "no rule asks for a person"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("budget", "verdict", "reason"),
    [
        (None, ALLOW, "no budget: nothing may be spent"),
        ("$0", ALLOW, "budget $0.00 is within the ceiling of $100.00"),
        ("100 USD", ALLOW, "budget $100.00 is within the ceiling of $100.00"),
        ("$100.01", BLOCK, "budget $100.01 is over the ceiling of $100.00"),
        ("$1,234,567.89", BLOCK, "budget $1,234,567.89 is over the ceiling of $100.00"),
        (
            "-5",
            BLOCK,
            (
                'budget: "-5" is not an amount of US dollars: write it like "$50", '
                '"50.00", "100 USD" or "$1,000.00"'
            ),
        ),
        (
            "",
            BLOCK,
            (
                'budget: "" is not an amount of US dollars: write it like "$50", "50.00", '
                '"100 USD" or "$1,000.00"'
            ),
        ),
        (50, BLOCK, 'budget: must be text, like "$50.00"'),
        (0, BLOCK, 'budget: must be text, like "$50.00"'),
        (False, BLOCK, 'budget: must be text, like "$50.00"'),
    ],
    ids=repr,
)
def test_the_ceiling_is_the_most_that_may_be_asked_for(
    budget: Any, verdict: PolicyVerdict, reason: str
) -> None:
    assert result_of("budget_ceiling", budget=budget) == PolicyResult(
        verdict, "budget_ceiling", reason
    )


@pytest.mark.parametrize("tool", ["shell", "Echo", "echo ", " echo", "ech\u043e", "", "echo\0"])
def test_a_tool_must_be_listed_exactly(tool: str) -> None:
    result = result_of("tool_allowlist", type=tool)
    assert result.verdict is BLOCK
    assert result.reason.endswith(" is not allowed; allowed: echo, noop, test and validate")
    assert result.reason.isprintable()


@pytest.mark.parametrize("scope", ["production", "TEST", "test ", "te\u200bst", ""])
def test_a_scope_must_be_listed_exactly(scope: str) -> None:
    result = result_of("scope_allowlist", scope=scope)
    assert result.verdict is BLOCK
    assert result.reason.endswith(" is not allowed; allowed: development, staging and test")


@pytest.mark.parametrize("value", [None, 1, ["echo"], {"echo": 1}, True], ids=repr)
def test_a_tool_or_scope_that_is_no_text_is_blocked(value: Any) -> None:
    assert result_of("tool_allowlist", type=value).reason == "tool: must be text"
    assert result_of("scope_allowlist", scope=value).reason == "scope: must be text"


def test_an_intent_with_nothing_in_it_is_blocked() -> None:
    decision = decide(PolicyInput({}, ""), default_policy())
    assert decision.block_reasons == ("tool: must be text", "scope: must be text")


def test_an_empty_policy_blocks_everything() -> None:
    decision = decide(seen(), PolicyConfig())
    assert decision.verdict is BLOCK
    assert decision.block_reasons == (
        'tool "echo" is not allowed; allowed: none',
        'scope "test" is not allowed; allowed: none',
    )


@pytest.mark.parametrize(
    ("intent", "reasons"),
    [
        ({"scope": "staging"}, ('staging-needs-a-person: scope is "staging"',)),
        ({"budget": "$50.01"}, ("large-spend: budget is over $50.00",)),
        ({"budget": "$50.00"}, ()),
        ({"budget": None}, ()),
        (
            {"scope": "staging", "budget": "$99"},
            (
                'staging-needs-a-person: scope is "staging"',
                "large-spend: budget is over $50.00",
            ),
        ),
    ],
    ids=str,
)
def test_each_matching_rule_asks_for_a_person(
    intent: dict[str, Any], reasons: tuple[str, ...]
) -> None:
    decision = decide(seen(**intent), default_policy())
    assert decision.approval_reasons == reasons
    assert decision.verdict is (REQUIRE if reasons else ALLOW)


@pytest.mark.parametrize(
    ("intent", "asks"),
    [
        ({"scope": "test", "type": "echo", "budget": "$11"}, True),
        ({"scope": "test", "type": "echo", "budget": "$10"}, False),
        ({"scope": "staging", "type": "echo", "budget": "$11"}, False),
        ({"scope": "test", "type": "noop", "budget": "$11"}, False),
        ({"scope": "test", "type": "echo", "budget": None}, False),
        ({"scope": "test", "type": "echo", "budget": "lots"}, False),
        ({"scope": "test", "type": "echo", "budget": 11}, False),
    ],
    ids=str,
)
def test_a_rule_matches_only_when_all_its_criteria_do(intent: dict[str, Any], asks: bool) -> None:  # noqa: FBT001
    rule = ApprovalRule(name="all", scope="test", type="echo", amount_over=Decimal(10))
    config = PolicyConfig(approval=ApprovalPolicy(rules=(rule,)))
    reason = 'all: scope is "test", type is "echo" and budget is over $10.00'
    decision = decide(seen(**intent), config)
    assert decision.approval_reasons == ((reason,) if asks else ())


def test_a_block_stands_above_any_need_for_a_person_and_every_reason_is_kept() -> None:
    decision = decide(seen(type="shell", scope="staging", budget="$150"), default_policy())
    assert decision.verdict is BLOCK
    assert decision.block_reasons == (
        "budget $150.00 is over the ceiling of $100.00",
        'tool "shell" is not allowed; allowed: echo, noop, test and validate',
    )
    assert len(decision.approval_reasons) == 2


def test_a_decision_names_the_policy_that_made_it() -> None:
    config = default_policy()
    decision = decide(seen(), config)
    assert (decision.policy_version, decision.policy_digest) == ("1", config.digest)


SEEN = ("type", "scope", "budget", "timebox")


@given(
    st.dictionaries(ANY_TEXT, ANY_JSON)
    | st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("type", "scope", "budget", "timebox"), ANY_JSON)
    )
)
def test_the_gate_answers_for_any_intent_whatever(intent: dict[str, Any]) -> None:
    policy_input = PolicyInput(intent, "sha256:0")
    found = evaluate_directive(policy_input, default_policy())
    always = {"budget_ceiling", "tool_allowlist", "scope_allowlist", "human_approval"}
    assert {result.policy for result in found} - {"timebox_form"} == always
    assert all(result.reason.isprintable() for result in found)
    assert found == evaluate_directive(policy_input, default_policy())


@given(st.fixed_dictionaries(LIKELY))
def test_only_what_the_policy_lists_is_allowed(intent: dict[str, Any]) -> None:
    decision: PolicyDecision = decide(PolicyInput(intent, "sha256:0"), default_policy())
    listed = intent["type"] in {"noop", "echo"} and intent["scope"] in {"test", "staging"}
    affordable = intent["budget"] in {None, "$0", "$50.00", "50.01", "100 USD"}
    asks = intent["scope"] == "staging" or intent["budget"] in {"50.01", "100 USD"}
    expected = (REQUIRE if asks else ALLOW) if listed and affordable else BLOCK
    assert decision.verdict is expected


@pytest.mark.parametrize("timebox", [None, "5m", "PT5M"])
def test_a_timebox_that_can_be_kept_is_no_matter_for_policy(timebox: str | None) -> None:
    found = evaluate_directive(seen(timebox=timebox), default_policy())
    assert "timebox_form" not in {result.policy for result in found}


@pytest.mark.parametrize(
    ("timebox", "reason"),
    [
        (
            "soon",
            (
                'timebox: "soon" is not a length of time: write it like "30s", "5m", "1h30m", '
                '"1d" or "PT5M"'
            ),
        ),
        (5, 'timebox: must be text, like "5m"'),
    ],
)
def test_a_timebox_that_cannot_be_read_blocks(timebox: object, reason: str) -> None:
    assert result_of("timebox_form", timebox=timebox).verdict is BLOCK
    assert result_of("timebox_form", timebox=timebox).reason == reason
