"""What is printed is safe, aligned and plain in a pipe."""

import json
import sys

import pytest

from remit.cli.base.output import (
    Cell,
    Row,
    aligned,
    json_text,
    rich_table,
    safe,
    write_line,
    write_table,
)

HOSTILE = 'a\x1b[31m\nb\t\u202e\u0007[red]"'


def test_text_is_printed_with_what_cannot_be_seen_as_escapes() -> None:
    assert safe(HOSTILE) == 'a\\x1b[31m\\nb\\t\\u202e\\x07[red]"'


def test_json_is_escaped_too_and_still_says_the_same() -> None:
    value = {"text": HOSTILE + "\x9b é 漢 \U000e0001", "more": [1, None]}
    for indent in (None, 2):
        text = json_text(value, indent=indent)
        assert json.loads(text) == value
        assert all(c.isprintable() or c == "\n" for c in text)
        assert "é 漢" in text


def test_columns_start_at_the_same_place_and_nothing_trails() -> None:
    rows: list[Row] = [
        ("漢字", Cell("b", "red"), "c"),
        ("a", "", ""),
        ("e\u0301t\u0301", "x", "y" * 200),
    ]
    assert aligned(("A", "B", "C"), rows) == [
        "A     B  C",
        "漢字  b  c",
        "a",
        "e\u0301t\u0301    x  " + "y" * 200,
    ]


def test_no_rows_are_no_lines() -> None:
    assert aligned((), []) == []
    assert rich_table((), []).row_count == 0


class Terminal:
    """Standard output as a terminal of a test: it remembers what was written."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        return None


def test_on_a_terminal_there_are_colors_and_markup_is_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    write_line("[red]:smile: ", Cell("done", "green"))
    assert terminal.text == "[red]:smile: \x1b[32mdone\x1b[0m\n"
    write_table(("A",), [(Cell("[b]x[/b]"),)])
    assert "[b]x[/b]" in terminal.text


def test_no_color_is_honored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    write_line(Cell("done", "green"))
    assert terminal.text == "done\n"
