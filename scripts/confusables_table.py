"""The text of `src/remit/confusables/lookalikes.py`, from Unicode's own data. Pure.

`scripts/data/confusables.txt.gz` is the file of UTS #39 as Unicode published it, for Unicode
15.0.0, and `scripts/data/LICENSE-UNICODE.txt` its license. The table holds those of its characters
that look like one ASCII character and that no other rule of `remit.confusables` finds: NFKC leaves
them as they are, they are one column wide, and their script is in everyday use (UAX #31, table 5).
What was added or left out by eye stands below, and why.
"""

import gzip
import re
import textwrap
import unicodedata
from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from remit.confusables.characters import LATIN, is_mark, is_of_word, script_of

SOURCE = Path(__file__).with_name("data") / "confusables.txt.gz"

_LINE = re.compile(r"([0-9A-F]+) ;\t([0-9A-F ]+) ;\tMA")
_WIDTH = 100
_VERSION = re.compile(r"^# Version: (\S+)$", re.MULTILINE)

RARE_LETTERS = frozenset(
    map(chr, (0x461, 0x474, 0x475, 0x4BD, 0x4C0, 0x4CF, 0x4E0, 0x501, 0x50C, 0x51B, 0x51C, 0x51D))
) | {"\ua644", "\ua647"}
"""Cyrillic letters of few languages, never shown plainly: as letters of words that may be taken for
Latin ones they would leave hardly a Latin word beyond doubt."""

SIGNS_BY_EYE = (
    "\u00a6\u23d0\u2502\u2503\u2758\u2759\u275a\u23aa\u23ae"  # |
    "\u058a\u05be\u2500\u2501"  # -
    "\u0903\u0a83"  # :
    "\u201e\u2715"  # " and x
)
"""Signs that Unicode likens to something that is not ASCII, or to nothing."""

LETTERS_BY_EYE: Mapping[str, str] = {
    "\u043a": "k",
    "\u03b7": "n",
    "\u03ba": "k",
    "\u03c4": "t",
    "\u03c7": "x",
    "\u03dd": "f",
    "\u0660": "0",
    "\u06f0": "0",
}
"""Letters that Unicode likens to small capitals or to nothing, and zeros that it likens to dots."""

ORDINARY = frozenset("\u05d9\u05f2\u060d\u06be\u06c1\u1cd3")
"""Hebrew yod, Urdu he and signs of Arabic and Sanskrit: to write them out would make ordinary text
of these languages unreadable, and they are smaller, or higher, than what Unicode likens them to."""


def lookalikes_module() -> str:
    """Return the text of the module."""
    source = gzip.decompress(SOURCE.read_bytes()).decode("utf-8")
    always, letters = set(SIGNS_BY_EYE), list[tuple[str, str]]()
    for character, plain in sorted({**_like_ascii(source), **LETTERS_BY_EYE}.items()):
        script = script_of(character) if is_of_word(character) else LATIN
        if script == LATIN or character in RARE_LETTERS:
            always.add(character)
        elif script is not None:
            letters.append((script, f"{ord(character):04x}{plain}"))
    version = _VERSION.search(source)
    lines = [
        textwrap.fill(
            " ".join([script, *(entry for _, entry in group)]),
            _WIDTH,
            subsequent_indent=f"{script} ",
        )
        for script, group in groupby(sorted(letters), key=itemgetter(0))
    ]
    return _MODULE.format(
        version=version[1] if version else "",
        always=textwrap.fill(" ".join(f"{ord(each):04x}" for each in sorted(always)), _WIDTH),
        letters="\n".join(lines),
    )


def _like_ascii(source: str) -> dict[str, str]:
    """Return each character that only the table can find, with those it may be taken for."""
    prototypes = {
        chr(int(found[1], 16)): "".join(chr(int(code, 16)) for code in found[2].split())
        for found in _LINE.finditer(source)
    }
    plain: dict[str, str] = {}
    for character in map(chr, range(0x21, 0x7F)):
        prototype = prototypes.get(character, character)
        plain.setdefault(prototype, prototype if len(prototype) == 1 else character)
    return {
        character: _taken_for(character, plain[prototype])
        for character, prototype in prototypes.items()
        if prototype in plain and character not in ORDINARY and _is_left(character)
    }


def _is_left(character: str) -> bool:
    """Return whether no other rule finds a character."""
    return (
        not character.isascii()
        and character.isprintable()
        and unicodedata.normalize("NFKC", character) == character
        and unicodedata.east_asian_width(character) not in "WF"
        and not is_mark(character)
        and not (is_of_word(character) and script_of(character) is None)
    )


def _taken_for(character: str, plain: str) -> str:
    """Tell apart what has one prototype in Unicode's data: l, I and 1, and O and 0."""
    value = unicodedata.digit(character, None)
    if value == 0:
        return "0oO"
    if plain == "l" and (value == 1 or character.isupper()):
        return "l1" if value == 1 else "Il"
    return plain


_MODULE = '''"""Characters that look like ASCII ones. Data, no rules; `make docs` writes it.

From confusables.txt of UTS #39 for Unicode {version}, Copyright 1991-2022 Unicode, Inc., under the
license at https://www.unicode.org/copyright.html (`scripts/data/LICENSE-UNICODE.txt`), and what
`scripts/confusables_table.py` adds and leaves out. Letters that look alike within ASCII (l and I,
O and 0) are a matter of the terminal's font.
"""

from collections.abc import Mapping

_ALWAYS = """
{always}
"""

# A script, and its letters: each one's code point in four digits, and what it looks like.
_LETTERS = """
{letters}
"""


def _by_script(table: str) -> Mapping[str, Mapping[str, str]]:
    found: dict[str, dict[str, str]] = {{}}
    for line in table.strip().splitlines():
        script, *entries = line.split()
        letters = {{chr(int(entry[:4], 16)): entry[4:] for entry in entries}}
        found.setdefault(script, {{}}).update(letters)
    return found


LIKE_ASCII = frozenset(chr(int(code, 16)) for code in _ALWAYS.split())
"""Characters that no context makes clear: signs, Latin letters, and Cyrillic letters of few
languages, which would leave hardly a Latin word beyond doubt."""

IMITATED = _by_script(_LETTERS)
"""By script, the letters and digits that look like ASCII ones, and which they may be taken for."""
'''
