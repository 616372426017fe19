"""A policy is read whole, or refused in one line that names file, key and fix."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.errors import InvalidInputError
from remit.policy.config import (
    ApprovalPolicy,
    ApprovalRule,
    PolicyConfig,
    default_policy,
    load_policy,
    parse_policy,
)
from remit.policy.limits import BudgetLimit
from tests.support.policies import whole

HOUR = timedelta(hours=1)


def refused(text: str, source: str = "my.toml") -> str:
    """Return why `text` is refused."""
    with pytest.raises(InvalidInputError) as caught:
        parse_policy(whole(text), source=source)
    assert caught.value.field is None
    return caught.value.message


def test_the_default_policy_is_the_documented_one() -> None:
    assert default_policy() == PolicyConfig(
        version="1",
        budget_ceiling=Decimal(100),
        allowed_tools=("noop", "echo", "validate", "test"),
        allowed_scopes=("test", "development", "staging"),
        approval=ApprovalPolicy(
            required_approvals=1,
            expires_after=24 * HOUR,
            allow_self_approval=False,
            approver_groups=(),
            independent_tokens=True,
            rules=(
                ApprovalRule(name="staging-needs-a-person", scope="staging"),
                ApprovalRule(name="large-spend", amount_over=Decimal(50)),
            ),
        ),
        grant_valid_for=HOUR,
    )


def test_a_policy_built_with_nothing_lists_nothing() -> None:
    config = PolicyConfig()
    assert (config.allowed_tools, config.allowed_scopes) == ((), ())
    assert config.budget_ceiling == 0
    assert not config.approval.allow_self_approval


def test_a_file_that_gives_only_what_every_file_must_is_the_empty_policy() -> None:
    text = """
        version = "7"
        approval.rules = []
        budget.limits = []
        [end]
        version = "7"
        """
    config = parse_policy(text, source="my.toml")
    assert config == PolicyConfig(version="7", approval=ApprovalPolicy(independent_tokens=True))


EVERY_KEY = """
version = "2"
budget.ceiling = "1,000 USD"
budget.limits = [
    {name = "all", ceiling = "$9,000", period = "month"},
    {name = "daily", ceiling = "$500", period = "day", role = "ops", at_cap = "ask"},
]
tools.allow = ["deploy"]
scopes.allow = ["production"]
grant.valid_for = "PT90S"
[approval]
required_approvals = 2
expires_after = "1h30m"
allow_self_approval = true
approver_groups = ["sre"]
independent_tokens = false
redeemed_tokens = true
rules = [{name = "r", scope = "production", type = "deploy", amount_over = "$1"}]
[end]
version = "2"
"""


def test_every_key_of_a_file_is_read() -> None:
    config = parse_policy(EVERY_KEY, source="my.toml")
    rule = ApprovalRule(name="r", scope="production", type="deploy", amount_over=Decimal(1))
    assert config == PolicyConfig(
        version="2",
        budget_ceiling=Decimal(1000),
        budget_limits=(
            BudgetLimit(name="all", ceiling=Decimal(9000), period="month", at_cap="block"),
            BudgetLimit(name="daily", ceiling=Decimal(500), period="day", role="ops", at_cap="ask"),
        ),
        allowed_tools=("deploy",),
        allowed_scopes=("production",),
        approval=ApprovalPolicy(
            required_approvals=2,
            expires_after=timedelta(minutes=90),
            allow_self_approval=True,
            approver_groups=("sre",),
            independent_tokens=False,
            redeemed_tokens=True,
            rules=(rule,),
        ),
        grant_valid_for=timedelta(seconds=90),
    )


UNKNOWN = "unknown key; known here: version, approval, budget, tools, scopes, grant and end"
V = 'version = "1"\n'
RULE = V + '[[approval.rules]]\nname = "ok"\nscope = "a"\n[[approval.rules]]\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'version: missing: add a line like version = "1"'),
        ("version = 1", "version: must be text"),
        (
            'version = ""',
            ('version: "" is not a name: use visible characters, no space around them'),
        ),
        (
            V + 'color = "red"',
            f"color: {UNKNOWN}",
        ),
        (
            V + '"a\\nb" = 1',
            f"a\\nb: {UNKNOWN}",
        ),
        (V + "[budget]\nfloor = 1", "budget.floor: unknown key; known here: ceiling and limits"),
        (V + "[tools]\ndeny = []", "tools.deny: unknown key; known here: allow"),
        (V + 'budget = "$5"', "budget: must be a table: write [budget]"),
        (V + "tools = []", "tools: must be a table: write [tools]"),
        (V + "[budget]\nceiling = 100", 'budget.ceiling: must be text, like "$100.00"'),
        (V + "[budget]\nceiling = 0.1", 'budget.ceiling: must be text, like "$100.00"'),
        (
            V + '[budget]\nceiling = "-1"',
            (
                'budget.ceiling: "-1" is not an amount of US dollars: '
                'write it like "$50", "50.00", "100 USD" or "$1,000.00"'
            ),
        ),
        (V + '[tools]\nallow = "echo"', 'tools.allow: must be a list, like ["echo"]'),
        (V + "[tools]\nallow = [1]", "tools.allow[0]: must be text"),
        (
            V + '[scopes]\nallow = ["a", ""]',
            ('scopes.allow[1]: "" is not a name: use visible characters, no space around them'),
        ),
        (
            V + '[scopes]\nallow = ["a "]',
            ('scopes.allow[0]: "a " is not a name: use visible characters, no space around them'),
        ),
        (
            V + '[tools]\nallow = ["a\\u200b"]',
            (
                'tools.allow[0]: "a\\u200b" is not a name: use '
                "visible characters, no space around them"
            ),
        ),
        (V + "approval = 1", "approval: must be a table"),
        (
            V + "[approval]\nquorum = 1",
            (
                "approval.quorum: unknown key; known here: "
                "required_approvals, expires_after, allow_self_approval, rejection_ends, "
                "approver_groups, independent_tokens, redeemed_tokens and rules"
            ),
        ),
        (
            V + "[approval]\nrequired_approvals = 0",
            (
                "approval.required_approvals: must be at least "
                "1: with no approval needed, nobody would be "
                "asked"
            ),
        ),
        (
            V + '[approval]\nrequired_approvals = "2"',
            ("approval.required_approvals: must be a whole number"),
        ),
        (
            V + "[approval]\nallow_self_approval = 1",
            ("approval.allow_self_approval: must be true or false"),
        ),
        (V + "[approval]\nexpires_after = 24", 'approval.expires_after: must be text, like "24h"'),
        (
            V + '[approval]\nexpires_after = "never"',
            (
                'approval.expires_after: "never" is not a '
                "length of time: write it like "
                '"30s", "5m", "1h30m", "1d" or "PT5M"'
            ),
        ),
        (
            V + '[grant]\nvalid_for = "0s"',
            ('grant.valid_for: "0s" is out of range: use at least 1s and at most 30d'),
        ),
        (V + "[approval]\nrules = 1", 'approval.rules: must be a list, like ["echo"]'),
        (V + "[approval]\nrules = [1]", "approval.rules[0]: must be a table"),
        (
            RULE + 'name = "b"',
            ("approval.rules[1]: gives no criterion: add scope, type or amount_over"),
        ),
        (RULE + 'scope = "b"', "approval.rules[1].name: missing: add it"),
        (
            RULE + 'name = "ok"\nscope = "b"',
            ('approval.rules: two rules are named "ok": give each a name of its own'),
        ),
        (
            RULE + 'name = "b"\nrole = "x"',
            (
                "approval.rules[1].role: unknown key; "
                "known here: name, scope, type, amount_over and required_approvals"
            ),
        ),
        (
            RULE + 'name = "b"\namount_over = "x"',
            (
                'approval.rules[1].amount_over: "x" is not an '
                "amount of US dollars: write it like "
                '"$50", "50.00", "100 USD" or "$1,000.00"'
            ),
        ),
        (V + "n = " + "9" * 5000, "not TOML: holds a number that is too large"),
        (V + "n = " + "[" * 100_000, "not a policy: nested too deeply"),
    ],
    ids=lambda value: value[-40:],
)
def test_a_fault_is_named_with_file_key_and_fix(text: str, message: str) -> None:
    assert refused(text) == f"my.toml: {message}"


def test_bad_toml_is_refused_with_its_line() -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_policy(V + "[budget\n", source="my.toml")
    message = caught.value.message
    assert message.startswith("my.toml: not TOML: ")
    assert "line 2" in message


def test_a_file_is_read_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(whole('version = "3" # gr\u00fcn'), encoding="utf-8")
    assert load_policy(path).version == "3"
    path.write_text(whole("version = 3"), encoding="utf-8")
    with pytest.raises(InvalidInputError) as caught:
        load_policy(path)
    assert caught.value.message == f"{path}: version: must be text"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    with pytest.raises(InvalidInputError) as caught:
        load_policy(missing)
    assert caught.value.message == (
        f"{missing}: cannot be read (No such file or directory): name a policy file"
    )
    with pytest.raises(InvalidInputError) as caught:
        load_policy(tmp_path)
    assert (
        caught.value.message == f"{tmp_path}: cannot be read (Is a directory): name a policy file"
    )


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInputError) as caught:
        load_policy(path)
    assert caught.value.message == f"{path}: is not text: save it as UTF-8"


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.from_regex(r"version = .*\n.*"))
def test_any_text_is_a_policy_or_refused_in_one_line(text: str) -> None:
    problem = "my.toml: "
    try:
        parse_policy(text, source="my.toml")
    except InvalidInputError as error:
        problem = str(error)
    assert problem.startswith("my.toml: ")
    assert problem.isprintable()
