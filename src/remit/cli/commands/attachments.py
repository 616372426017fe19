"""`remit artifacts put`: a file, filed as evidence by hand."""

import mimetypes
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from typing import Annotated, BinaryIO

from remit.base.wording import quoted
from remit.cli.base import services
from remit.cli.base.context import Context, command
from remit.cli.base.options import STANDARD_STREAM, argument, option
from remit.cli.base.output import spinner
from remit.cli.base.streams import standard_input
from remit.cli.views.artifacts import place_of, write_filed
from remit.errors import InvalidInputError

FileArgument = Annotated[Path, argument("FILE", "What to file; - reads standard input.")]
NameOption = Annotated[str | None, option("--name", "What it is called. Default: FILE's name.")]
MediaTypeOption = Annotated[
    str | None,
    option(
        "--media-type",
        "What it is. Default: what its name says, else application/octet-stream.",
        "TYPE/SUBTYPE",
    ),
]
LabelOption = Annotated[
    list[str] | None,
    option("--label", "A word of your own about it; may be given several times.", "NAME=VALUE"),
]
AboutOption = Annotated[
    str | None,
    option(
        "--directive",
        "The directive it is evidence for. Default: for none, which an operator may.",
        "ID",
    ),
]

_MORE_TYPES: Mapping[str, str] = {
    ".jsonl": "application/jsonl",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".toml": "application/toml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
"""What Python's own table lacks, or has in some versions only."""


@command(acting=True)
def put(
    context: Context,
    file: FileArgument,
    *,
    name: NameOption = None,
    media_type: MediaTypeOption = None,
    label: LabelOption = None,
    directive: AboutOption = None,
) -> None:
    """File a file as evidence, of at most 10 MiB; once it is told, it is not lost.

    It is kept for good: nothing that is filed can be changed or removed. Secrets in its name and
    labels are masked, and the content is kept as it is.
    """
    if not name and file == STANDARD_STREAM:
        raise InvalidInputError(
            "missing: standard input has no name; say what it is called", field="--name"
        )
    called, labels = name or file.name, labels_of(label or ())
    store = services.object_store(context.settings)
    with _opened(file) as source:
        engine = context.engine
        from remit.operations.evidence.artifacts import Filing, file_attachment

        keys, by = context.keys, context.caller
        about = None if directive is None else context.resolve(directive)
        filing = Filing(called, media_type or media_type_of(called), labels, about)
        with spinner("filing", quiet=context.as_json or file == STANDARD_STREAM):
            filed = file_attachment(engine, store, source, filing, by=by, keys=keys)
    document = {"filed": filed, "lies": place_of(filed.content)}
    context.show(document, lambda: write_filed(filed, context.data_dir))


def media_type_of(name: str) -> str:
    """Return what a file is by its name, whatever tables this machine has."""
    known = _MORE_TYPES.get(Path(name).suffix.lower())
    if known is not None:
        return known
    # An object of its own: the module's functions also know what the machine's tables say.
    found, compression = mimetypes.MimeTypes().guess_type(name)
    return "application/octet-stream" if found is None or compression is not None else found


def labels_of(texts: Sequence[str]) -> Mapping[str, str]:
    """Return labels that are written NAME=VALUE."""
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
def _opened(file: Path) -> Iterator[BinaryIO]:
    """Open a file, or standard input, to be read once; of one that is too large nothing is read."""
    if file == STANDARD_STREAM:
        yield standard_input()
        return
    from remit.artifacts.types import MAX_ARTIFACT_BYTES

    try:
        source = file.open("rb")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidInputError(f"{file} cannot be read ({reason})", field="FILE") from error
    with source:
        found = os.fstat(source.fileno())
        if S_ISREG(found.st_mode) and found.st_size > MAX_ARTIFACT_BYTES:
            raise InvalidInputError(
                f"{file} has {found.st_size} bytes, and an artifact at most {MAX_ARTIFACT_BYTES}: "
                "keep it elsewhere, and file its address and digest",
                field="FILE",
            )
        yield source
