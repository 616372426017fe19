"""Every row of `docs/plan-map.md` leads to something that exists."""

import importlib
import re
from functools import cache

import pytest

from tests.architecture.tree import ROOT

_ROW = re.compile(r"^\|\s*(?P<name>[^|]+?)\s*\|\s*(?P<home>[^|]+?)\s*\|", re.MULTILINE)
_REFERENCE = re.compile(r"`([^`]+)`")


@cache
def _rows() -> list[tuple[str, str]]:
    """Return (plan name, reference) for each reference of each row; none without the page."""
    page = ROOT / "docs" / "plan-map.md"
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    rows = [(row["name"], row["home"]) for row in _ROW.finditer(text)]
    return [
        (name, reference)
        for name, home in rows
        if name != "Plan name" and set(name) > {"-"}
        for reference in _REFERENCE.findall(home) or [""]
    ]


def _resolve(reference: str) -> object:
    """Return what `package.module:attr.attr` or `path/of/a/file` names; None when nothing."""
    if ":" not in reference:
        path = ROOT / reference
        return path if path.exists() else None
    module, _, dotted = reference.partition(":")
    found: object = importlib.import_module(module)
    for attribute in dotted.split("."):
        found = getattr(found, attribute)
    return found


def test_the_map_has_rows() -> None:
    assert _rows()


@pytest.mark.parametrize(("name", "reference"), _rows(), ids=[" -> ".join(row) for row in _rows()])
def test_a_row_leads_to_something_that_exists(name: str, reference: str) -> None:
    assert reference, f"{name}: the row names no `module:attr` and no `path`"
    assert _resolve(reference) is not None, f"{name}: {reference} does not exist"
