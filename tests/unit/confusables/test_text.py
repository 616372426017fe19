"""What deceives is written out, what is plain stays readable, and a person is told why."""

import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.confusables.characters import described, script_of
from remit.confusables.text import MOST_NOTES, oddities, revealed, revealed_json

ANY_TEXT = st.text(st.characters(exclude_categories=()))
STORABLE_TEXT = st.text(st.characters(codec="utf-8"))

READABLE = (
    "",
    "rm -rf /tmp/cache && echo 'done' # 100 %",
    "naïve café, tiếng Việt, Łódź",
    "У нас есть 3 дня, с утра",  # noqa: RUF001 - Russian
    "запусти deploy через 3 дня",
    "Київ і Львів",  # noqa: RUF001 - Ukrainian
    "Ελληνικά όχι",
    "դա հայերեն է",
    "请删除旧的备份。",
    "日本語のノートとUSB",  # noqa: RUF001 - Japanese
    "한국어 문장",
    "हिन्दी में १०",
    "ภาษาไทย",
    "שלום",
    "العربية",
    "😀 → € 5 — ok",
)
"""Text wholly in one script, or in several that nobody takes for each other."""


@pytest.mark.parametrize("text", READABLE)
def test_a_plain_text_stays_as_it_is(text: str) -> None:
    assert revealed(text) == text


@pytest.mark.parametrize(
    ("text", "shown", "notes"),
    [
        ("\u202ecod", "\\u202ecod", ("holds a right-to-left override (U+202E)",)),
        ("a\u200bb", "a\\u200bb", ("holds a zero width space (U+200B)",)),
        ("a\u00a0b", "a\\u00a0b", ("holds a no-break space (U+00A0)",)),
        ("a\x1b[2K", "a\\u001b[2K", ("holds a control character (U+001B)",)),
        ("a\ue000", "a\\ue000", ("holds a private-use character (U+E000)",)),
        ("a\U000e0fff", "a\\U000e0fff", ("holds an unassigned character (U+E0FFF)",)),
        ("a\ud800", "a\\ud800", ("holds a half of a surrogate pair (U+D800)",)),
        ("a\u2800b", "a\\u2800b", ("holds a braille pattern blank (U+2800)",)),
        (
            "\U0001d41a",
            "\\U0001d41a",
            ("holds a mathematical bold small a (U+1D41A)",),
        ),
        ("\uff41", "\\uff41", ("holds a fullwidth latin small letter a (U+FF41)",)),
        ("\ufb01le", "\\ufb01le", ("holds a latin small ligature fi (U+FB01)",)),
        ("rm \u2013rf", "rm \\u2013rf", ("holds an en dash (U+2013)",)),
        ("adm\u0131n", "adm\\u0131n", ("holds a latin small letter dotless i (U+0131)",)),
        ("\u13aaB", "\\u13aaB", ("holds a cherokee letter go (U+13AA)",)),
        ("cafe\u0301", "cafe\\u0301", ("holds a combining acute accent (U+0301)",)),
        ("\ufe0f", "\\ufe0f", ("holds a variation selector-16 (U+FE0F)",)),
        ("one\ntwo\tthree", "one\\ntwo\\tthree", ()),
        ("a ", "a\\u0020", ("begins or ends with a space",)),
        (" a", "\\u0020a", ("begins or ends with a space",)),
        (" ", "\\u0020", ("begins or ends with a space",)),
        ("a  b", "a\\u0020\\u0020b", ("holds several spaces in a row",)),
        ("C:\\new", "C:\\\\new", ()),
    ],
)
def test_a_character_that_deceives_is_escaped_and_named(
    text: str, shown: str, notes: tuple[str, ...]
) -> None:
    assert (revealed(text), oddities(text)) == (shown, notes)


@pytest.mark.parametrize(
    ("text", "shown", "note"),
    [
        ("payp\u0430l", "payp\\u0430l", "mixes LATIN and CYRILLIC letters"),
        ("\u03bfk", "\\u03bfk", "mixes LATIN and GREEK letters"),
        (
            "\u0441\u043e\u0440",
            "\\u0441\\u043e\\u0440",
            "holds CYRILLIC letters that look like LATIN ones",
        ),
        (
            "run \u0441\u043e\u0440",
            "run \\u0441\\u043e\\u0440",
            "holds CYRILLIC letters that look like LATIN ones",
        ),
        (
            "\u0434\u0430 cop",
            "\u0434\u0430 \\u0063\\u006f\\u0070",
            "holds LATIN letters that look like CYRILLIC ones",
        ),
        (
            "\u0434\u0430 kit \u0441",
            "\u0434\u0430 kit \\u0441",
            "holds CYRILLIC letters that look like LATIN ones",
        ),
        (
            "\u0434\u0430 \u03bb\u03b7 \u0441",
            "\u0434\u0430 \u03bb\u03b7 \\u0441",
            "holds CYRILLIC letters that look like LATIN ones",
        ),
        ("3\u0430\u043c\u043e\u043a", "3\\u0430\\u043c\\u043e\\u043a", None),
        (
            "\u0434\u0430 3\u0430\u043c\u043e\u043a",
            "\u0434\u0430 \\u0033\u0430\u043c\u043e\u043a",
            None,
        ),
        (
            "\u0434\u0430 \u0417",
            "\u0434\u0430 \\u0417",
            "holds CYRILLIC letters that look like LATIN ones",
        ),
    ],
)
def test_a_word_is_taken_at_its_face_only_in_the_script_of_its_text(
    text: str, shown: str, note: str | None
) -> None:
    found = oddities(text)
    assert (revealed(text), len(found)) == (shown, 1)
    assert note in {None, *found}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\u093f", "\\u093f"),
        ("a\u093f", "a\\u093f"),
        (" \u093f", "\\u0020\\u093f"),
        ("!\u093f", "!\\u093f"),
        ("\u09c7\u09be", "\\u09c7\\u09be"),
        ("\u0995\u09c7\u09be", "\u0995\u09c7\\u09be"),
        ("\u0627\u0650\u0653", "\u0627\u0650\\u0653"),
        ("\u0915" + "\u0941" * 6, "\u0915" + "\u0941" * 4 + "\\u0941" * 2),
    ],
)
def test_a_mark_stays_only_with_a_letter_of_its_script_with_which_it_makes_no_other(
    text: str, shown: str
) -> None:
    assert revealed(text) == shown


@pytest.mark.parametrize("text", ["\u05e9\u05dc\u05d5\u05dd", "\u0661\u0662", "\U00010800"])
def test_letters_written_from_right_to_left_are_noted(text: str) -> None:
    assert oddities(text)[0].startswith("holds letters written from right to left (")


def test_a_person_is_given_a_few_notes_and_the_number_of_the_others() -> None:
    text = "".join(map(chr, range(0x2000, 0x200A)))
    notes = oddities(text)
    assert (len(notes), notes[-1]) == (MOST_NOTES + 1, "and 4 more oddities")


def test_every_string_of_a_document_is_revealed_by_itself() -> None:
    document = '{"k\u0435y":["\u0434\u0430 \u0441",1.5,null],"say":"\\u202e\\"\\\\ \u200b"}'
    shown = revealed_json(document)
    assert shown.text == (
        '{"k\\u0435y":["\u0434\u0430 \u0441",1.5,null],"say":"\\u202e\\"\\\\ \\u200b"}'
    )
    assert shown.notes == (
        "mixes LATIN and CYRILLIC letters",
        "holds a right-to-left override (U+202E)",
        "holds a zero width space (U+200B)",
    )


def test_what_was_typed_as_an_escape_is_not_shown_as_the_character_is() -> None:
    typed, meant = json.dumps("\\u202e"), json.dumps("\u202e", ensure_ascii=False)
    assert (revealed_json(typed).text, revealed_json(meant).text) == (r'"\\u202e"', r'"\u202e"')


def read_back(shown: str) -> object:
    """Read what was shown as JSON, its escapes of eight digits included."""

    def pair(match: re.Match[str]) -> str:
        return match[1] + json.dumps(chr(int(match[2], 16)))[1:-1]

    return json.loads(re.sub(r"(?<!\\)((?:\\\\)*)\\U([0-9a-f]{8})", pair, shown))


@given(STORABLE_TEXT)
def test_what_is_shown_can_be_read_back_so_no_two_texts_are_shown_as_one(text: str) -> None:
    shown = revealed_json(json.dumps({text: [text]}, ensure_ascii=False)).text
    assert read_back(shown) == {text: [text]}


@given(ANY_TEXT)
def test_any_text_is_shown_in_printable_characters_that_nfkc_leaves_alone(text: str) -> None:
    for shown in (revealed(text), revealed_json(json.dumps(text, ensure_ascii=False)).text):
        assert shown.isprintable()
        assert unicodedata.normalize("NFKC", shown) == shown
        assert shown == shown.strip()
        assert "  " not in shown
    assert all(note.isprintable() for note in oddities(text))


def test_every_character_is_shown_as_itself_or_as_its_escape() -> None:
    # Nearly all of Unicode but ideographs and Hangul syllables, which are alike and many.
    codes = (*range(0x3400), *range(0xA490, 0xAC00), *range(0xD7A4, 0x11000), 0x1D159, 0xE0001)
    for character in map(chr, codes):
        shown = revealed(character)
        assert shown.isprintable()
        assert shown in {character, "\\\\"} or shown.startswith("\\")


def test_a_script_is_read_from_a_name_and_a_control_has_none() -> None:
    assert described("\x00") == "a control character (U+0000)"
    assert (script_of("\u06f5"), script_of("\u2d30")) == ("ARABIC", None)
