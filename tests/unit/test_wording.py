"""Messages that repeat a caller's text stay short, visible and on one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.base.wording import counted, import_hint, listed, one_line, printable, quoted

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("echo", 10, '"echo"'),
        ("", 10, '""'),
        ("a\nb\x00", 10, '"a\\nb\\x00"'),
        ("\u202ecod\ud800", 10, '"\\u202ecod\\ud800"'),
        ("grün", 10, '"grün"'),
        ("0123456789", 10, '"0123456789"'),
        ("0123456789x", 10, '"0123456789..."'),
    ],
)
def test_a_quotation_is_short_and_visible(text: str, limit: int, expected: str) -> None:
    assert quoted(text, limit) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "none"),
        (["a"], "a"),
        (["a", "b"], "a or b"),
        (["a", "b", "c"], "a, b or c"),
    ],
)
def test_a_list_reads_as_a_sentence(words: list[str], expected: str) -> None:
    assert listed(words) == expected


@pytest.mark.parametrize(("number", "told"), [(0, "0 votes"), (1, "1 vote"), (2, "2 votes")])
def test_what_is_counted_is_one_or_several(number: int, told: str) -> None:
    assert counted(number, "vote") == told


@pytest.mark.parametrize(
    ("missing", "reference", "told"),
    [
        ("greet", "greet:GreetModule", True),
        ("team", "team.greet:GreetModule", True),
        ("numpy", "greet:GreetModule", False),
        ("greet.words", "greet:GreetModule", False),
        ("gre", "greet:GreetModule", False),
        (None, "greet:GreetModule", False),
    ],
)
def test_pythonpath_is_named_where_the_very_module_is_missing(
    missing: str | None, reference: str, *, told: bool
) -> None:
    error = ModuleNotFoundError("no module", name=missing)
    assert import_hint(error, reference) == (" (is its folder in PYTHONPATH?)" if told else "")
    assert import_hint(ImportError("no name", name=missing), reference) == ""


def test_a_list_takes_another_conjunction() -> None:
    assert listed(["a", "b"], "and") == "a and b"


def test_one_line_joins_what_was_on_several() -> None:
    assert one_line(" a\n\n b\tc\x07 ") == "a b c\\x07"


@given(ANY_TEXT)
def test_any_text_becomes_printable_and_fits_in_utf_8(text: str) -> None:
    for shown in (printable(text, 20), one_line(text, 20), quoted(text, 20)):
        assert shown.isprintable()
        assert shown.encode("utf-8")[:1] or not text.strip()
