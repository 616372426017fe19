"""The page writer: it replaces the measured part of docs/performance.md and nothing else."""

from pathlib import Path

import pytest

from bench.page import BEGIN, END, check_page, measured_part, replaced, write_page
from remit.errors import MisconfiguredError
from tests.support.golden import golden
from tests.unit.bench.sample import results

AROUND = f"# Performance\n\nBy hand.\n\n{BEGIN}\nold figures\n{END}\n\nAlso by hand.\n"


def test_only_what_stands_between_the_markers_is_replaced() -> None:
    expected = f"# Performance\n\nBy hand.\n\n{BEGIN}\n\nnew\n\n{END}\n\nAlso by hand.\n"
    assert replaced(AROUND, "new\n") == expected


def test_writing_the_same_figures_again_changes_nothing() -> None:
    once = replaced(AROUND, "new")
    assert replaced(once, "new") == once


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{BEGIN}\n",
        f"{END}\n",
        f"{END}\n{BEGIN}\n",
        f"{BEGIN}\n{END}\n{BEGIN}\n{END}\n",
        f"{END}\n{BEGIN}\n{END}\n",
    ],
)
def test_a_page_without_its_two_markers_is_refused(text: str) -> None:
    with pytest.raises(MisconfiguredError, match="the page needs one line"):
        replaced(text, "new")


def test_the_page_is_rewritten_in_its_file(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(AROUND, encoding="utf-8")
    write_page(results(), page)
    text = page.read_text(encoding="utf-8")
    assert text == replaced(AROUND, measured_part(results()))
    assert "old figures" not in text


def test_a_page_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredError, match="cannot be read"):
        check_page(tmp_path / "performance.md")
    with pytest.raises(MisconfiguredError, match="cannot be read"):
        write_page(results(), tmp_path / "performance.md")


def test_the_measured_part_says_how_much_was_measured_and_on_what() -> None:
    first = measured_part(results()).partition("### Targets\n")
    assert golden("bench", "what was measured, and on what") == "".join(first[:2])


def test_the_page_of_this_repository_can_be_written() -> None:
    check_page()
