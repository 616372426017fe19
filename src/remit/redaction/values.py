r"""Reads the value that begins at a place of a text: within quotes of any escape, or a word.

For `assignments` and `commands`. What repeats in a pattern is possessive or bounded. Pure.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

LONG = 512
"""No reference, no code and no sentence is longer; whatever stands under a name then is masked."""

_OPENING = re.compile(r"(?:[brfuBRFU]{1,2}(?=[\"']))?(?P<escape>\\{0,31}+)(?P<quote>[\"'`])")
_TRIPLE = re.compile(r"[brfuBRFU]{0,2}(?P<quotes>\"{3}|'{3})(?!\")")
_QUOTES = re.compile(r"(?<!\\)(?P<escape>\\*+)(?P<quote>[\"'`\n])")
_BARE = re.compile(
    r"(?:\$\([^()\n]{0,99}\)|\$?\{\{[^{}\n]{0,99}\}\}|\$?\{[^{}\s]{0,99}\}|\[[^\[\]\s]{0,99}\]|\([^()\s]{0,99}\)"
    r"|<[A-Za-z][^<>\n]{0,99}>|<[%?][^<>\n]{0,99}[%?]>|[^\s\"'`\\,;&<(){}\[\]]++|[({\[]|\\(?![\"'])|[\"'`](?!\\*[\s,}\]):;]|\Z)|<(?!/)"
    r"|[,;&](?![A-Za-z_][\w.-]{0,40}+[\"']?[=:]|[\"'\\\s]|\Z)|[)}\]](?![\"'\\,;:)}\]\s]|\Z))++"
)
OBJECT = re.compile(r"\{\s{0,9}\\*[\"']")
_LIST = re.compile(r"\[\s*+[\"'][^\[\]]*+(?=\])")


class Value(NamedTuple):
    """What stands at a place of a text; within quotes it may have spaces in it."""

    start: int
    end: int
    told: str
    quoted: bool


def _between(text: str, start: int, end: int, *, quoted: bool = True) -> Value:
    return Value(start, end, text[start:end], quoted)


def value_at(text: str, at: int) -> Value:
    """Return the value that begins at a place: up to its closing quote, or the word."""
    listed = _LIST.match(text, at)
    if listed:
        return _between(text, at + 1, listed.end())
    triple = _TRIPLE.match(text, at)
    if triple and (end := text.find(triple["quotes"], triple.end())) > 0:
        return _between(text, triple.end(), end)
    opening = _OPENING.match(text, at)
    if opening is None:
        bare = _BARE.match(text, at)
        return _between(text, at, bare.end() if bare else at, quoted=False)
    start, escape, quote = opening.end(), len(opening["escape"]), opening["quote"]
    doubled = -1
    for found in _QUOTES.finditer(text, start):
        many, end = len(found["escape"]), found.start("quote")
        if found["quote"] == "\n":
            return _between(text, start, end, quoted=quote != "`")
        if found["quote"] != quote or end == doubled:
            continue
        if quote == "'" and end > start and text.startswith("''", end):
            doubled = end + 1
        elif many <= escape if escape else many % 2 == 0:
            return _between(text, start, end - (many if escape else 0), quoted=quote != "`")
    return _between(text, start, len(text), quoted=quote != "`")


def values(pattern: re.Pattern[str], text: str) -> Iterator[tuple[re.Match[str], Value]]:
    """Yield what a pattern finds, each with the value after it.

    What is within a long value is not looked at again: that would take time by its square.
    """
    at = 0
    while found := pattern.search(text, at):
        value = value_at(text, found.end())
        yield found, value
        at = value.end if len(value.told) > LONG else found.end()
