"""Verdicts have one order, and nothing examined is never allowed."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.policy.types import PolicyDecision, PolicyResult, combine
from remit.vocabulary import PolicyVerdict

ALLOW, REQUIRE, BLOCK = (
    PolicyVerdict.ALLOW,
    PolicyVerdict.REQUIRE_APPROVAL,
    PolicyVerdict.BLOCK,
)


def results(*verdicts: PolicyVerdict) -> list[PolicyResult]:
    """Return one result for each verdict."""
    return [PolicyResult(verdict, "policy", f"because {verdict}") for verdict in verdicts]


def test_the_order_of_severity_covers_every_verdict() -> None:
    assert sorted(PolicyVerdict, key=lambda verdict: verdict.severity) == [ALLOW, REQUIRE, BLOCK]


def test_no_result_at_all_blocks() -> None:
    assert combine([]) is BLOCK


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((ALLOW,), ALLOW),
        ((ALLOW, ALLOW), ALLOW),
        ((ALLOW, REQUIRE), REQUIRE),
        ((ALLOW, REQUIRE, BLOCK), BLOCK),
        ((REQUIRE, REQUIRE, BLOCK), BLOCK),
    ],
)
def test_the_most_restrictive_verdict_wins_in_any_order(
    verdicts: tuple[PolicyVerdict, ...], expected: PolicyVerdict
) -> None:
    for order in permutations(verdicts):
        assert combine(results(*order)) is expected


@given(st.lists(st.sampled_from(PolicyVerdict), min_size=1), st.sampled_from(PolicyVerdict))
def test_another_result_never_loosens_the_verdict(
    verdicts: list[PolicyVerdict], more: PolicyVerdict
) -> None:
    before = combine(results(*verdicts))
    assert combine(results(*verdicts, more)).severity >= before.severity


def test_a_decision_parts_its_reasons() -> None:
    found = (
        PolicyResult(BLOCK, "budget_ceiling", "too much"),
        PolicyResult(ALLOW, "tool_allowlist", "fine"),
        PolicyResult(BLOCK, "scope_allowlist", "not there"),
        PolicyResult(REQUIRE, "human_approval", "ask"),
    )
    decision = PolicyDecision(BLOCK, found, "1", "sha256:0")
    assert decision.block_reasons == ("too much", "not there")
    assert decision.approval_reasons == ("ask",)
    assert PolicyDecision(ALLOW, (), "1", "sha256:0").block_reasons == ()
