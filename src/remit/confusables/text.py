r"""Text in which nothing passes for something else, for the doors that show a voter an action.

A person consents to what is seen. So whatever could be seen as something else is written as an
escape: what is invisible or reorders the line, what NFKC folds, accents that stand apart, spaces
that cannot be counted, words of mixed scripts, and words that pass for those of another script. A
sentence wholly in one script stays readable. Pure.

A backslash is doubled, as JSON does. So the six characters ``\u202e``, when somebody typed them,
are not shown as the one character is.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from remit.confusables.characters import (
    described,
    escaped,
    is_deceptive,
    is_mark,
    is_of_word,
    is_right_to_left,
    script_of,
)
from remit.confusables.words import Finding, find_words

MOST_NOTES = 6
"""How many notes are made of one text: a person reads few."""

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_RUNS = re.compile(r"(?<! ) {2,}")
_PLAIN_CONTROLS = frozenset("\n\t")
_MOST_MARKS = 4


@dataclass(frozen=True, slots=True)
class Revealed:
    """A JSON document with what deceives written as escapes, and its :func:`oddities`."""

    text: str
    notes: tuple[str, ...]


def revealed(text: str) -> str:
    r"""Return `text` with every character that could deceive written as its escape.

    Two texts are never returned as the same, nor as two that look the same. What is returned is
    printable. For JSON see :func:`revealed_json`.
    """
    return _written(text, _findings(text))


def oddities(text: str) -> tuple[str, ...]:
    """Return what a person should know about a text; nothing for nearly all of them.

    Each is the rest of a sentence about the text, like `holds a right-to-left override (U+202E)`.
    There are at most :data:`MOST_NOTES` of them, and one more that counts those left out.
    """
    return _few(_notes(text, _findings(text)))


def revealed_json(document: str) -> Revealed:
    r"""Return a JSON document with each of its strings, keys included, as :func:`revealed`.

    It stays JSON of the same value, but for the escapes of eight digits, which JSON has not.
    """
    notes: list[str] = []

    def reveal(match: re.Match[str]) -> str:
        text: str = json.loads(match[0])
        found = _findings(text)
        notes.extend(_notes(text, found))
        return '"' + _written(text, found).replace('"', '\\"') + '"'

    shown = _STRING.sub(reveal, document)
    return Revealed(shown, _few(notes))


def _written(text: str, findings: Iterable[Finding]) -> str:
    pieces = list(text)
    for finding in findings:
        for at in finding.places:
            pieces[at] = escaped(text[at])
    # An escape is longer than the one backslash that stands for itself.
    return "".join("\\\\" if piece == "\\" else piece for piece in pieces)


def _notes(text: str, findings: Iterable[Finding]) -> list[str]:
    odd = {character for character in set(text) if is_right_to_left(character)}
    scripts = {script_of(character) or "other" for character in odd}
    moved = (
        f"holds letters written from right to left ({script}): they move what stands beside them"
        for script in sorted(scripts)
    )
    # First, as no escape says it: the notes may be too many.
    return [*moved, *(finding.note for finding in findings if finding.note)]


def _few(notes: Iterable[str]) -> tuple[str, ...]:
    each = list(dict.fromkeys(notes))
    more = len(each) - MOST_NOTES
    return (*each[:MOST_NOTES], f"and {more} more oddities") if more > 0 else tuple(each)


def _findings(text: str) -> list[Finding]:
    if text.isascii() and text.isprintable():
        return list(_spaces(text))
    found = [*_characters(text), *_spaces(text)]
    found += _marks(text, {at for finding in found for at in finding.places})
    return [*found, *find_words(text, {at for finding in found for at in finding.places})]


def _characters(text: str) -> Iterator[Finding]:
    odd = {character for character in set(text) if is_deceptive(character)}
    for at, character in enumerate(text) if odd else ():
        if character in odd:
            plain = character in _PLAIN_CONTROLS
            yield Finding((at,), "" if plain else f"holds {described(character)}")


def _spaces(text: str) -> Iterator[Finding]:
    """Yield spaces that cannot be counted by eye, or are lost where a line is broken."""
    # Stripped, not searched: a pattern anchored at the end is quadratic in a row of spaces.
    first, last = len(text) - len(text.lstrip(" ")), len(text.rstrip(" "))
    ends = [*range(first), *range(max(first, last), len(text))]
    if ends:
        yield Finding(ends, "begins or ends with a space")
    for match in _RUNS.finditer(text):
        yield Finding(range(*match.span()), "holds several spaces in a row")


def _marks(text: str, hidden: set[int]) -> Iterator[Finding]:
    """Yield marks that stand apart from their letter, or make another character together with it.

    A mark is at home only behind a letter of its own script, as in Hindi or Thai; an accent that
    belongs to no script has a character that holds both, and looks the same.
    """
    apart = set(hidden)
    marks = {character for character in set(text) if is_mark(character)}
    for at, character in enumerate(text) if marks else ():
        if at not in hidden and character in marks and not _is_at_home(text, at, apart):
            apart.add(at)
            yield Finding((at,), f"holds {described(character)} apart from its letter")


def _is_at_home(text: str, at: int, apart: set[int]) -> bool:
    before = at - 1
    if before < 0 or before in apart or not is_of_word(text[before]):
        return False
    if script_of(text[before]) != script_of(text[at]):
        return False
    if all(map(is_mark, text[max(0, at - _MOST_MARKS) : at])):
        return False
    # From the last character that nothing can be sorted before: NFC looks no further back.
    while before > 0 and unicodedata.combining(text[before]):
        before -= 1
    whole = unicodedata.normalize("NFC", text[before : at + 1])
    return whole == unicodedata.normalize("NFC", text[before:at]) + text[at]
