"""Real texts, as many as are wanted: what Python's own files say about themselves.

Every machine that runs the benchmark has them, and nothing is downloaded. A text is one paragraph
of a docstring, or one block of comments.
"""

import re
import sysconfig
from collections.abc import Iterator
from itertools import groupby, islice
from pathlib import Path

SHORTEST, LONGEST = 20, 8192
"""Characters of a text, white space run together."""

_DOCSTRING = re.compile(r'"""(.*?)"""', re.DOTALL)
_PARAGRAPH = re.compile(r"\n\s*\n")


def real_texts(wanted: int) -> list[str]:
    """Return texts of the standard library and of what is installed, no text twice.

    Args:
        wanted: how many; fewer are returned when there are no more.
    """
    return list(islice(_distinct(_files()), wanted))


def texts_of(source: str) -> Iterator[str]:
    """Return the paragraphs of a file's docstrings, then its blocks of comments.

    What looks like a docstring and is none is a text like any other.
    """
    for docstring in _DOCSTRING.findall(source):
        yield from _PARAGRAPH.split(docstring)
    lines = (line.strip() for line in source.splitlines())
    for is_comment, block in groupby(lines, lambda line: line.startswith("#")):
        if is_comment:
            yield " ".join(line.lstrip("#: ") for line in block)


def _files() -> Iterator[Path]:
    """Return every file of Python's, in an order that stays: the library, then what is installed.

    Installed packages may lie within the library's folder.
    """
    library, installed = (Path(sysconfig.get_paths()[name]) for name in ("stdlib", "purelib"))
    yield from (path for path in sorted(library.rglob("*.py")) if "site-packages" not in path.parts)
    yield from sorted(installed.rglob("*.py"))


def _distinct(paths: Iterator[Path]) -> Iterator[str]:
    known: set[str] = set()
    for path in paths:
        # Some libraries keep files of other encodings, to test with.
        for raw in texts_of(path.read_text(encoding="utf-8", errors="ignore")):
            text = " ".join(raw.replace("\0", "").split())
            if SHORTEST <= len(text) <= LONGEST and text not in known:
                known.add(text)
                yield text
