"""Whether a policy file is all that its author wrote. Pure.

A disk that fills up while a file is copied leaves its beginning, and the beginning of a policy may
be a policy that asks nobody. So a file says where it ends, and writes out the lists that could hold
rules: no beginning of an accepted file is accepted, and nobody is let through by what is not there.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping

from remit.base.wording import printable, quoted

Fault = tuple[str, str]
"""What is wrong with a file: the path of a key in it, and the problem with its fix."""

END = "end"
"""The table that closes a file. It repeats the file's version, so that the head of one file and
the tail of another, which a file is while it is written over in place, do not pass for either."""

_HEADER = re.compile(r"^[ \t]*\[[ \t]*end[ \t]*\][ \t]*(#.*)?\r?$", re.MULTILINE)

_LISTS = (
    ("approval", "rules", "nobody is ever asked"),
    ("budget", "limits", "directives have no limit together"),
)
"""Lists that hold back what would pass without them, with what an empty one means."""


def left_out(text: str, document: Mapping[str, object]) -> list[Fault]:
    """Return what a file does not say that it must, in the order in which it is to be added.

    Args:
        text: the file.
        document: the same, as TOML has it.
    """
    return [*_of_lists(document), *_of_end(text, document)]


def _of_lists(document: Mapping[str, object]) -> Iterator[Fault]:
    for table, key, meaning in _LISTS:
        content = document.get(table, {})
        if not isinstance(content, dict) or key in content:
            continue
        lines = f"{key} = [] under [{table}]" if table in document else f"[{table}] and {key} = []"
        yield f"{table}.{key}", f"missing: write {lines} to say that {meaning}, or what was lost"


def _of_end(text: str, document: Mapping[str, object]) -> Iterator[Fault]:
    version = document.get("version")
    lines = f"[{END}] and version = {quoted(version) if isinstance(version, str) else '...'}"
    end = document.get(END)
    if end is None:
        yield END, f"missing: end the file with the lines {lines}, unless it was cut off"
        return
    if not isinstance(end, dict):
        yield END, f"must be a table: end the file with the lines {lines}"
        return
    for key in end:
        if key != "version":
            yield f"{END}.{printable(key, 40)}", "unknown key; known here: version"
    if "version" not in end or (isinstance(version, str) and end["version"] != version):
        problem = f"is not the version at the top: end with the lines {lines}"
        yield f"{END}.version", f"{problem}, unless the file is made of two"
    if not _is_last(text, end):
        yield END, f"must come last: end the file with the lines {lines}"


def _is_last(text: str, end: Mapping[str, object]) -> bool:
    """Return whether nothing but comments comes after the table that closes a file."""
    # TOML lets an earlier table go on later, so the order of a read document does not tell.
    headers = list(_HEADER.finditer(text))
    try:
        return bool(headers) and tomllib.loads(text[headers[-1].start() :]) == {END: end}
    except tomllib.TOMLDecodeError:
        return False
