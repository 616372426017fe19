"""Texts that look alike to a voter are shown apart: the text shown is the text that runs.

Every pair here is two texts that differ, and that an eye takes for one another. `_seen` is a crude
eye, made without the code that it tests: it drops what is invisible, folds what looks alike and
does not count spaces. Shown plainly, both texts of a pair are the same to it; that is the control,
without which the other tests would prove nothing.
"""

import json
import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.confusables.text import oddities, revealed, revealed_json
from remit.directives.digest import action_digest
from remit.directives.models import intent_of
from tests.support.contents import directive

COMMAND = "rm -rf /tmp/cache/old"

# What each looks like, and letters that look like it: Cyrillic, Greek, Armenian, and the rare ones.
LETTERS = {
    "a": "0430 03b1 0251 237a",
    "b": "13cf 1472 042c",
    "c": "0441 03f2 1d04 2ca5",
    "d": "0501 13e7 146f",
    "e": "0435 04bd 212e ab32",
    "f": "03dd ab35 0584",
    "g": "0261 0581 018d",
    "h": "04bb 0570 13c2",
    "i": "0456 03b9 0131 026a 04cf",
    "j": "0458 03f3",
    "k": "043a 03ba",
    "l": "05d5 0627 2c92 07ca",
    "n": "0578 057c 03b7",
    "o": "043e 03bf 0585 05e1 0647 0d20 101d 0966 0e50 10ff 1d0f 2c9f",
    "p": "0440 03c1 2374 2ca3",
    "q": "051b 0563 0566",
    "r": "0433 1d26 ab47 2c85",
    "s": "0455 a731 01bd",
    "t": "03c4",
    "u": "03c5 057d 1d1c 028b",
    "v": "03bd 0475 1d20 05d8",
    "w": "051d 0461 0561 1d21",
    "x": "0445 03c7 00d7 166e 2715",
    "y": "0443 03b3 04af 10e7 028f",
    "z": "1d22",
    "A": "0410 0391 13aa a4ee",
    "B": "0412 0392 13f4 a4d0",
    "C": "0421 03f9 13df a4da",
    "E": "0415 0395 13ac a4f0 22ff",
    "F": "03dc a4dd a798",
    "G": "050c 13c0 a4d6",
    "H": "041d 0397 13bb a4e7",
    "I": "0406 0399 04c0 2d4f",
    "J": "0408 037f 13ab a4d9",
    "K": "041a 039a 13e6 a4d7",
    "L": "13de a4e1 14aa",
    "M": "041c 039c 03fa 13b7 a4df",
    "N": "039d a4e0 2c9a",
    "O": "041e 039f 0555 a4f3 0b20 12d0",
    "P": "0420 03a1 13e2 a4d1",
    "S": "0405 054f 13da a4e2",
    "T": "0422 03a4 13a2 a4d4 22a4",
    "U": "054d 1200 a4f4 222a",
    "V": "0474 2d38 13d9 a4e6",
    "W": "051c 13b3 a4ea",
    "X": "0425 03a7 a4eb 2573",
    "Y": "0423 03a5 04ae a4ec",
    "Z": "0396 13c3 a4dc",
    "2": "a644 01a7",
    "3": "0417 04e0 021c 01b7",
    "6": "0431 13ee",
    "8": "09ea 0a6a 0222",
    "9": "09ed 0a67 0d6d",
    "!": "01c3 2d51",
    "?": "0294 097d",
    "-": "2010 2012 2013 2212 02d7 2043 058a",
    "'": "2018 2019 02bc 2032 055a a78c",
    '"': "201c 201d 05f4",
    "/": "2044 2215 29f8 2571",
    ":": "2236 a789 0589 02f8 05c3",
    ",": "201a 066b",
    "*": "2217 204e 066d",
    "<": "2039 02c2 276e",
    ">": "203a 02c3 276f",
    "|": "2223 2502 01c0 05c0",
    "~": "223c 2053",
    "%": "066a",
    "=": "2e40 a4ff",
}
LOOKS = {chr(int(code, 16)): plain for plain, codes in LETTERS.items() for code in codes.split()}
CONTROL_SEQUENCE = re.compile(r"\x1b\].*?(?:\x07|\x1b\\)|(?:\x1b\[|\x9b)[0-9;]*[A-Za-z]")
BIDIRECTIONAL = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U0001d159"


def _is_unseen(character: str) -> bool:
    category = unicodedata.category(character)
    selector = "VARIATION SELECTOR" in unicodedata.name(character, "")
    return category in {"Cc", "Cf", "Cs", "Co", "Cn"} or selector or character in BLANK


def _seen(text: str) -> str:
    """Return what a hasty reader believes to see."""
    text = CONTROL_SEQUENCE.sub("", text)
    text = "".join(" " if c in "\t\r\n" else c for c in text)
    text = "".join("" if _is_unseen(character) else character for character in text)
    # Folded on both sides of NFKC, which turns the lunate sigma (like c) into another that is not.
    text = "".join(LOOKS.get(c, c) for c in unicodedata.normalize("NFC", text))
    text = unicodedata.normalize("NFKC", text)
    text = "".join(LOOKS.get(c, c) for c in text)
    return re.sub(r"\s+", " ", text).replace('" ', '"').replace(' "', '"').strip()


def _every(*categories: str) -> list[str]:
    every = map(chr, range(sys.maxunicode + 1))
    return [character for character in every if unicodedata.category(character) in categories]


def _within(attack: str, plain: str) -> list[tuple[str, str]]:
    """Return one character alone, inside a word, and as a word of a sentence."""
    frames = ("{}", "k{}m", "run {} now", "\u0434\u0430 {}")
    return [(frame.format(plain), frame.format(attack)) for frame in frames]


def _hidden(character: str) -> tuple[str, str]:
    return COMMAND, f"{COMMAND[:9]}{character}{COMMAND[9:]}"


HOMOGLYPHS = [pair for attack, plain in LOOKS.items() for pair in _within(attack, plain)]
COMPATIBLE = [
    pair
    for start in (0x1D400, 0x1D41A, 0x1D5BA, 0x1D670, 0xFF21, 0xFF41)
    for offset in range(26)
    for attack in [chr(start + offset)]
    for pair in _within(attack, unicodedata.normalize("NFKC", attack))[:2]
] + [("file", "\ufb01le"), ("10", "1\u2070"), ("ij", "\u0133"), ("...", "\u2026")]
WORDS = [
    ("cop", "\u0441\u043e\u0440"),
    ("paypal", "p\u0430yp\u0430l"),
    ("scope", "\u0455\u0441\u043e\u0440\u0435"),
    ("no", "\u0578\u0585"),
    ("echo ok; cop", "echo ok; \u0441\u043e\u0440"),
    ("\u0434\u0430 cop", "\u0434\u0430 \u0441\u043e\u0440"),
    ("\u0437\u043d\u0430\u0439 API", "\u0437\u043d\u0430\u0439 \u0410\u0420\u0406"),
    ("3\u0430\u043c\u043e\u043a", "\u0417\u0430\u043c\u043e\u043a"),
]
INVISIBLE = [_hidden(c) for c in (*_every("Cf"), *BIDIRECTIONAL, *BLANK, "\ufe00", "\ufe0f")] + [
    _hidden(chr(code)) for code in (0xE000, 0xE0100, 0xE01EF, 0x10FFFD)
]
SPACES = [("rm -rf x", f"rm -rf{space}x") for space in _every("Zs") if space != " "] + [
    (COMMAND, COMMAND + " "),
    (COMMAND, " " + COMMAND),
    ("rm -rf x", "rm -rf  x"),
    ("rm -rf x", "rm -rf" + " " * 300 + "x"),
    ("a b", "a\u2028b"),
    ("a b", "a\u2029b"),
]
ACCENTS = [
    (composed, unicodedata.normalize("NFD", composed))
    for composed in (
        *map(chr, (*range(0xC0, 0xC6), *range(0xE8, 0xF0), *range(0x1EA0, 0x1EF0))),
        "caf\u00e9",
        "\ud55c\uad6d",
        "\u0439",
        "\u03ac",
        "\u304c",
        "\u0622",
        "\u09cb",
    )
]
SEQUENCES = [
    (COMMAND, f"{COMMAND[:9]}{sequence}{COMMAND[9:]}")
    for sequence in (
        "\x1b[31m",
        "\x1b[8m",
        "\x1b[2K",
        "\x1b[1;1H",
        "\x1b]0;title\x07",
        "\x1b]8;;https://evil.example\x1b\\",
        "\x00",
        "\x07",
        "\x08",
        "\x7f",
        "\x9b31m",
    )
]
PAIRS = list(
    dict.fromkeys([*HOMOGLYPHS, *COMPATIBLE, *WORDS, *INVISIBLE, *SPACES, *ACCENTS, *SEQUENCES])
)
KINDS = {
    "homoglyphs": HOMOGLYPHS,
    "compatible forms": COMPATIBLE,
    "whole words": WORDS,
    "invisible characters": INVISIBLE,
    "spaces": SPACES,
    "accents": ACCENTS,
    "control sequences": SEQUENCES,
}


def _plain(text: str) -> str:
    """Return `text` as JSON that shows it as it is: what a voter saw without the defense."""
    return f'"{text}"'


def _shown(text: str) -> str:
    return revealed_json(json.dumps(text, ensure_ascii=False)).text


@pytest.mark.parametrize("kind", KINDS)
def test_shown_plainly_the_two_texts_of_every_pair_are_one_to_the_eye(kind: str) -> None:
    apart = [pair for pair in KINDS[kind] if _seen(_plain(pair[0])) != _seen(_plain(pair[1]))]
    assert apart == []
    assert all(harmless != attack for harmless, attack in KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_revealed_the_two_texts_of_every_pair_are_seen_apart(kind: str) -> None:
    alike = [pair for pair in KINDS[kind] if _seen(_shown(pair[0])) == _seen(_shown(pair[1]))]
    assert alike == []
    without_quotes = [
        pair for pair in KINDS[kind] if _seen(revealed(pair[0])) == _seen(revealed(pair[1]))
    ]
    assert without_quotes == []


def test_there_are_some_hundreds_of_pairs_of_every_kind_together() -> None:
    assert len(PAIRS) > 900
    assert min(map(len, KINDS.values())) > 7


@pytest.mark.parametrize("kind", KINDS)
def test_an_attack_is_shown_in_printable_characters_without_a_bidirectional_control(
    kind: str,
) -> None:
    for _, attack in KINDS[kind]:
        shown = _shown(attack)
        assert shown.isprintable()
        assert set(shown).isdisjoint(BIDIRECTIONAL + BLANK)


def test_every_attack_but_a_plain_control_is_noted() -> None:
    # In a few pairs it is the harmless text that is out of place: Latin in a Russian sentence.
    silent = [pair for pair in PAIRS if not oddities(pair[1]) and not oddities(pair[0])]
    assert silent == []


def test_the_two_texts_of_a_pair_are_two_actions() -> None:
    stored = [pair for pair in PAIRS if "\x00" not in pair[1]]
    for harmless, attack in stored:
        digests = {
            action_digest(intent_of(directive(payload={"command": text})))
            for text in (harmless, attack)
        }
        assert len(digests) == 2


ALIKE = [plain + "".join(c for c, p in LOOKS.items() if p == plain) for plain in LETTERS]
CLEAR = "kmz\u0434\u044f\u03bb\u03a9\u0576\u4e2d\u0915 .\\"
NOISE = ["", "", "", " ", "\u200b", "\u202e", "\ufe0f", "\u0301"]


@st.composite
def _look_alikes(draw: st.DrawFn) -> tuple[str, str]:
    """Return two texts that look alike, of letters of many scripts and things unseen."""
    first: list[str] = []
    second: list[str] = []
    for group in draw(st.lists(st.sampled_from([*ALIKE, *CLEAR]), max_size=14)):
        for side in (first, second):
            side.append(draw(st.sampled_from(group)))
            side.append(draw(st.sampled_from(NOISE[:4])))
        noise = draw(st.sampled_from(NOISE))
        first.append(noise)
        second.append(noise)
    return "".join(first), "".join(second)


@given(_look_alikes())
def test_of_any_two_texts_that_look_alike_never_both_are_shown_plainly(
    pair: tuple[str, str],
) -> None:
    first, second = pair
    assert first == second or _seen(revealed(first)) != _seen(revealed(second))
    assert first == second or _seen(_shown(first)) != _seen(_shown(second))
