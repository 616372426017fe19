"""`remit artifacts`: the evidence there is, read back and verified, and filed by hand."""

from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from remit.base.durations import parse_timebox
from remit.base.wording import listed
from remit.cli.base import services
from remit.cli.base.context import Context, Group
from remit.cli.base.failures import EXIT_UNSUCCESSFUL
from remit.cli.base.file_writing import OWNER_ONLY, require_free, save
from remit.cli.base.options import STANDARD_STREAM, ForceOption, LimitOption, argument, option
from remit.cli.base.output import write_list
from remit.cli.commands.attachments import put
from remit.cli.views.artifacts import (
    HEADER,
    listed_json,
    place_of,
    print_content,
    row_of,
    write_artifact,
    write_check,
    write_saved,
    write_unreferenced,
)
from remit.errors import InvalidInputError
from remit.vocabulary import ArtifactType

app = Group("The evidence there is, read back and verified, and filed by hand.")

ArtifactArgument = Annotated[
    str,
    argument(
        "ID", "The artifact: its address, its id, or at least the first 4 characters of the id."
    ),
]
TypeOption = Annotated[
    str | None,
    option("--type", "Only those of this type, like attachment: see `remit schema --help`."),
]
DirectiveOption = Annotated[
    str | None,
    option(
        "--directive",
        "The directive they are about, or at least the first 4 characters of it.",
        "ID",
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "--output",
        metavar="FILE",
        help="Where to write it, for this account alone; - prints it. Default: print it.",
    ),
]
DryRunOption = Annotated[
    bool, option("--dry-run", "List them. Remit removes none, so this must be said.")
]
OlderOption = Annotated[
    str,
    option(
        "--older-than",
        "Leave out younger ones: their artifact may be about to be stored.",
        "LENGTH",
    ),
]


@app.add("list")
def list_artifacts(
    context: Context,
    *,
    type_: TypeOption = None,
    directive: DirectiveOption = None,
    limit: LimitOption = 50,
) -> None:
    """List artifacts, the newest first."""
    wanted_type = None if type_ is None else artifact_type(type_, "--type")
    engine = context.engine
    from remit.artifacts.repository import ArtifactFilter
    from remit.operations.evidence.artifacts import read_artifacts

    about = None if directive is None else context.resolve(directive)
    found = read_artifacts(engine, ArtifactFilter(wanted_type, about, limit))
    context.show(
        {"artifacts": [listed_json(each) for each in found]},
        lambda: write_list(HEADER, [row_of(each) for each in found], "no artifacts"),
    )


@app.add()
def show(context: Context, artifact: ArtifactArgument) -> None:
    """Show an artifact: what it says, its digest, and where its content lies."""
    engine = context.engine
    from remit.operations.evidence.artifacts import find_artifact_id, read_artifact

    found = read_artifact(engine, find_artifact_id(engine, artifact))
    lies = None if found.content_ref is None else place_of(found.content_ref)
    context.show({"artifact": found, "lies": lies}, lambda: write_artifact(found, context.data_dir))


@app.add()
def get(
    context: Context,
    artifact: ArtifactArgument,
    *,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Hand out an artifact's content, once it is verified; without content, what it says, as JSON.

    A pipe gets the bytes as they are. A terminal is shown text alone, with what cannot be seen as
    escapes: what is filed comes from outside.
    """
    file = None if output in {None, STANDARD_STREAM} else output
    if file is not None:
        require_free(file, force=force)
    elif context.as_json:
        raise InvalidInputError("the content itself is printed: leave out --json", field="--out")
    store = services.object_store(context.settings)
    engine = context.engine
    from remit.operations.evidence.artifacts import find_artifact_id, get_artifact_content

    found = find_artifact_id(engine, artifact)
    content = get_artifact_content(engine, store, found)
    if file is None:
        print_content(content)
        return
    save(file, content.data, force=force, mode=OWNER_ONLY)
    saved = {
        "artifact": str(found),
        "file": str(file),
        "bytes": len(content.data),
        "media_type": content.media_type,
        "digest": content.digest,
    }
    context.show(saved, lambda: write_saved(saved))


app.command()(put)


@app.add()
def gc(context: Context, *, dry_run: DryRunOption = False, older_than: OlderOption = "1h") -> None:
    """List the objects of the store that no artifact has as its content, the oldest first.

    A crash while something is filed may leave one. It does no harm but the room it takes.
    """
    if not dry_run:
        raise InvalidInputError(
            "Remit removes no object: another database may refer to it. List them with --dry-run, "
            "and remove from the store itself what nothing refers to",
            field="--dry-run",
        )
    length = parse_timebox(older_than, field="--older-than")
    store = services.object_store(context.settings)
    engine = context.engine
    from remit.operations.evidence.upkeep import unreferenced_objects

    with context.spinner("listing"):
        found = unreferenced_objects(engine, store, older_than=length)
    size = sum(each.size_bytes for each in found)
    document = {"store": store.name, "objects": found, "bytes": size}
    context.show(document, lambda: write_unreferenced(found, store.name, size))


@app.add()
def check(context: Context) -> None:
    """Read every artifact with its content, and verify them; 1 when one is not what was stored.

    Whether the log still tells of every artifact, `remit audit verify` finds out.
    """
    store = services.object_store(context.settings)
    engine = context.engine
    from remit.operations.evidence.upkeep import check_artifacts

    with context.bar("checking") as progress:
        checked = check_artifacts(engine, store, progress)
    document = {
        "holds": not checked.failed,
        "checked": checked.checked,
        "failed": checked.failed,
        "problems": checked.problems,
    }
    context.show(document, lambda: write_check(checked))
    if checked.failed:
        raise typer.Exit(EXIT_UNSUCCESSFUL)


def artifact_type(text: str, option: str) -> ArtifactType:
    """Return the type of artifact that `text` names."""
    if text not in get_args(ArtifactType):
        raise InvalidInputError(f"must be {listed(get_args(ArtifactType))}", field=option)
    return cast("ArtifactType", text)
