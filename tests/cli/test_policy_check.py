"""What `remit policy check` shows of who is asked, in whatever script names are written."""

from pathlib import Path

from tests.cli.conftest import Remit
from tests.cli.test_catalog import rows
from tests.support.policies import whole

WIDE = """\
version = "1"
budget.ceiling = "$100"
budget.limits = [{name = "a", ceiling = "$40", period = "day", at_cap = "ask"}]
tools.allow = ["echo"]
scopes.allow = ["x \u6771\u4eac y", "\u6771\u4eac\u672c\u793e\u306e\u672c\u756a\u74b0\u5883"]
"""


def test_what_is_written_wide_keeps_the_table_in_line(remit: Remit, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(whole(WIDE), encoding="utf-8")
    shown = remit("policy", "check", str(file)).out
    # Each of these characters takes two columns of the terminal.
    seen = [line.encode("euc_jp").decode("latin-1") for line in rows(shown)]
    [start] = {line.index("echo") for line in seen if "echo" in line}
    assert start == seen[0].index("TOOL") == 18 + len("  ")
    assert any(line.endswith("asks 1 within 1d: limit a") for line in seen)


def test_the_limits_that_ask_a_person_are_told_of_as_the_rules_are(
    remit: Remit, tmp_path: Path
) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(whole(WIDE), encoding="utf-8")
    assert "  a person   limit a\n" in remit("policy", "check", str(file)).out
    asking = WIDE + 'approval.rules = [{name = "b", amount_over = "$5"}]'
    file.write_text(whole(asking), encoding="utf-8")
    assert "  a person   b, limit a\n" in remit("policy", "check", str(file)).out


def test_where_workers_have_announced_their_modules_those_count(
    keeper: Remit, tmp_path: Path
) -> None:
    file = tmp_path / "policy.toml"
    text = 'version = "1"\ntools.allow = ["echo", "validate"]\nscopes.allow = ["test"]\n'
    file.write_text(whole(text))
    shown = keeper("policy", "check", str(file))
    assert rows(shown.out)[1:] == [
        "test   echo      any     runs, nobody is asked",
        "test   validate  any     blocked: tool_unavailable",
    ]
    assert 'no module "validate" among those that the workers announced' in shown.out
