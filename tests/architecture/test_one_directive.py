"""`docs/architecture.md` follows one directive by function names; the code does the same."""

import ast
import re
from itertools import pairwise

import pytest

from tests.architecture.tree import ROOT, module_path, parsed

SECTION = "## One directive, followed by function names"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
TEXT = PAGE.partition(SECTION)[2].partition("\n## ")[0]
WAYS = [
    re.findall(r"^\d+\. `remit\.([\w.]+)`", part, re.MULTILINE)
    for part in re.split(r"^(?=1\. )", TEXT, flags=re.MULTILINE)[1:]
]
STEPS = [step for way in WAYS for step in pairwise(way)]


def function(name: str) -> ast.AST:
    """Return the definition of a function, or of a method of a class, by its qualified name."""
    path = name.split(".")
    at = next(n for n in range(len(path), 0, -1) if module_path(_module(path[:n])).is_file())
    found: ast.AST = parsed(module_path(_module(path[:at])))
    for part in path[at:]:
        found = next(
            node
            for node in ast.iter_child_nodes(found)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and node.name == part
        )
    return found


def _module(path: list[str]) -> str:
    return ".".join(["remit", *path])


def test_each_way_to_the_rows_has_at_most_eight_calls() -> None:
    assert [way[0].rpartition(".")[2] for way in WAYS] == [
        "propose",
        "execute_directive",
        "carry_out",
    ]
    assert {way[-1] for way in WAYS} == {"db.batch.execute_batch"}
    assert max(map(len, WAYS)) <= 8


@pytest.mark.parametrize(("caller", "called"), STEPS)
def test_each_function_calls_the_next(caller: str, called: str) -> None:
    names = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(function(caller))
        if isinstance(node, ast.Attribute | ast.Name)
    }
    assert isinstance(function(called), ast.FunctionDef)
    assert called.rpartition(".")[2] in names
