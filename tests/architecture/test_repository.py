"""The repository as a stranger receives it: clean, current, and free of any one machine."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.generate_docs import env_example
from tests.architecture.tree import ROOT, kept_files, shown, text_of

# Written in pieces, so that this file does not hold what it looks for.
_MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|work|Users)/" + r"\w")
_MERGE_MARKER = re.compile(r"^(?:<{7} |={7}$|>{7} )", re.MULTILINE)
_UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _files_with(pattern: re.Pattern[str]) -> list[str]:
    texts = ((path, text_of(path)) for path in kept_files())
    return [shown(path) for path, text in texts if text and pattern.search(text)]


def test_no_file_names_a_path_of_one_machine() -> None:
    assert _files_with(_MACHINE_PATH) == []


def test_no_file_names_this_checkout() -> None:
    assert _files_with(re.compile(re.escape(f"{ROOT}/") + "|" + re.escape(f"{Path.home()}/"))) == []


def test_no_file_holds_a_merge_marker() -> None:
    assert _files_with(_MERGE_MARKER) == []


def test_no_file_is_marked_as_unfinished() -> None:
    assert _files_with(_UNFINISHED) == []


def test_no_file_is_kept_from_what_git_ignores() -> None:
    command = ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == ""


def test_the_example_of_the_environment_equals_the_settings() -> None:
    assert _read(".env.example") == env_example()


def test_the_generated_documents_are_current() -> None:
    command = [sys.executable, "-m", "scripts.generate_docs", "--check"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_the_readme_names_the_command(command: str) -> None:
    assert command in _read("README.md")


def test_the_changelog_has_a_place_for_what_is_not_released() -> None:
    assert re.search(r"^## \[Unreleased\]$", _read("CHANGELOG.md"), re.MULTILINE)


def test_the_page_for_claude_points_to_the_page_for_agents() -> None:
    assert "AGENTS.md" in _read("CLAUDE.md")


def test_make_help_names_every_target_that_the_guide_names() -> None:
    run = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    named = set(re.findall(r"`make (\w+)`", _read("CONTRIBUTING.md")))
    assert named - set(re.findall(r"^  make (\w+)", run.stdout, re.MULTILINE)) == set()
