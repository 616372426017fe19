"""`remit artifacts`: the evidence there is, read back and verified, and filed by hand."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from remit.cli.base.failures import EXIT_UNSUCCESSFUL
from remit.cli.base.file_writing import OWNER_ONLY, require_free, save
from remit.cli.base.options import STANDARD_STREAM, ActorOption, DataDirOption, JsonOption
from remit.cli.base.output import bar
from remit.errors import InvalidInputError

if TYPE_CHECKING:
    from remit.vocabulary import ArtifactType

app = typer.Typer(
    help="The evidence there is, read back and verified, and filed by hand.", no_args_is_help=True
)

ArtifactArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="The artifact: its address, its id, or at least the first 4 characters of the id.",
    ),
]
FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="What to file; - reads standard input.")
]
TypeOption = Annotated[
    str | None,
    typer.Option(
        "--type", help="Only those of this type, like attachment: see `remit schema --help`."
    ),
]
DirectiveOption = Annotated[
    str | None,
    typer.Option(
        "--directive",
        metavar="ID",
        show_default=False,
        help="The directive they are about, or at least the first 4 characters of it.",
    ),
]
LimitOption = Annotated[
    int, typer.Option("--limit", min=1, max=1000, help="At most so many, the newest first.")
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "--output",
        metavar="FILE",
        show_default=False,
        help="Where to write it, for this account alone; - prints it. Default: print it.",
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace FILE if it is there.")]
NameOption = Annotated[
    str | None,
    typer.Option("--name", show_default=False, help="What it is called. Default: FILE's name."),
]
MediaTypeOption = Annotated[
    str | None,
    typer.Option(
        "--media-type",
        metavar="TYPE/SUBTYPE",
        show_default=False,
        help="What it is. Default: what its name says, else application/octet-stream.",
    ),
]
LabelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        metavar="NAME=VALUE",
        show_default=False,
        help="A word of your own about it; may be given several times.",
    ),
]
AboutOption = Annotated[
    str | None,
    typer.Option(
        "--directive",
        metavar="ID",
        show_default=False,
        help="The directive it is evidence for. Default: for none, which an operator may.",
    ),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="List them. Remit removes none, so this must be said.")
]
OlderOption = Annotated[
    str,
    typer.Option(
        "--older-than",
        metavar="LENGTH",
        help="Leave out younger ones: their artifact may be about to be stored.",
    ),
]


@app.callback()
def artifacts() -> None:
    """Look at the evidence there is, and file some."""


@app.command("list")
def list_artifacts(
    *,
    type_: TypeOption = None,
    directive: DirectiveOption = None,
    limit: LimitOption = 50,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List artifacts, the newest first."""
    from remit.cli.base.services import database
    from remit.cli.views.artifacts import write_list

    wanted_type = None if type_ is None else artifact_type(type_, "--type")
    with database(data_dir) as engine:
        from remit.artifacts.repository import ArtifactFilter
        from remit.operations.evidence.artifacts import read_artifacts
        from remit.operations.evidence.records import resolve_id

        about = None if directive is None else resolve_id(engine, directive)
        found = read_artifacts(engine, ArtifactFilter(wanted_type, about, limit))
    write_list(found, as_json=as_json)


@app.command()
def show(
    artifact: ArtifactArgument, *, data_dir: DataDirOption = None, as_json: JsonOption = False
) -> None:
    """Show an artifact: what it says, its digest, and where its content lies."""
    from remit.cli.base.services import database
    from remit.cli.views.artifacts import write_artifact

    with database(data_dir) as engine:
        from remit.operations.evidence.artifacts import find_artifact_id, read_artifact

        found = read_artifact(engine, find_artifact_id(engine, artifact))
    write_artifact(found, data_dir, as_json=as_json)


@app.command()
def get(
    artifact: ArtifactArgument,
    *,
    output: OutputOption = None,
    force: ForceOption = False,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hand out an artifact's content, once it is verified; without content, what it says, as JSON.

    A pipe gets the bytes as they are. A terminal is shown text alone, with what cannot be seen as
    escapes: what is filed comes from outside.
    """
    from remit.cli.base.services import database, load_settings, object_store
    from remit.cli.views.artifacts import print_content, write_saved

    file = None if output in {None, STANDARD_STREAM} else output
    if file is not None:
        require_free(file, force=force)
    elif as_json:
        raise InvalidInputError("the content itself is printed: leave out --json", field="--out")
    store = object_store(load_settings(data_dir))
    with database(data_dir) as engine:
        from remit.operations.evidence.artifacts import find_artifact_id, get_artifact_content

        found = find_artifact_id(engine, artifact)
        content = get_artifact_content(engine, store, found)
    if file is None:
        print_content(content)
        return
    save(file, content.data, force=force, mode=OWNER_ONLY)
    write_saved(found, file, content, as_json=as_json)


@app.command()
def put(
    file: FileArgument,
    *,
    name: NameOption = None,
    media_type: MediaTypeOption = None,
    label: LabelOption = None,
    directive: AboutOption = None,
    actor: ActorOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """File a file as evidence, of at most 10 MiB; once it is told, it is not lost.

    It is kept for good: nothing that is filed can be changed or removed. Secrets in its name and
    labels are masked, and the content is kept as it is.
    """
    from remit.cli.base.filing import labels_of, media_type_of, name_of, opened
    from remit.cli.base.output import spinner
    from remit.cli.base.services import caller, database, keys_for, load_settings, object_store
    from remit.cli.views.artifacts import write_filed

    called, labels = name or name_of(file), labels_of(label or ())
    settings = load_settings(data_dir)
    store = object_store(settings)
    with opened(file) as source, database(data_dir) as engine:
        from remit.operations.evidence.artifacts import Filing, file_attachment
        from remit.operations.evidence.records import resolve_id

        keys = keys_for(engine, settings)
        by = caller(engine, settings, actor, keys=keys)
        about = None if directive is None else resolve_id(engine, directive)
        filing = Filing(called, media_type or media_type_of(called), labels, about)
        with spinner("filing", quiet=as_json or file == STANDARD_STREAM):
            filed = file_attachment(engine, store, source, filing, by=by, keys=keys)
    write_filed(filed, data_dir, as_json=as_json)


@app.command()
def gc(
    *,
    dry_run: DryRunOption = False,
    older_than: OlderOption = "1h",
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the objects of the store that no artifact has as its content, the oldest first.

    A crash while something is filed may leave one. It does no harm but the room it takes.
    """
    if not dry_run:
        raise InvalidInputError(
            "Remit removes no object: another database may refer to it. List them with --dry-run, "
            "and remove from the store itself what nothing refers to",
            field="--dry-run",
        )
    from remit.base.durations import parse_timebox
    from remit.cli.base.output import spinner
    from remit.cli.base.services import database, load_settings, object_store
    from remit.cli.views.artifacts import write_unreferenced

    length = parse_timebox(older_than, field="--older-than")
    store = object_store(load_settings(data_dir))
    with database(data_dir) as engine, spinner("listing", quiet=as_json):
        from remit.operations.evidence.upkeep import unreferenced_objects

        found = unreferenced_objects(engine, store, older_than=length)
    write_unreferenced(found, store.name, as_json=as_json)


@app.command()
def check(*, data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """Read every artifact with its content, and verify them; 1 when one is not what was stored.

    Whether the log still tells of every artifact, `remit audit verify` finds out.
    """
    from remit.cli.base.services import database, load_settings, object_store
    from remit.cli.views.artifacts import write_check

    store = object_store(load_settings(data_dir))
    with database(data_dir) as engine, bar("checking", quiet=as_json) as progress:
        from remit.operations.evidence.upkeep import check_artifacts

        checked = check_artifacts(engine, store, progress)
    write_check(checked, as_json=as_json)
    if checked.failed:
        raise typer.Exit(EXIT_UNSUCCESSFUL)


def artifact_type(text: str, option: str) -> "ArtifactType":
    """Return the type of artifact that `text` names.

    Raises:
        InvalidInputError: it names none; `field` is `option`.
    """
    from remit.base.wording import listed
    from remit.vocabulary import ArtifactType

    if text not in get_args(ArtifactType):
        raise InvalidInputError(f"must be {listed(get_args(ArtifactType))}", field=option)
    return cast("ArtifactType", text)
