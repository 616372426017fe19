"""What `remit artifacts` prints; what comes from outside passes `remit.confusables`."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from remit.base.wording import counted
from remit.cli.base.output import (
    Cell,
    Row,
    on_terminal,
    print_out,
    safe,
    write_facts,
    write_line,
    write_table,
)
from remit.cli.views.cells import age, moment, shown_id, write_next
from remit.confusables.text import revealed, revealed_json
from remit.errors import InvalidInputError

if TYPE_CHECKING:
    from remit.artifacts.contents import Content
    from remit.artifacts.store import StoredObject
    from remit.artifacts.types import Artifact, ContentRef
    from remit.operations.evidence.artifacts import Filed
    from remit.operations.evidence.upkeep import ArtifactCheck

HEADER = ("ID", "TYPE", "DIRECTIVE", "BYTES", "CREATED", "NAME")


def listed_json(artifact: "Artifact") -> dict[str, object]:
    """Return an artifact as JSON without its metadata, which `show` has."""
    names = ("id", "type", "uri", "directive_id", "run_id", "digest", "size_bytes", "created_at")
    found = {name: getattr(artifact, name) for name in names}
    return {**found, "name": _name(artifact), "content_ref": artifact.content_ref}


def row_of(artifact: "Artifact") -> Row:
    """Return an artifact's row, under :data:`HEADER`."""
    ref, about = artifact.content_ref, artifact.directive_id
    return (
        Cell(shown_id(artifact.id), "bold"),
        artifact.type,
        "-" if about is None else shown_id(about),
        str(artifact.size_bytes if ref is None else ref.size_bytes),
        age(artifact.created_at),
        revealed(_name(artifact) or ""),
    )


def write_artifact(artifact: "Artifact", data_dir: Path | None) -> None:
    """Print one artifact whole, but for its content."""
    ref = artifact.content_ref
    write_line("artifact ", Cell(str(artifact.id), "bold"), "  ", artifact.type)
    write_facts(
        [
            ("address", artifact.uri),
            ("directive", str(artifact.directive_id or "-")),
            ("run", str(artifact.run_id or "-")),
            ("stored", moment(artifact.created_at)),
            ("digest", artifact.digest),
            *([] if ref is None else _content_facts(ref)),
        ]
    )
    write_line()
    document = json.dumps(artifact.metadata, ensure_ascii=False, indent=2)
    for line in revealed_json(document).text.split("\n"):
        write_line(line)
    if ref is not None:
        write_next([f"remit artifacts get {shown_id(artifact.id)} --out FILE"], data_dir)


def print_content(content: "Content") -> None:
    """Print content: as it is into a pipe, and as text without controls on a terminal."""
    if not on_terminal():
        sys.stdout.flush()
        sys.stdout.buffer.write(content.data)
        sys.stdout.buffer.flush()
        return
    try:
        text = content.data.decode()
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            "this content is no text, and a terminal obeys some bytes: save it with --out FILE, "
            "or pipe it into a program",
            field="--out",
        ) from error
    for line in text.removesuffix("\n").split("\n"):
        print_out(safe(line.expandtabs()))


def write_saved(saved: Mapping[str, object]) -> None:
    """Print which content was written into which file."""
    artifact, file = str(saved["artifact"]), str(saved["file"])
    write_line("content of ", Cell(artifact, "bold"), " in ", Cell(file, "bold"))
    names = ("bytes", "media_type", "digest")
    write_facts((name.replace("_", " "), str(saved[name])) for name in names)


def write_filed(filed: "Filed", data_dir: Path | None) -> None:
    """Print what was filed, and how it is fetched."""
    write_line("filed as ", Cell(filed.uri, "bold"))
    write_facts([("digest", filed.digest), *_content_facts(filed.content)])
    write_next([f"remit artifacts show {shown_id(filed.id)}"], data_dir)


def write_unreferenced(found: "Sequence[StoredObject]", store: str, size: int) -> None:
    """Print objects that no artifact has as its content, of `size` bytes in all."""
    if not found:
        write_line(f"the store {store} has no object of that age that no artifact refers to")
        return
    rows = [(each.key, str(each.size_bytes), moment(each.modified_at)) for each in found]
    write_table(("KEY", "BYTES", "STORED"), rows)
    write_line(
        f"{counted(len(found), 'object')} of the store {store}, {size} bytes: no artifact of this "
        "database refers to them. Remit removes none."
    )


def write_check(checked: "ArtifactCheck") -> None:
    """Print what a look at every artifact found."""
    if not checked.failed:
        words = f"all {checked.checked} artifacts are what their digests say"
        write_line(Cell(words if checked.checked else "there are no artifacts", "green"))
        return
    words = f"{checked.failed} of {checked.checked} artifacts are not what was stored, or not there"
    write_line(Cell(words, "red"))
    for problem in checked.problems:
        write_line("  ", problem)
    if checked.failed > len(checked.problems):
        write_line(f"  and {checked.failed - len(checked.problems)} more")


def _name(artifact: "Artifact") -> str | None:
    metadata: object = artifact.metadata
    if artifact.type != "attachment" or not isinstance(metadata, dict):
        return None
    name = metadata.get("name")
    return name if isinstance(name, str) else None


def _content_facts(ref: "ContentRef") -> list[tuple[str, str]]:
    return [
        ("content", f"{ref.size_bytes} bytes of {revealed(ref.media_type)}"),
        ("", ref.digest),
        ("lies", place_of(ref)),
    ]


def place_of(ref: "ContentRef") -> str:
    """Return where content lies, in words."""
    from remit.artifacts.types import parse_artifact_uri

    try:
        address = parse_artifact_uri(ref.uri)
    except InvalidInputError:
        return f"nowhere that Remit knows: {revealed(ref.uri)}"
    if address.scheme == "local":
        return "in Postgres, in the artifact's row"
    return f"in the object store {address.scheme}, as {address.key}"
