"""A terminal that is said to have no columns, or millions."""

import sys

import pytest

from tests.cli.conftest import Remit, Shown


@pytest.mark.parametrize("columns", ["0", "1", "-1", "abc", "", "99999999"])
def test_help_and_tables_can_be_read_whatever_columns_says(
    remit: Remit, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    usual = remit("modules")
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", None)
    assert remit("modules") == usual
    assert "Usage: remit policy" in remit("policy", "--help").out


def test_a_width_for_typer_that_is_no_number_is_named(
    remit: Remit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERMINAL_WIDTH", "abc")
    monkeypatch.delitem(sys.modules, "typer.rich_utils", raising=False)
    monkeypatch.delattr("typer.rich_utils", raising=False)
    line = "remit: TERMINAL_WIDTH: write a whole number\n"
    assert remit("policy", "--help") == Shown(2, "", line)
