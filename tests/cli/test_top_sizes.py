"""`remit top` on terminals of any size: what waits comes first, and what is left out is counted."""

import re
from uuid import UUID

import pytest

from remit.audit.overview import Running
from remit.cli.base.output import console, rich_table
from remit.cli.commands.top import _screen
from tests.cli.test_top import overview, pending

SIZES = [
    *(("80", "24"), ("40", "10"), ("200", "60"), ("20", "6"), (None, None), ("", "")),
    *(("0", "0"), ("-1", "x"), ("²", "²"), ("99999999", "99999999")),
]


@pytest.mark.parametrize("waits", [0, 1, 10, 37])
@pytest.mark.parametrize(("columns", "lines"), SIZES)
def test_what_waits_comes_first_and_what_is_not_shown_of_it_is_counted(
    monkeypatch: pytest.MonkeyPatch, columns: str | None, lines: str | None, waits: int
) -> None:
    for name, value in (("COLUMNS", columns), ("LINES", lines)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    monkeypatch.setattr("remit.cli.views.cells.on_terminal", lambda: True)
    long = "a-module-of-a-very-long-name-indeed"
    listed = tuple(pending(directive_id=UUID(int=n << 96), type=long) for n in range(waits))[:10]
    runs = tuple(Running(UUID(int=99 << 96), long, "test", 1, 9.0) for _ in range(10))
    shown = overview(approvals=listed, running=runs, pending=waits)
    screen = console()
    width, height = screen.size
    assert 20 <= width <= 1000
    assert 6 <= height <= 1000
    rendered = screen.render_lines(_screen(shown, "Ctrl-C ends", "", height), pad=False)
    seen = ["".join(segment.text for segment in line).rstrip() for line in rendered[:height]]
    assert all(len(line) <= width for line in seen)
    assert seen[2].startswith("WA")
    waiting_for = seen[3 : seen.index("", 3) if "" in seen[3:] else None]
    if not waits:
        assert waiting_for[0].startswith("none")
        return
    ids = [line for line in waiting_for if re.match(r"[0-9a-f]{8}( |$)", line)]
    left_out = [int(line.split()[1]) for line in waiting_for if line.startswith("and ")]
    assert ids
    assert len(ids) + sum(left_out) == waits
    assert len(ids) + len(left_out) == len(waiting_for)
    assert len(ids) == len(listed) or len(waiting_for) == height - 3


@pytest.mark.parametrize("columns", ["20", "40", "60", "80", "100"])
def test_a_table_keeps_its_first_column_whole_and_every_word_on_80_columns(
    monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    row = ("3fa81c22", "alice@example.org", "propose, vote", "dana", *["2026-11-29 09:25:27Z"] * 2)
    table = rich_table(("ID", "PRINCIPAL", "SCOPES", "CREATED BY", "CREATED", "EXPIRES"), [row])
    screen = console()
    lines = screen.render_lines(table, pad=False)
    texts = ["".join(part.text for part in line) for line in lines]
    assert any(re.match(r"3fa81c22( |$)", text) for text in texts)
    if int(columns) >= 80:
        shown = sorted("".join(texts).replace(" ", ""))
        head = "IDPRINCIPALSCOPESCREATEDBYCREATEDEXPIRES"
        assert shown == sorted(head + "".join(row).replace(" ", ""))
