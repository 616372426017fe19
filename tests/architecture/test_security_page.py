"""Every test that docs/security.md names is there, and every adversarial file is named."""

import ast
import re
from pathlib import Path

from tests.architecture.tree import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)


def names_in(path: Path) -> set[str]:
    """Return the names of the tests that a file holds."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.name for node in ast.walk(tree) if isinstance(node, kinds)}
    return {name for name in names if name.startswith("test_")}


def test_every_test_that_the_page_names_is_there() -> None:
    assert len(NAMED) > 30
    missing = [
        f"{file}::{name}" if name else file
        for file, name in NAMED
        if not (ROOT / file).is_file() or (name and name not in names_in(ROOT / file))
    ]
    assert missing == []


def test_every_row_of_the_attacks_names_a_test() -> None:
    table = PAGE.split("## Attacks")[1].split("## What is not prevented")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    assert [row for row in rows if "`tests/" not in row] == []


def test_every_file_of_adversarial_tests_is_on_the_page() -> None:
    files = {f"tests/adversarial/{path.name}" for path in ROOT.glob("tests/adversarial/test_*.py")}
    on_page = {file for file, _ in NAMED}
    assert files - on_page == set()
