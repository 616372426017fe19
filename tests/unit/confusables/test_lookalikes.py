"""The table from Unicode's data finds all that the one typed in before it did, and hardly more."""

import pytest

from remit.confusables.lookalikes import IMITATED, LIKE_ASCII
from remit.confusables.text import revealed
from scripts.confusables_table import ORDINARY

ALWAYS = """
00a6 00d7 0131 0184 018d 0196 01a6 01a7 01b7 01bc 01bd 01c0 01c3 021c 0222 0223 0241 0251 0261 0263
0269 026a 026f 028b 028f 0294 02c2 02c3 02c4 02d7 02f4 02f8 0461 0474 0475 04bd 04c0 04cf 04e0 0501
050c 051b 051c 051d 055a 055d 0589 058a 05be 05c0 05c3 05f3 05f4 066a 066b 066d 06d4 0903 0a83 1400
166d 166e 16ec 16ed 1735 1803 1809 1d04 1d0f 1d11 1d1c 1d20 1d21 1d22 1d83 1d8c 1e9d 1eff 2010 2012
2013 2018 2019 201a 201b 201c 201d 201e 201f 2032 2035 2039 203a 2041 2043 2044 204e 2052 2053 205a
212e 2212 2215 2216 2217 2223 2228 222a 2236 223c 22a4 22c1 22c3 22ff 2373 2374 237a 23aa 23ae 23d0
23fd 2500 2501 2502 2503 2571 2573 2715 2758 2759 275a 2768 2769 276e 276f 2772 2773 2774 2775 27cb
27cd 27d9 292b 292c 29f5 29f8 29f9 2a2f 2e40 a4ff a60e a644 a647 a731 a75a a76a a76e a778 a789 a78c
a798 a799 a79f a7ab a7b2 a7b3 a7b4 ab32 ab35 ab3d ab47 ab48 ab4e ab52 ab5a fd3e fd3f 1d114 1d206
1d20d 1d20f 1d212 1d213 1d216 1d22a 1d236 1d237 1d23a 1d23b 1f74c 1f768
"""

LETTERS = """
ARABIC 0627l 0647o 06600 0661l1 0665o 0667V 06d5o 06f00 06f1l1 06f5o 06f7V
ARMENIAN 054dU 054fS 0555O 0561w 0563q 0566q 0570h 0578n 057cn 057du 0581g 0584f 0585o
BENGALI 09e60oO 09ea8 09ed9
CYRILLIC 0405S 0406Il 0408J 0410A 0412B 0415E 04173 041aK 041cM 041dH 041eO 0420P 0421C 0422T 0423Y
CYRILLIC 0425X 042cb 0430a 04316 0433r 0435e 043ak 043eo 0440p 0441c 0443y 0445x 0455s 0456i 0458j
CYRILLIC 04aeY 04afy 04bbh
DEVANAGARI 09660oO 097d?
ETHIOPIC 1200U 12d0O
GEORGIAN 10e7y 10ffo
GREEK 037fJ 0391A 0392B 0395E 0396Z 0397H 0399Il 039aK 039cM 039dN 039fO 03a1P 03a4T 03a5Y 03a7X
GREEK 03b1a 03b3y 03b7n 03b9i 03bak 03bdv 03bfo 03c1p 03c3o 03c4t 03c5u 03c7x 03dcF 03ddf 03f3j
GREEK 03faM 1d26r
GUJARATI 0ae60oO
GURMUKHI 0a660oO 0a679 0a6a8
HEBREW 05d5l 05d8v 05dfl 05e1o
KANNADA 0ce60oO
LAO 0ed00oO
MALAYALAM 0d20o 0d660oO 0d6d9
MYANMAR 101do 10400oO
ORIYA 0b20O 0b660oO 0b689
TAMIL 0be60oO
TELUGU 0c660oO
THAI 0e500oO
"""


@pytest.mark.parametrize("code", ALWAYS.split())
def test_a_character_that_was_never_shown_plainly_is_still_not(code: str) -> None:
    assert revealed(chr(int(code, 16))) != chr(int(code, 16))


@pytest.mark.parametrize("line", LETTERS.strip().splitlines())
def test_a_letter_is_still_taken_for_what_it_was_taken_for(line: str) -> None:
    script, *entries = line.split()
    for entry in entries:
        assert IMITATED[script][chr(int(entry[:4], 16))] == entry[4:]


def test_nothing_of_ordinary_text_was_added() -> None:
    former = {chr(int(code, 16)) for code in ALWAYS.split()}
    assert set(LIKE_ASCII) - former == {
        *"\u02f6",  # of phonetic transcription
        *"\u0701\u0702\u0703\u0704\U00010a50",  # of scripts whose letters are never plain anyway
    }
    letters = {
        chr(int(entry[:4], 16)) for entry in LETTERS.split() if entry[0] == "0" or entry[0] == "1"
    }
    assert {letter for table in IMITATED.values() for letter in table} == letters
    assert not ORDINARY & (set(LIKE_ASCII) | letters)
