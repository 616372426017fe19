"""What `remit artifacts put` makes of its arguments, before anything is opened but the file."""

import mimetypes
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from remit.artifacts.types import MAX_ARTIFACT_BYTES
from remit.base.wording import quoted
from remit.cli.base.options import STANDARD_STREAM
from remit.cli.base.streams import standard_input
from remit.errors import InvalidInputError

UNKNOWN = "application/octet-stream"
"""Media type of what may be anything."""

_MORE_TYPES: Mapping[str, str] = {
    ".jsonl": "application/jsonl",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".toml": "application/toml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
"""What Python's own table lacks, or has in some versions only."""

_FIELD = "FILE"


def name_of(file: Path) -> str:
    """Return what a file is called.

    Raises:
        InvalidInputError: it is standard input, which has no name.
    """
    if file == STANDARD_STREAM:
        raise InvalidInputError(
            "missing: standard input has no name; say what it is called", field="--name"
        )
    return file.name


def media_type_of(name: str) -> str:
    """Return what a file is by its name, whatever tables this machine has."""
    known = _MORE_TYPES.get(Path(name).suffix.lower())
    if known is not None:
        return known
    # An object of its own: the module's functions also know what the machine's tables say.
    found, compression = mimetypes.MimeTypes().guess_type(name)
    return UNKNOWN if found is None or compression is not None else found


def labels_of(texts: Sequence[str]) -> Mapping[str, str]:
    """Return labels that are written NAME=VALUE.

    Raises:
        InvalidInputError: one is written otherwise, or a name stands twice.
    """
    labels: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise InvalidInputError(f"{quoted(text)}: write it NAME=VALUE", field="--label")
        if name in labels:
            raise InvalidInputError(f"{quoted(name)} stands twice: keep one", field="--label")
        labels[name] = value
    return labels


@contextmanager
def opened(file: Path) -> Iterator[BinaryIO]:
    """Open a file, or standard input, to be read once.

    Raises:
        InvalidInputError: it cannot be read, or is larger than any artifact, of which nothing is
            read then.
    """
    if file == STANDARD_STREAM:
        yield standard_input()
        return
    try:
        source = file.open("rb")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidInputError(f"{file} cannot be read ({reason})", field=_FIELD) from error
    with source:
        _check_size(file, source)
        yield source


def _check_size(file: Path, source: BinaryIO) -> None:
    found = os.fstat(source.fileno())
    if S_ISREG(found.st_mode) and found.st_size > MAX_ARTIFACT_BYTES:
        raise InvalidInputError(
            f"{file} has {found.st_size} bytes, and an artifact at most {MAX_ARTIFACT_BYTES}: "
            "keep it elsewhere, and file its address and digest",
            field=_FIELD,
        )
