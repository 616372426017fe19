"""Words that are not what they seem: they mix scripts, or pass for a word of another script. Pure.

A text has one **home** script, in which words are taken at their face. It is Latin, unless every
word that is beyond doubt is of one other script: a Russian sentence is at home in Cyrillic. So of
two words that look alike, one in Latin and one in Cyrillic letters, never both are shown plainly,
whichever of them the text is full of.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from unicodedata import normalize

from remit.confusables.characters import BLANK, LATIN, WIDE, is_of_word, script_of
from remit.confusables.lookalikes import IMITATED, LIKE_ASCII


@dataclass(frozen=True, slots=True)
class Finding:
    """Positions of a text to escape, and what to tell a person; "" where the escape says enough."""

    places: Sequence[int]
    note: str


@dataclass(frozen=True, slots=True)
class _Word:
    """Letters, digits and marks without a gap.

    `scripts` has the script of each character; None for an ASCII digit that belongs to any.
    """

    start: int
    text: str
    scripts: tuple[str | None, ...]

    @property
    def mixes(self) -> set[str]:
        return {script for script in self.scripts if script}

    @property
    def script(self) -> str | None:
        # None when it mixes several, or has digits only.
        return next(iter(self.mixes)) if len(self.mixes) == 1 else None


def find_words(text: str, hidden: AbstractSet[int]) -> Iterator[Finding]:
    """Yield what is wrong with the words of a text; positions that are hidden already part them."""
    words = list(_words(text, hidden))
    home = _home(words)
    for word in words:
        foreign = [at for at, script in enumerate(word.scripts) if script not in {None, home}]
        if len(word.mixes) > 1:
            places = [word.start + at for at in foreign]
            yield Finding(places, f"mixes {_listed(word.mixes)} letters")
        elif word.script and _passes(word, home):
            places = list(range(word.start, word.start + len(word.text)))
            other = LATIN if word.script != LATIN else home
            yield Finding(places, f"holds {word.script} letters that look like {other} ones")


def look_alike(one: str, other: str) -> bool:
    """Return whether two names are taken for each other: apart from case, or to the eye.

    Unlike elsewhere in this package, what looks alike within ASCII counts (l, I and 1; O and 0).
    """
    seen, others = _as_seen(one), _as_seen(other)
    if seen.casefold() == others.casefold():
        return True
    if len(seen) != len(others):
        return False
    pairs = [*zip(seen, others, strict=True)]
    return all(a.casefold() == b.casefold() or _may_be(a, b) for a, b in pairs) or all(
        _in_ascii(a) == _in_ascii(b) or _may_be(a, b) for a, b in pairs
    )


@lru_cache(1024)
def _as_seen(name: str) -> str:
    """Return a name without what nobody sees, its letters as the ASCII ones that they imitate."""
    plain = (c for c in normalize("NFKC", name) if c not in BLANK and not c.isspace())
    return "".join(IMITATED.get(script_of(c) or "", {}).get(c, c)[0] for c in plain)


def _may_be(one: str, other: str) -> bool:
    """Return whether one is a sign or letter that looks like some ASCII character, as the other."""
    return any(
        a in LIKE_ASCII and (b.isascii() or b in LIKE_ASCII)
        for a, b in ((one, other), (other, one))
    )


def _in_ascii(character: str) -> str:
    return {"I": "l", "1": "l", "|": "l", "0": "o", "O": "o"}.get(character, character)


def _words(text: str, hidden: AbstractSet[int]) -> Iterator[_Word]:
    # Wide characters belong to no word, and part others.

    def belongs(at: int) -> bool:
        return at not in hidden and is_of_word(text[at]) and script_of(text[at]) != WIDE

    for found, group in groupby(range(len(text)), belongs):
        if found:
            places = list(group)
            word = text[places[0] : places[-1] + 1]
            yield _Word(places[0], word, _scripts(word))


def _scripts(word: str) -> tuple[str | None, ...]:
    """Return the script of each character.

    An ASCII digit is Latin only beside letters of a script that has a letter like it: in a Cyrillic
    word a 3 may pass for the letter ze.
    """
    others = {script_of(c) or "" for c in word if not _is_digit(c)} - {LATIN}
    imitated = _imitated(others)
    return tuple(
        None if _is_digit(character) and character not in imitated else script_of(character)
        for character in word
    )


def _home(words: Sequence[_Word]) -> str:
    """Return the script in which a text's words are taken at their face."""
    clear = {
        word.script
        for word in words
        if word.script and word.script != LATIN and not _imitates(word)
    }
    if len(clear) != 1:
        return LATIN
    imitated = _imitated(clear)
    latin = (word for word in words if word.script == LATIN)
    return LATIN if any(set(word.text) - imitated for word in latin) else next(iter(clear))


def _passes(word: _Word, home: str) -> bool:
    """Return whether a word of one script may be taken for one of another."""
    if word.script == LATIN:
        return home != LATIN and not set(word.text) - _imitated({home})
    if word.script == home:
        # A number has no script: it is as plain in a Russian sentence as anywhere.
        table = IMITATED.get(home, {})
        return all(any(map(_is_digit, table.get(character, ""))) for character in word.text)
    return _imitates(word)


def _imitates(word: _Word) -> bool:
    table = IMITATED.get(word.script or "", {})
    return all(character in table or _is_digit(character) for character in word.text)


def _imitated(scripts: AbstractSet[str | None]) -> set[str]:
    tables = (IMITATED.get(script or "", {}) for script in scripts)
    return {character for table in tables for targets in table.values() for character in targets}


def _is_digit(character: str) -> bool:
    return character.isascii() and character.isdigit()


def _listed(scripts: AbstractSet[str]) -> str:
    # The reader's own script first.
    return " and ".join(sorted(scripts, key=lambda script: (script != LATIN, script)))
