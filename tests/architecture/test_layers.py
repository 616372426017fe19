"""The layer list is one: the contract, the sources and the architecture page agree."""

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGE, PURE_MODULES, ROOT

THINKERS = ("cognition", "evaluation", "memory")
THINKING_MODULES = {
    "remit.workflows.activities.llm_activities",
    "remit.workflows.llm_worker",
}
"""What serves those who think, in a process of its own."""


def _contracts() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter", encoding="utf-8")
    return parser


def _listed(contract: str, option: str) -> list[str]:
    return _contracts()[f"importlinter:contract:{contract}"][option].split()


def _documented_layers() -> list[str]:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    return re.findall(r"^### `(\w+)`", page, flags=re.MULTILINE)


def test_every_import_contract_is_kept() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_architecture_page_gives_each_layer_one_heading_from_the_lowest_up() -> None:
    assert _documented_layers() == list(reversed(_listed("layers", "layers")))


def test_the_layer_list_names_what_stands_in_the_package_and_nothing_else() -> None:
    present = {
        path.stem
        for path in PACKAGE.iterdir()
        if (path / "__init__.py").exists() or (path.suffix == ".py" and path.stem != "__init__")
    }
    ignored = set(_listed("layers", "exhaustive_ignores"))
    assert present - ignored == set(_listed("layers", "layers"))


@pytest.mark.parametrize("package", THINKERS)
def test_a_package_that_thinks_is_forbidden_to_execution_from_its_first_day(package: str) -> None:
    if (PACKAGE / package).exists():
        forbidden = _listed("execution-must-not-reason", "forbidden_modules")
        assert f"remit.{package}" in forbidden


def test_every_module_of_workflows_that_acts_is_forbidden_to_reach_what_thinks() -> None:
    bound = set(_listed("execution-must-not-reason", "source_modules"))
    package = PACKAGE / "workflows"
    present = {
        "remit." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for path in package.rglob("*.py")
        if path.stem != "__init__"
    }
    assert present - bound == THINKING_MODULES
    assert "remit.execution" in bound


def test_every_pure_module_is_under_the_contract_of_the_rules() -> None:
    sources = _listed("rules-are-pure", "source_modules")
    outside = [
        module
        for module in PURE_MODULES
        if not any(module == source or module.startswith(f"{source}.") for source in sources)
    ]
    assert outside == []


def test_only_the_named_packages_are_free_to_import_temporalio() -> None:
    bound = {source.removeprefix("remit.") for source in _listed("temporal", "source_modules")}
    assert set(_listed("layers", "layers")) - bound == {"stack", "workflows"}
