"""Of a policy that is accepted, every rule asks about what it names."""

from collections.abc import Sequence

from hypothesis import assume, given
from hypothesis import strategies as st

from remit.errors import InvalidInputError
from remit.policy.config import parse_policy
from remit.policy.engine import decide, matching_rules
from remit.policy.lint import lint
from remit.policy.types import PolicyInput
from remit.vocabulary import PolicyVerdict
from tests.unit.policy.policy_files import file

NAMES = st.sampled_from(
    ["prod", "Prod", "production", "test", "tests", "*", "\u0440rod", "te5t", "eu-1", "eu-2"]
)


@given(
    tools=st.lists(NAMES, max_size=3, unique=True),
    scopes=st.lists(NAMES, max_size=3, unique=True),
    rules=st.lists(st.tuples(st.none() | NAMES, st.none() | NAMES), min_size=1, max_size=3),
)
def test_whatever_a_rule_of_an_accepted_policy_names_it_asks_about(
    tools: Sequence[str],
    scopes: Sequence[str],
    rules: Sequence[tuple[str | None, str | None]],
) -> None:
    inline = [
        ", ".join(
            f'{key} = "{name}"' for key, name in zip(("scope", "type"), rule, strict=True) if name
        )
        for rule in rules
    ]
    assume(all(inline))
    lists = [", ".join(f'"{name}"' for name in each) for each in (tools, scopes)]
    try:
        policy = parse_policy(file(*inline, tools=lists[0], scopes=lists[1]), source="my.toml")
    except InvalidInputError:
        return
    if any("never asks" in doubt for doubt in lint(policy)):
        assert not (tools and scopes)
        return
    for rule in policy.approval.rules:
        for scope in [rule.scope] if rule.scope else scopes:
            for tool in [rule.type] if rule.type else tools:
                seen = PolicyInput({"scope": scope, "type": tool}, "")
                assert rule in matching_rules(seen, policy)
                assert decide(seen, policy).verdict is PolicyVerdict.REQUIRE_APPROVAL
