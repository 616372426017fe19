"""`remit modules` and `remit schema`: what there is, before anything is asked."""

from typing import TYPE_CHECKING, Annotated

import typer

from remit.cli.base.options import DataDirOption, JsonOption, ModuleOption
from remit.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remit.execution.module_repository import AnnouncedModule

LocalOption = Annotated[
    bool,
    typer.Option(
        "--local",
        help="List those that a worker started from this shell would have; so does --module.",
    ),
]
ArtifactOption = Annotated[
    str | None,
    typer.Option(
        "--artifact",
        metavar="TYPE",
        show_default=False,
        help="In its place that of an artifact's metadata: policy_evaluation, execution_start, "
        "execution_checkpoint, execution_end, module_output, attachment, llm_call or llm_usage.",
    ),
]


_LOCALLY = "`remit modules --local` lists those of this shell"


def modules(
    *,
    local: LocalOption = False,
    module: ModuleOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the modules that workers have announced, which execute directives, in each version.

    WORKERS is how many workers live that have this very version, and ANNOUNCED when one last
    started. A new grant is for the version of the newest worker that lives.
    """
    if local or module:
        _write_local(module or (), as_json=as_json)
        return
    from remit.cli.base.output import write_json
    from remit.cli.base.services import database

    try:
        with database(data_dir) as engine:
            from remit.operations.runs.workers import read_modules

            found = read_modules(engine)
    except UnavailableError as error:
        raise UnavailableError(f"{error.message}; {_LOCALLY}") from error
    if as_json:
        write_json({"modules": found})
    else:
        _write_announced(found)


def _write_announced(found: "Sequence[AnnouncedModule]") -> None:
    from remit.cli.base.output import Cell, write_line, write_table
    from remit.cli.views.timeline import moment
    from remit.confusables.text import revealed

    if not found:
        write_line(f"no worker has announced a module yet: `remit worker` does; {_LOCALLY}")
        return
    rows = [
        (
            Cell(each.name, "bold"),
            revealed(each.version),
            each.digest.removeprefix("sha256:")[:8],
            Cell(str(each.living), "green" if each.living else "dim"),
            moment(each.announced_at),
            revealed(each.summary),
        )
        for each in found
    ]
    write_table(("NAME", "VERSION", "DIGEST", "WORKERS", "ANNOUNCED", "SUMMARY"), rows)


def _write_local(module: "Sequence[str]", *, as_json: bool) -> None:
    """List the modules that a worker started from this shell would have."""
    from remit.cli.base.output import Cell, write_json, write_table
    from remit.cli.base.services import load_settings, module_references
    from remit.execution.modules.registry import discover_modules

    references = (*module_references(load_settings(None)), *module)
    found = discover_modules(references).list_modules()
    if as_json:
        write_json({"modules": found})
        return
    rows = [
        (Cell(each.name, "bold"), each.kind, each.version, each.source, each.summary)
        for each in found
    ]
    write_table(("NAME", "KIND", "VERSION", "SOURCE", "SUMMARY"), rows)


def schema(*, artifact: ArtifactOption = None, as_json: JsonOption = False) -> None:
    """Print the JSON Schema of a directive, as `remit propose FILE` takes it."""
    from remit.cli.base.output import write_json

    del as_json  # it is JSON in any case; scripts may say so everywhere
    if artifact is None:
        from remit.directives.models import directive_json_schema

        write_json(directive_json_schema())
        return
    from remit.artifacts.schemas import artifact_json_schema
    from remit.cli.commands.artifacts import artifact_type

    write_json(artifact_json_schema(artifact_type(artifact, "--artifact")))
