"""Options that several commands share, so that each means the same everywhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from remit.base.wording import listed
from remit.errors import InvalidInputError

DataDirOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        show_default=False,
        help="Folder of the embedded stack. Default: REMIT_DATA_DIR, "
        "else the platform's user data folder.",
    ),
]
"""Which embedded stack is meant."""

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document instead of text.")
]
"""Whether a program reads the output."""

ActorOption = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="NAME",
        show_default=False,
        help="Act with the token kept under this name. Default: REMIT_TOKEN, else your own.",
    ),
]
"""Who acts: a name whose token is kept in the data folder, and never a mere claim."""

IdArgument = Annotated[
    str,
    typer.Argument(metavar="ID", help="The directive, or at least the first 4 characters of it."),
]
"""One directive."""

ModuleOption = Annotated[
    list[str] | None,
    typer.Option(
        "--module",
        metavar="PACKAGE.MODULE:CLASS",
        show_default=False,
        help="One more module, besides those of REMIT_MODULES; may be given several times.",
    ),
]
"""Modules that no installed package announces."""

STANDARD_STREAM = Path("-")
"""In place of a file: standard input, or standard output."""

KeyOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--key",
        metavar="FILE",
        show_default=False,
        help="Trust these public keys, as `remit keys export` prints them, in place of the "
        "installation's; may be given several times.",
    ),
]
"""Keys that verify what was signed elsewhere."""


def one_of(word: str, known: "Sequence[str]", option: str) -> str:
    """Return `word` if it is known; otherwise raise InvalidInputError for the option."""
    if word not in known:
        raise InvalidInputError(f"{word!r} is not known; say {listed(known)}", field=option)
    return word


def all_of(words: "Sequence[str] | None", known: "Sequence[str]", option: str) -> tuple[str, ...]:
    """Return the words if all are known; see :func:`one_of`."""
    return tuple(one_of(word, known, option) for word in words or ())
