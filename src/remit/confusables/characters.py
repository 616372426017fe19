"""What one character is, whatever stands around it. Pure."""

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from remit.confusables.lookalikes import LIKE_ASCII

LATIN = "LATIN"
WIDE = "WIDE"

BLANK = frozenset("\u115f\u17b4\u17b5\u2800\U0001d159\ufffc")
"""Printable, says Unicode; and yet nothing is seen, or only what stands for something else."""

_SCRIPTS = frozenset(
    {
        *("ARABIC", "ARMENIAN", "BENGALI", "CYRILLIC", "DEVANAGARI", "ETHIOPIC", "GEORGIAN"),
        *("GREEK", "GUJARATI", "GURMUKHI", "HEBREW", "KANNADA", "KHMER", "LAO", "LATIN"),
        *("MALAYALAM", "MYANMAR", "ORIYA", "SINHALA", "TAMIL", "TELUGU", "THAANA", "THAI"),
        "TIBETAN",
    }
)
"""Scripts in everyday use (UAX #31, table 5) whose letters are one column wide."""

_NAMELESS: Mapping[str, str] = {
    "Cn": "unassigned character",
    "Co": "private-use character",
    "Cs": "half of a surrogate pair",
}
_SHORT_ESCAPES: Mapping[str, str] = dict(
    zip("\b\f\n\r\t", ("\\b", "\\f", "\\n", "\\r", "\\t"), strict=True)
)
_CACHED = 4096


@lru_cache(_CACHED)
def is_deceptive(character: str) -> bool:
    """Return whether a character must never be shown as it is, wherever it stands.

    That is: it cannot be seen, it is a space other than U+0020, NFKC makes something else of it
    (full-width, mathematical and ligature forms), it looks like an ASCII character, or it is a
    letter of a script outside everyday use.
    """
    if character.isascii():
        return not character.isprintable()
    return (
        not character.isprintable()
        or character in BLANK
        or character in LIKE_ASCII
        or unicodedata.normalize("NFKC", character) != character
        or (is_of_word(character) and script_of(character) is None)
    )


@lru_cache(_CACHED)
def is_of_word(character: str) -> bool:
    """Return whether a character is a letter, a digit or a mark."""
    return unicodedata.category(character)[0] in "LMN"


@lru_cache(_CACHED)
def is_mark(character: str) -> bool:
    """Return whether a character combines with the one before it."""
    return unicodedata.category(character)[0] == "M"


@lru_cache(_CACHED)
def is_right_to_left(character: str) -> bool:
    """Return whether a character is written from right to left and so moves its neighbors."""
    return unicodedata.bidirectional(character) in {"R", "AL", "AN"}


@lru_cache(_CACHED)
def script_of(character: str) -> str | None:
    """Return the script of a letter, digit or mark, in capitals.

    Read from the character's name, which is near enough for the scripts in everyday use. `WIDE` is
    any script whose letters take two columns (Chinese, Japanese, Korean): none of them is taken for
    a Latin letter. None: a script outside everyday use, or a mark of no script, such as an accent.
    """
    if not is_mark(character) and unicodedata.east_asian_width(character) in "WF":
        return WIDE
    if character.isascii():
        return LATIN
    script = (
        unicodedata.name(character, "").removeprefix("EXTENDED ").replace("-", " ").split(" ")[0]
    )
    return script if script in _SCRIPTS else None


def escaped(character: str) -> str:
    r"""Return the escape of a character: ``\n``, ``\u202e``, or ``\U0001d41a``."""
    code = ord(character)
    long = f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"  # noqa: PLR2004 - the last of four digits
    return _SHORT_ESCAPES.get(character, long)


def described(character: str) -> str:
    """Return a character's name for a person: `a right-to-left override (U+202E)`."""
    category = unicodedata.category(character)
    fallback = _NAMELESS.get(category, "control character")
    name = unicodedata.name(character, fallback).lower()
    article = "an" if name[0] in "aeiou" else "a"
    return f"{article} {name} (U+{ord(character):04X})"
