"""A missed coverage gate fails the run, and pytest's own summary stays the last line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, module_path, shown
from tests.support.coverage_gates import PURE

MODULE = "def sign(number):\n    if number < 0:\n        return -1\n    return 1\n"
CONFTEST = """
from tests.support.coverage_gates import CoverageGates, Gate, pytest_runtest_protocol

def pytest_configure(config):
    config.addinivalue_line("markers", "untraced: ...")
    gates = (Gate("the module", ("thing.py",), 100),)
    config.pluginmanager.register(CoverageGates(gates), "gates")
"""
HALF = "from thing import sign\n\ndef test_it():\n    assert sign(1) == 1\n"
UNTRACED = """
import pytest
from thing import sign

@pytest.mark.untraced
def test_that():
    assert sign(-1) == -1
"""


def _run(folder: Path, test: str, *options: str, conftest: str = CONFTEST) -> tuple[int, list[str]]:
    (folder / "thing.py").write_text(MODULE, encoding="utf-8")
    (folder / "conftest.py").write_text(conftest, encoding="utf-8")
    (folder / "test_thing.py").write_text(test, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    # A bare environment: this run's own coverage must not measure that one.
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"}
    run = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return run.returncode, run.stdout.strip().splitlines()


def test_a_missed_gate_fails_the_run_and_is_counted_in_the_last_line(tmp_path: Path) -> None:
    code, lines = _run(tmp_path, HALF, "--cov", "--cov-branch", "--cov-report=")
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "ERROR coverage - the module" in "\n".join(lines)
    assert lines[-1].startswith("1 passed, 1 error in ")


@pytest.mark.parametrize("test", [HALF + UNTRACED, UNTRACED + HALF], ids=["after", "before"])
def test_what_is_not_traced_counts_for_no_gate_and_takes_nothing_from_the_others(
    tmp_path: Path, test: str
) -> None:
    code, lines = _run(tmp_path, test, "--cov", "--cov-branch", "--cov-report=")
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "the module: 66.67 %, at least 100 % needed" in lines
    assert lines[-1].startswith("2 passed, 1 error in ")


@pytest.mark.parametrize(("package", "percent"), [("remit", "66.67"), ("other", "50.00")])
def test_of_what_the_collection_imports_only_remit_is_traced(
    tmp_path: Path, package: str, percent: str
) -> None:
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").touch()
    (tmp_path / package / "thing.py").write_text(MODULE, encoding="utf-8")
    conftest = CONFTEST.replace("pytest_runtest_protocol", "pytest_collection")
    code, lines = _run(
        tmp_path,
        HALF.replace("thing", f"{package}.thing"),
        *("--cov", "--cov-branch", "--cov-report="),
        conftest=conftest.replace("thing.py", f"{package}/thing.py"),
    )
    assert code == pytest.ExitCode.TESTS_FAILED
    assert f"the module: {percent} %, at least 100 % needed" in lines


def test_every_pattern_of_the_pure_rules_matches_a_file() -> None:
    assert [pattern for pattern in PURE if not list(ROOT.glob(pattern))] == []


@pytest.mark.parametrize("module", ["remit.approval.rules", "remit.policy.engine"])
def test_the_pure_rules_are_under_the_gate(module: str) -> None:
    path = shown(module_path(module))
    assert any(Path(path).match(pattern) for pattern in PURE)
