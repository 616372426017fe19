"""A file whose rules, limits or groups would never do what they seem to do is refused."""

import pytest

from remit.errors import InvalidInputError
from remit.policy.config import parse_policy
from tests.support.policies import whole
from tests.unit.policy.policy_files import file

CYRILLIC = "pr\u043eduction"
"""`production` with a Cyrillic o."""


def refused(text: str) -> str:
    """Return why a file is refused."""
    with pytest.raises(InvalidInputError) as caught:
        parse_policy(text, source="my.toml")
    return caught.value.message.removeprefix("my.toml: ")


NEVER = "is not in scopes.allow, so this rule would never ask: did you mean"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (file('scope = "prod"'), f'approval.rules[0].scope: "prod" {NEVER} "production"?'),
        (
            file('scope = "Production"'),
            f'approval.rules[0].scope: "Production" {NEVER} "production"?',
        ),
        (
            file('scope = "produciton"'),
            f'approval.rules[0].scope: "produciton" {NEVER} "production"?',
        ),
        (
            file('scope = "productions"'),
            f'approval.rules[0].scope: "productions" {NEVER} "production"?',
        ),
        (
            file(f'scope = "{CYRILLIC}"'),
            f'approval.rules[0].scope: "pr\\u043eduction" {NEVER} "production"?',
        ),
        (
            file('scope = "\uff54est"'),
            f'approval.rules[0].scope: "\\uff54est" {NEVER} "test"?',
        ),
        (
            file('scope = "elsewhere"'),
            (
                'approval.rules[0].scope: "elsewhere" is not in scopes.allow, so this rule '
                "would never "
                'ask: write one of "production" or "test"'
            ),
        ),
        (
            file('scope = "production"', 'scope = "test", type = "Deploy"'),
            (
                'approval.rules[1].type: "Deploy" is not in tools.allow, so this rule would '
                "never ask: "
                'did you mean "deploy"?'
            ),
        ),
        (
            file('scope = "*"'),
            (
                'approval.rules[0].scope: "*" is not in scopes.allow, so this rule would never '
                "ask: "
                'leave scope out for any scope, or write one of "production" or "test"'
            ),
        ),
        (
            file('type = "dep*"'),
            (
                'approval.rules[0].type: "dep*" is not in tools.allow, so this rule would '
                "never ask: "
                'leave type out for any type, or write one of "deploy" or "echo"'
            ),
        ),
        (
            file('scope = "production "'),
            (
                'approval.rules[0].scope: "production " is not a name: use visible characters, '
                "no space around them"
            ),
        ),
        (
            file(scopes='"*"'),
            'scopes.allow[0]: "*" is no pattern: names are compared exactly; list each scope',
        ),
        (
            file(tools='"echo", "deploy-*"'),
            'tools.allow[1]: "deploy-*" is no pattern: names are compared exactly; list each tool',
        ),
        (
            file(scopes='"production", "Production"'),
            (
                'scopes.allow[1]: "Production" can be taken for "production", and what holds '
                "for one "
                "scope does not for the other: keep one of them"
            ),
        ),
        (
            file(scopes=f'"production", "{CYRILLIC}"'),
            (
                'scopes.allow[1]: "pr\\u043eduction" can be taken for "production", and what '
                "holds for "
                "one scope does not for the other: keep one of them"
            ),
        ),
        (
            file(tools='"pool", "p00l"'),
            (
                'tools.allow[1]: "p00l" can be taken for "pool", and what holds for one tool '
                "does not "
                "for the other: keep one of them"
            ),
        ),
        (
            file(more="approval.approver_groups = []"),
            (
                "approval.approver_groups: is empty, which would let every voter approve: name a "
                "group, or leave it out"
            ),
        ),
        (
            file(more='approval.approver_groups = ["sre", "*"]'),
            (
                'approval.approver_groups[1]: "*" is no pattern: names are compared exactly; '
                "leave approver_groups out for every voter"
            ),
        ),
        (
            file(more="approval.required_approvals = 101"),
            (
                "approval.required_approvals: must be at most 100: more people would be asked "
                "for in "
                "vain"
            ),
        ),
        (
            file(f'scope = "test", required_approvals = {10**12}'),
            (
                "approval.rules[0].required_approvals: must be at most 100: more people would "
                "be asked "
                "for in vain"
            ),
        ),
        (
            file(more='budget.limits = [{name = "a", ceiling = "$9", period = "day", role = "*"}]'),
            (
                'budget.limits[0].role: "*" is no pattern: names are compared exactly; '
                "leave role out for all roles together"
            ),
        ),
        (
            file(
                more='budget.limits = [{name = "a", ceiling = "$9", period = "day", role = "Ops"}, '
                '{name = "b", ceiling = "$9", period = "day", role = "ops"}]'
            ),
            (
                'budget.limits[1].role: "ops" can be taken for "Ops", and what holds for one '
                "role does "
                "not for the other: keep one of them"
            ),
        ),
        (
            file(
                more='budget.limits = [{name = "a", ceiling = "$9", period = "day", '
                'role = "\u043eps"}]'
            ),
            (
                'budget.limits[0].role: "\\u043eps" mixes LATIN and CYRILLIC letters: no directive '
                "that is typed would have this role"
            ),
        ),
        (
            file(more="[[rules]]"),
            (
                "rules: unknown key; did you mean approval.rules? "
                "known here: version, approval, budget, tools, scopes, grant and end"
            ),
        ),
        (
            file(more="[budgets]"),
            (
                "budgets: unknown key; did you mean budget? "
                "known here: version, approval, budget, tools, scopes, grant and end"
            ),
        ),
        (
            file(more="approval.required_approval = 2"),
            (
                "approval.required_approval: unknown key; did you mean required_approvals? "
                "known here: "
                "required_approvals, expires_after, allow_self_approval, rejection_ends, "
                "approver_groups, independent_tokens, redeemed_tokens and rules"
            ),
        ),
        (
            file('scopes = "test"'),
            (
                "approval.rules[0].scopes: unknown key; did you mean scope? known here: name, "
                "scope, "
                "type, amount_over and required_approvals"
            ),
        ),
        (
            file('scope = "test", required_approvals = true'),
            "approval.rules[0].required_approvals: must be a whole number",
        ),
        (
            file('scope = "test", required_approvals = 1.0'),
            "approval.rules[0].required_approvals: must be a whole number",
        ),
        (
            file('scope = ["test"]'),
            "approval.rules[0].scope: must be text",
        ),
        (
            file(more='approval.expires_after = "31d"'),
            'approval.expires_after: "31d" is out of range: use at least 1s and at most 30d',
        ),
        (
            file(more='approval.expires_after = "-1h"'),
            (
                'approval.expires_after: "-1h" is not a length of time: write it like "30s", "5m", '
                '"1h30m", "1d" or "PT5M"'
            ),
        ),
    ],
)
def test_what_would_open_the_gate_is_refused_with_its_key_and_fix(text: str, message: str) -> None:
    assert refused(text) == message


def test_all_faults_of_a_file_are_told_at_once_in_one_order() -> None:
    text = """
        [budget]
        floor = 1
        ceiling = 5
        [tools]
        allow = ["echo", "Echo", 3]
        [scopes]
        allow = ["test"]
        [[approval.rules]]
        name = "a"
        scope = "Test"
        [[approval.rules]]
        type = "shell"
        """
    told = refused(text)
    assert refused(text) == told
    assert told.startswith("10 faults: (1) version: missing: ")
    paths = [each.split(") ")[1].split(": ")[0] for each in told.split("; (")[1:]]
    assert paths == [
        "budget.floor",
        "budget.ceiling",
        "tools.allow[2]",
        "approval.rules[1].name",
        "tools.allow[1]",
        "approval.rules[0].scope",
        "approval.rules[1].type",
        "budget.limits",
        "end",
    ]


def test_of_very_many_faults_the_first_are_told_and_the_others_counted() -> None:
    text = file(scopes=", ".join(["1"] * 60))
    assert refused(text).startswith("60 faults: (1) scopes.allow[0]: must be text; ")
    assert refused(text).endswith("(50) scopes.allow[49]: must be text; and 10 more")


@pytest.mark.parametrize(
    "text",
    [
        file('scope = "production"', 'type = "deploy", amount_over = "$5"'),
        file(scopes='"eu-1", "eu-2", "team a", "team b"'),
        file(tools='"deploy", "\u0434\u043e\u0431\u0440\u044b\u0439"'),
        file(
            more='budget.limits = [{name = "a", ceiling = "$9", period = "day", role = "ops"}, '
            '{name = "b", ceiling = "$9", period = "day", role = "ops"}, '
            '{name = "c", ceiling = "$9", period = "day", role = "sre"}]'
        ),
        # Where nothing is allowed nothing runs, so no rule can fail to ask.
        whole('version = "1"\napproval.rules = [{name = "a", scope = "prod"}]'),
        file(more='approval.approver_groups = ["sre"]\napproval.required_approvals = 100'),
    ],
)
def test_what_does_what_it_says_is_accepted(text: str) -> None:
    assert parse_policy(text, source="my.toml").version == "1"
