"""A file that is not all that its author wrote is no policy, wherever it was cut."""

import re
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.errors import InvalidInputError
from remit.policy.config import PolicyConfig, parse_policy
from tests.architecture.tree import ROOT
from tests.support.policies import whole
from tests.unit.policy.policy_files import file
from tests.unit.policy.test_faults import refused

BUILT_IN = files("remit.policy").joinpath("default.toml").read_text(encoding="utf-8")
TOUR = (ROOT / "examples" / "tour-policy.toml").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
WHOLE: dict[str, str] = {
    "built-in": BUILT_IN,
    "of the tour": TOUR,
    "on the page for authors": re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[
        0
    ],
    "dotted": file('scope = "production"', more="[grant]\nvalid_for = '1h'"),
    "with other line ends": TOUR.replace("\n", "\r\n"),
    "in other letters": file('scope = "\u672c\u756a"', scopes='"\u672c\u756a"'),
    "spelt otherwise": file().replace('[end]\nversion = "1"', " [ end ] # e\n\n# v\nversion='1' #"),
    "with a text of several lines": file(tools='"""\\\n[end]\\\n"""') + '[end]\nversion = "1"\n',
    "with a last word": file() + "# End of file.\n\n# Really.\n",
}


def accepted(text: bytes) -> PolicyConfig | None:
    """Return the policy of a file; None when it is refused."""
    try:
        return parse_policy(text.decode("utf-8-sig"), source="my.toml")
    except (InvalidInputError, UnicodeDecodeError):
        return None


@pytest.mark.parametrize("name", WHOLE)
def test_wherever_a_file_is_cut_it_is_refused_unless_all_of_it_is_there(name: str) -> None:
    data = WHOLE[name].encode()
    policy = accepted(data)
    assert policy is not None
    whole_at = len(re.sub(r"(\s|#[^\n]*)*\Z", "", WHOLE[name]).encode())
    for at in range(len(data)):
        found = accepted(data[:at])
        assert found is None if at < whole_at else found in {policy, None}, data[:at][-80:]


@pytest.mark.parametrize("name", WHOLE)
def test_wherever_the_beginning_of_a_file_is_lost_it_is_refused(name: str) -> None:
    data = WHOLE[name].encode()
    first = data.index(b"version = ")
    policy = accepted(data)
    for at in range(0, len(data), 7):
        found = accepted(data[at:])
        assert found is None if at > first else found in {policy, None}, data[at:][:80]


ASKS = file('scope = "test"', 'scope = "production", required_approvals = 2')
OPEN = whole('version = "2"\ntools.allow = ["echo"]\nscopes.allow = ["test"]\n')


def test_the_head_of_one_file_and_the_tail_of_another_are_refused() -> None:
    # So a file stands while it is written over in place, by the same or by more or fewer bytes.
    for new, old in ((ASKS, OPEN), (OPEN, ASKS)):
        whole_ones = {parse_policy(text, source="my.toml") for text in (new, old)}
        for at in range(len(new)):
            found = accepted((new[:at] + old[at:]).encode())
            assert found is None or found in whole_ones


CHUNKS = st.lists(st.sampled_from([*ASKS.splitlines(), *OPEN.splitlines(), "#", ""]), max_size=14)


@given(CHUNKS)
def test_no_lines_are_a_policy_that_does_not_close_and_say_who_asks(lines: list[str]) -> None:
    text = "\n".join(lines)
    if accepted(text.encode()) is not None:
        last = [line for line in lines if line and line != "#"][-2:]
        assert last[0] == "[end]"
        assert last[1] == next(line for line in lines if line.startswith("version"))
        assert any(line.startswith("approval.rules") for line in lines)
        assert any(line.startswith("budget.limits") for line in lines)


LAST = 'end: must come last: end the file with the lines [end] and version = "7"'
TWO = (
    'end.version: is not the version at the top: end with the lines [end] and version = "7", '
    "unless the file is made of two"
)
NO_LISTS = 'version = "7"\n{}\n[end]\nversion = "7"\n'
RULES = "to say that nobody is ever asked, or what was lost"
LIMITS = "to say that directives have no limit together, or what was lost"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'version = "7"\n',
            (
                "3 faults: "
                f"(1) approval.rules: missing: write [approval] and rules = [] {RULES}; "
                f"(2) budget.limits: missing: write [budget] and limits = [] {LIMITS}; "
                '(3) end: missing: end the file with the lines [end] and version = "7", unless it '
                "was cut off"
            ),
        ),
        (
            NO_LISTS.format("[approval]\n[budget]\n"),
            (
                "2 faults: "
                f"(1) approval.rules: missing: write rules = [] under [approval] {RULES}; "
                f"(2) budget.limits: missing: write limits = [] under [budget] {LIMITS}"
            ),
        ),
        *(
            (
                NO_LISTS.format(f"budget.limits = []\n{more}"),
                f"approval.rules: missing: write rules = [] under [approval] {RULES}",
            )
            for more in (
                *("[approval]", "approval.required_approvals = 1"),
                *('approval.approver_groups = ["sre"]', 'approval.expires_after = "1h"'),
                *("approval.allow_self_approval = false", "approval.rejection_ends = true"),
            )
        ),
        (
            'approval.rules = []\nbudget.limits = []\nversion = "7"\nend = "7"\n',
            'end: must be a table: end the file with the lines [end] and version = "7"',
        ),
        (
            whole('version = "7"').replace('[end]\nversion = "7"', "[end]"),
            TWO,
        ),
        (
            whole('version = "7"').replace('[end]\nversion = "7"', '[end]\nversion = "8"'),
            TWO,
        ),
        (
            whole('version = "7"') + "of = 3\n",
            "end.of: unknown key; known here: version",
        ),
        (whole('version = "7"') + "[grant]\n", LAST),
        (whole('version = "7"').replace("[end]", '["end"]'), LAST),
        ('end.version = "7"\n' + whole('version = "7"').partition("[end]")[0], LAST),
    ],
)
def test_what_is_not_there_is_told_with_the_lines_to_write(text: str, message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_policy(text, source="my.toml")
    assert caught.value.message == f"my.toml: {message}"


def test_a_rule_that_comes_after_the_end_is_not_taken_in() -> None:
    rules = ['[[approval.rules]]\nname = "a"\nscope = "b"\n', '[end]\nversion = "7"\n']
    text = 'version = "7"\nbudget.limits = []\n' + "".join(rules)
    assert [one.name for one in parse_policy(text, source="my.toml").approval.rules] == ["a"]
    assert refused(text + rules[0].replace('"a"', '"c"')) == LAST


def test_an_end_within_a_text_is_none() -> None:
    text = whole('version = "7"').replace("[end]\n", '[end]\nnote = """\n[end]\n"""\n')
    with pytest.raises(InvalidInputError, match="end: must come last: end the file with"):
        parse_policy(text, source="my.toml")
