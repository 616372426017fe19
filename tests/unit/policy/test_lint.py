"""What an author may not have meant is pointed out, and changes nothing."""

import re

import pytest

from remit.policy.config import default_policy, parse_policy
from remit.policy.lint import lint
from tests.architecture.tree import ROOT
from tests.support.policies import whole


def file(
    more: str, *, tools: str = '"deploy", "echo"', scopes: str = '"production", "test"'
) -> str:
    return whole(
        f'version = "1"\nbudget.ceiling = "$100"\ntools.allow = [{tools}]\n'
        f"scopes.allow = [{scopes}]\n{more}"
    )


def rules(*each: str) -> str:
    """Return rules, each as the text of an inline table without its name."""
    inline = ", ".join(f'{{name = "r{at}", {rule}}}' for at, rule in enumerate(each))
    return f"approval.rules = [{inline}]\n"


def limits(*each: str) -> str:
    """Return limits of a day, or of the period that they give."""
    inline = ", ".join(
        f'{{name = "l{at}", {"" if "period" in one else _A_DAY}{one}}}'
        for at, one in enumerate(each)
    )
    return f"budget.limits = [{inline}]\n"


def of(period: str, dollars: int, more: str = "") -> str:
    """Return a limit as the text of an inline table without its name."""
    return f'period = "{period}", ceiling = "${dollars}"{more}'


def groups(*names: str) -> str:
    listed = ", ".join(f'"{name}"' for name in names)
    return ASKS + f"approval.approver_groups = [{listed}]\n"


def roles(*names: str) -> str:
    return NOBODY + limits(*(f'ceiling = "$9", role = "{name}"' for name in names))


_A_DAY = 'period = "day", '
NOBODY = "approval.rules = []\n"
ASK = ', at_cap = "ask"'
ASKS = rules('scope = "production"')
R0 = 'approval.rules[0] ("r0"): '
R1 = 'approval.rules[1] ("r1"): '


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (file(ASKS), []),
        (file(rules('scope = "production"', 'amount_over = "$50"')), []),
        (file(rules('amount_over = "$50"', 'amount_over = "$90", required_approvals = 2')), []),
        (file(ASKS, scopes='"production", "eu-1", "eu-2", "dev", "des"'), []),
        (file(ASKS, tools=""), ["tools.allow: allows no tool, so every directive is blocked"]),
        (
            whole('version = "1"\napproval.rules = [{name = "r0", scope = "prod", type = "x"}]'),
            [
                "tools.allow: allows no tool, so every directive is blocked",
                "scopes.allow: allows no scope, so every directive is blocked",
                "budget.ceiling: is left out, so no directive with a budget is let through",
                f"{R0}never asks: nothing of its kind is allowed",
            ],
        ),
        (
            file(ASKS, scopes='"production", "staging", "staginf"'),
            ['scopes.allow: "staginf" and "staging" differ in one letter: are both meant?'],
        ),
        (
            file(ASKS, scopes='"production", "staging", "satging"'),
            ['scopes.allow: "satging" and "staging" differ in one letter: are both meant?'],
        ),
        (
            file(ASKS, tools='"tests", "test"'),
            ['tools.allow: "test" and "tests" differ in one letter: are both meant?'],
        ),
        (
            file(ASKS, scopes='"production", "t\u0435st"'),
            ['scopes.allow: "t\\u0435st" mixes LATIN and CYRILLIC letters'],
        ),
        (
            file("approval.required_approvals = 2"),
            ["approval.required_approvals: no rule asks for a person, so nobody is ever asked"],
        ),
        (
            file("approval.required_approvals = 2\n" + limits('ceiling = "$9", at_cap = "ask"')),
            [],
        ),
        (
            file(
                ASKS + "approval.allow_self_approval = true\napproval.rejection_ends = false\n"
                'approval.expires_after = "25h"'
            ),
            [
                (
                    "approval.allow_self_approval: who issues a directive may approve it, and "
                    "so may "
                    "those an agent acts for"
                ),
                "approval.rejection_ends: what one person rejects, others may still approve",
                "approval.expires_after: a request waits longer than the usual 24h",
            ],
        ),
        (
            file(
                "approval.required_approvals = 3\n"
                + rules('scope = "production", required_approvals = 2')
            ),
            [f"{R0}asks for 2, and approval.required_approvals for 3, which counts"],
        ),
        (
            file(rules('amount_over = "$100"')),
            [
                (
                    f"{R0}never asks: a budget over $100.00 is blocked, as no directive may "
                    f"cost more "
                    "than $100.00"
                )
            ],
        ),
        (
            file(rules('amount_over = "$40"') + limits('ceiling = "$30"')),
            [
                (
                    f"{R0}never asks: a budget over $40.00 is blocked, as no directive may "
                    f"cost more "
                    "than $30.00"
                )
            ],
        ),
        (
            file(rules('amount_over = "$40"') + limits('ceiling = "$30", role = "ops"')),
            [],
        ),
        (
            file(rules('scope = "test"', 'scope = "test"')),
            [f'{R1}changes nothing: "r0" asks whenever it would'],
        ),
        (
            file(
                rules(
                    'scope = "test", type = "echo", required_approvals = 2',
                    'type = "echo", required_approvals = 3',
                )
            ),
            [f'{R0}changes nothing: "r1" asks whenever it would'],
        ),
        (
            file(rules('amount_over = "$10"', 'amount_over = "$20", scope = "test"')),
            [f'{R1}changes nothing: "r0" asks whenever it would'],
        ),
        (
            file(
                NOBODY
                + limits('ceiling = "$9"', 'ceiling = "$10"', 'ceiling = "$10", role = "ops"')
            ),
            [
                "budget.limits (l1): never reached: l0 is reached before",
                "budget.limits (l2): never reached: l0 is reached before",
            ],
        ),
        (file(limits('ceiling = "$9", at_cap = "ask"', 'ceiling = "$10"')), []),
        (file(NOBODY + limits('ceiling = "$9", role = "ops"', 'ceiling = "$10"')), []),
        *(
            (file(more), [])
            for more in (
                *(NOBODY, "[approval]\nrules = []", limits('ceiling = "$9"' + ASK)),
                *(NOBODY + limits('ceiling = "$9"'), NOBODY + 'grant.valid_for = "1h"'),
                *(groups("sre", "ops"), groups("eu-1", "eu-2"), roles("eu-1", "eu-2")),
            )
        ),
        (
            file(NOBODY + "approval.required_approvals = 2"),
            ["approval.required_approvals: no rule asks for a person, so nobody is ever asked"],
        ),
        (
            file(NOBODY + 'grant.valid_for = "61m"'),
            ["grant.valid_for: an approved directive waits for its run longer than the usual 1h"],
        ),
        (
            file(groups("operators", "operator")),
            [
                (
                    'approval.approver_groups: "operator" and "operators" differ in one letter: '
                    "are both meant?"
                )
            ],
        ),
        (
            file(groups("\u043eps")),
            ['approval.approver_groups: "\\u043eps" mixes LATIN and CYRILLIC letters'],
        ),
        (
            file(roles("operators", "operatosr")),
            [
                (
                    'budget.limits.role: "operators" and "operatosr" differ in one letter: are '
                    "both meant?"
                )
            ],
        ),
    ],
)
def test_each_doubt_is_told_with_its_key(text: str, expected: list[str]) -> None:
    assert lint(parse_policy(text, source="my.toml")) == expected


def dead(number: int, other: int, how: str = "never reached") -> str:
    return f"budget.limits (l{number}): {how}: l{other} is reached before"


@pytest.mark.parametrize(
    ("each", "expected"),
    [
        ([of("day", 9), of("day", 9)], [dead(1, 0)]),
        ([of("day", 9), of("day", 9, ASK)], [dead(1, 0)]),
        ([of("day", 9, ASK), of("day", 9)], [dead(0, 1)]),
        ([of("day", 9, ASK), of("day", 9, ASK)], [dead(1, 0)]),
        ([of("day", 9, ASK), of("day", 10)], []),
        ([of("day", 9, ', role = "ops"'), of("day", 9)], [dead(0, 1)]),
        ([of("day", 9), of("day", 9, ', role = "ops"')], [dead(1, 0)]),
        ([of("day", 9, ', role = "ops"'), of("day", 9, ', role = "sre"')], []),
        ([of("day", 500), of("month", 200)], [dead(0, 1)]),
        ([of("day", 200), of("month", 200)], [dead(0, 1)]),
        ([of("day", 200), of("month", 201)], []),
        ([of("hour", 200), of("day", 200)], [dead(0, 1)]),
        ([of("hour", 200), of("week", 200)], [dead(0, 1)]),
        ([of("day", 500, ASK), of("month", 200, ASK)], [dead(0, 1)]),
        ([of("day", 500), of("month", 200, ASK)], []),
        ([of("day", 500, ', role = "ops"'), of("month", 200)], [dead(0, 1)]),
        ([of("day", 500), of("month", 200, ', role = "ops"')], []),
        ([of("week", 300), of("month", 200)], [dead(0, 1, "reached only where two months meet")]),
        ([of("day", 10), of("week", 70)], [dead(1, 0)]),
        ([of("day", 10), of("week", 69)], []),
        ([of("day", 10), of("month", 310)], [dead(1, 0)]),
        ([of("week", 10), of("month", 60)], [dead(1, 0)]),
        ([of("week", 10), of("month", 59)], []),
        ([of("hour", 1), of("day", 24)], [dead(1, 0)]),
        ([of("day", 10, ASK), of("week", 70, ASK)], []),
    ],
    ids=str,
)
def test_a_limit_that_another_one_makes_useless_is_told_whatever_they_are_called(
    each: list[str], expected: list[str]
) -> None:
    found = lint(parse_policy(file(NOBODY + limits(*each)), source="my.toml"))
    assert found == expected
    turned = lint(parse_policy(file(NOBODY + limits(*reversed(each))), source="my.toml"))
    names = {} if each[0] == each[1] else str.maketrans("01", "10")
    assert turned == [one.translate(names) for one in expected]


def test_a_tool_without_a_module_is_told_where_it_is_known_which_there_are() -> None:
    assert lint(default_policy()) == []
    assert lint(default_policy(), ["echo", "noop", "test"], "there") == [
        (
            'tools.allow: there is no module "validate" there, and without one its directives are '
            "blocked"
        )
    ]


def test_tools_without_modules_are_told_in_one_line() -> None:
    policy = parse_policy(file(ASKS, tools='"deploy", "echo", "pay"'), source="my.toml")
    assert lint(policy, ["echo"], "there") == [
        (
            'tools.allow: there is no module "deploy" or "pay" there, and without one its '
            "directives are blocked"
        )
    ]


def test_of_the_whole_file_on_the_page_for_authors_there_is_nothing_to_say() -> None:
    page = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    [text] = re.findall(r"^```toml\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    assert lint(parse_policy(text, source="docs/policy.md"), ("echo", "validate")) == []


def test_that_one_hand_may_vote_as_two_people_is_pointed_out() -> None:
    text = file(NOBODY + "approval.independent_tokens = false\n")
    said = "approval.independent_tokens: whoever made two people's tokens may vote as both"
    assert said in lint(parse_policy(text, source="p"))
