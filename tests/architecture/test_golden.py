"""Golden files hold nothing that no test reads, and a text that differs by a character fails."""

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.architecture.tree import ROOT, python_files
from tests.support import golden as support
from tests.support.golden import Golden, sections

TEXT = "a i-7\n\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a golden file of this test, which holds one section."""
    monkeypatch.setattr(Golden, "folder", tmp_path)
    monkeypatch.setattr(Golden, "_written", set())
    path = tmp_path / "thing.txt"
    path.write_text("## other\nkept\n")
    return path


def first() -> Golden:
    return Golden("thing", "first", {"id": "i-7"})


def test_tests_read_each_section_of_the_golden_files_and_no_other() -> None:
    read = {
        tuple(ast.literal_eval(argument) for argument in node.args)
        for path in python_files("tests")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "golden"
    }
    kept = {
        (path.stem, section)
        for path in (ROOT / "tests" / "golden").iterdir()
        for section in sections(path)
    }
    assert sorted(kept ^ read) == []


def test_a_section_is_written_when_asked_for_and_then_holds_each_character(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="`## first` is not there"):
        assert first() == TEXT
    with monkeypatch.context() as asked:
        asked.setattr(Golden, "is_updating", True)
        assert first() == TEXT
        assert (first() == "b i-7\n") is False, "who reads a section too must read the same"
    assert file.read_text() == "## other\nkept\n\n## first\na <id>\n\n"
    assert first() == TEXT
    assert [text for text in ("a i-8\n\n", "a i-7\n", "a i-7 \n\n") if first() == text] == []
    with pytest.raises(ValueError, match="`## other` lacks <id>"):
        assert Golden("thing", "other", {"id": "i-7"}) == "kept\n"


def test_a_text_that_differs_is_shown_as_a_unified_diff(file: Path) -> None:
    file.write_text("## first\none\n<id>\n")
    with pytest.raises(AssertionError) as failed:
        assert first() == "one\ni-8 \n"
    assert [line.strip() for line in str(failed.value).splitlines()[-4:]] == [
        *("@@ -1,2 +1,2 @@\\n", "one\\n", "-i-7\\n", "+i-8 \\n")
    ]


@pytest.mark.parametrize("text", ["no end", "a i-7\n## b\n"])
def test_a_text_that_could_not_be_read_back_is_not_written(
    file: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(Golden, "is_updating", True)
    with pytest.raises(ValueError, match="a golden text ends with a line break"):
        assert first() == text
    assert file.read_text() == "## other\nkept\n"


@pytest.mark.parametrize("text", ["a\n## b\nc\n", "## a\nb\n\n## a\nb\n"])
def test_a_file_without_sections_or_with_one_twice_is_refused(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(ValueError, match="each section begins"):
        sections(file)


@pytest.mark.parametrize(("ci", "processes"), [("true", None), ("", 2)])
def test_neither_ci_nor_several_processes_write(
    monkeypatch: pytest.MonkeyPatch, ci: str, processes: int | None
) -> None:
    monkeypatch.setenv("CI", ci)
    options = {"--update-golden": True, "numprocesses": processes}
    config: Any = SimpleNamespace(getoption=lambda name, default=None: options.get(name, default))
    before = Golden.is_updating
    with pytest.raises(pytest.exit.Exception, match=r"^--update-golden: "):
        support.pytest_configure(config)
    assert Golden.is_updating == before
