"""Rows are read where one that cannot be read ends nothing else: by `remit.telemetry.rows`."""

import re

import pytest

from tests.architecture.tree import PACKAGE

BUILT = re.compile(r"\b\w+\((?:\*\*)?row\._mapping")
"""A value that is built from a row with no look at whether the row can be read."""

WITH_A_LOOK = ("read_row(row._mapping", "dict(row._mapping")
"""What takes a row as it is; columns that become a dict were made readable by the statement."""


def trusting(text: str) -> list[str]:
    """Return the places of a source that build values from rows on trust."""
    found = (each[0] for each in BUILT.finditer(text))
    return [one for one in found if one not in WITH_A_LOOK]


def test_no_repository_builds_a_value_from_a_row_on_trust() -> None:
    found = {
        str(path.relative_to(PACKAGE)): places
        for path in sorted(PACKAGE.rglob("*.py"))
        if (places := trusting(path.read_text(encoding="utf-8"))) and path.name != "rows.py"
    }
    assert found == {}


@pytest.mark.parametrize(
    "slip",
    [
        "[Vote(**row._mapping) for row in rows]",
        "return _token(row._mapping)",
        "DirectiveRead.from_row(row._mapping)",
    ],
)
def test_a_slip_is_seen(slip: str) -> None:
    assert trusting(slip)


@pytest.mark.parametrize(
    "fine",
    ['read_row(row._mapping, _vote, "approval_votes")', 'read_rows(rows, _vote, "approval_votes")'],
)
def test_what_is_read_row_by_row_is_fine(fine: str) -> None:
    assert trusting(fine) == []
