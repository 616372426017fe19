"""The house rules hold in every file; the list of exceptions is empty."""

from pathlib import Path

import pytest

from tests.architecture import rules
from tests.architecture.rules import Rule
from tests.architecture.status_rule import one_mutator_a_status
from tests.architecture.tree import (
    CODE_FOLDERS,
    PACKAGE,
    PURE_MODULES,
    module_path,
    parsed,
    python_files,
    shown,
)

SETTINGS = PACKAGE / "settings.py"
MUTATORS = (PACKAGE / "directives" / "mutator.py", PACKAGE / "execution" / "mutator.py")
CODE = python_files(*CODE_FOLDERS)
SOURCES = python_files("src")

HELD: list[tuple[Rule, list[Path]]] = [
    (rules.has_docstring, list(CODE)),
    (rules.short_functions, list(CODE)),
    (rules.is_signpost, [path for path in SOURCES if path.name == "__init__.py"]),
    (rules.no_environment, [path for path in SOURCES if path != SETTINGS]),
    (rules.no_engine_at_import, list(CODE)),
    (rules.no_mutable_global, list(SOURCES)),
    (rules.no_ai_runtime, list(SOURCES)),
    (rules.no_clock, [module_path(module) for module in PURE_MODULES]),
    (one_mutator_a_status, [path for path in SOURCES if path not in MUTATORS]),
]


@pytest.mark.parametrize(("rule", "paths"), HELD, ids=[rule.__name__ for rule, _ in HELD])
def test_the_sources_keep_the_rule(rule: Rule, paths: list[Path]) -> None:
    assert paths, "a rule that reads no file proves nothing"
    broken = [
        f"{shown(path)}:{violation.line}: {violation.message}"
        for path in paths
        for violation in sorted(rule(parsed(path)))
    ]
    assert not broken, "\n".join(broken)


def test_a_file_has_at_most_300_lines() -> None:
    sizes = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}
    assert {name: size for name, size in sizes.items() if size > rules.MAX_FILE_LINES} == {}


@pytest.mark.parametrize("mutator", MUTATORS, ids=shown)
def test_a_mutator_is_where_the_rule_expects_it_and_writes_the_status(mutator: Path) -> None:
    assert list(one_mutator_a_status(parsed(mutator)))


def test_every_package_has_its_signpost() -> None:
    folders = {path.parent for path in SOURCES if "migrations" not in path.parts}
    assert [shown(folder) for folder in folders if not (folder / "__init__.py").exists()] == []
