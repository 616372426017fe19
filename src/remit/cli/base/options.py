"""Options that several commands share, so that each means the same everywhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from remit.base.wording import listed
from remit.errors import InvalidInputError
from remit.user_files import MOST_BYTES, read_file


def option(
    name: str,
    text: str,
    metavar: str | None = None,
    *,
    min: float | None = None,  # noqa: A002 - as Typer calls it
    max: float | None = None,  # noqa: A002 - likewise
    panel: str | None = None,
) -> object:
    """Return an option; `text` is what `--help` says of it."""
    return typer.Option(name, metavar=metavar, help=text, min=min, max=max, rich_help_panel=panel)


def argument(metavar: str, text: str) -> object:
    """Return an argument; `text` is what `--help` says of it."""
    return typer.Argument(metavar=metavar, help=text)


DataDirOption = Annotated[
    Path | None,
    option(
        "--data-dir",
        "Folder of the embedded stack. Default: REMIT_DATA_DIR, "
        "else the platform's user data folder.",
        "DIR",
    ),
]
JsonOption = Annotated[bool, option("--json", "Print one JSON document instead of text.")]
ActorOption = Annotated[
    str | None,
    option(
        "--as",
        "Act with the token kept under this name. Default: REMIT_TOKEN, else your own.",
        "NAME",
    ),
]
IdArgument = Annotated[
    str, argument("ID", "The directive, or at least the first 4 characters of it.")
]
ModuleOption = Annotated[
    list[str] | None,
    option(
        "--module",
        "One more module, besides those of REMIT_MODULES; may be given several times.",
        "PACKAGE.MODULE:CLASS",
    ),
]
KeyOption = Annotated[
    list[Path] | None,
    option(
        "--key",
        "Trust these public keys, as `remit keys export` prints them, in place of the "
        "installation's; may be given several times.",
        "FILE",
    ),
]
ForceOption = Annotated[bool, option("--force", "Replace FILE if it is there.")]
ReasonOption = Annotated[str | None, option("--reason", "Why; kept as evidence.")]

LimitOption = Annotated[
    int, option("--limit", "At most so many, the newest first.", min=1, max=1000)
]
TypeOption = Annotated[str | None, option("--type", "Only those for this module.")]

STANDARD_STREAM = Path("-")
"""In place of a file: standard input, or standard output."""


def one_of(word: str, known: "Sequence[str]", option: str) -> str:
    """Return `word` if it is known; otherwise raise InvalidInputError for the option."""
    if word not in known:
        raise InvalidInputError(f"{word!r} is not known; say {listed(known)}", field=option)
    return word


def all_of(words: "Sequence[str] | None", known: "Sequence[str]", option: str) -> tuple[str, ...]:
    """Return the words if all are known; see :func:`one_of`."""
    return tuple(one_of(word, known, option) for word in words or ())


def read_option_file(path: Path, option: str, *, most: int = MOST_BYTES) -> bytes:
    """Return the content of a file that an option names, of which no more than `most` is read."""
    try:
        return read_file(path, most=most)
    except OSError as error:
        raise InvalidInputError(
            f"{path} cannot be read ({error.strerror})", field=option
        ) from error
