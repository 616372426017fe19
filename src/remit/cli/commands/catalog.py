"""`remit modules`, `workers` and `schema`: what there is, before anything is asked."""

from collections.abc import Sequence
from typing import Annotated

from remit.cli.base import services
from remit.cli.base.context import Context, command
from remit.cli.base.options import JsonOption, ModuleOption, option
from remit.cli.base.output import Cell, write_json, write_list, write_table
from remit.cli.commands.artifacts import artifact_type
from remit.cli.views.cells import moment
from remit.confusables.text import revealed
from remit.errors import UnavailableError

LocalOption = Annotated[
    bool,
    option(
        "--local", "List those that a worker started from this shell would have; so does --module."
    ),
]
ArtifactOption = Annotated[
    str | None,
    option(
        "--artifact",
        "In its place that of an artifact's metadata: policy_evaluation, execution_start, "
        "execution_checkpoint, execution_end, module_output, attachment, llm_call or llm_usage.",
        "TYPE",
    ),
]

_LOCALLY = "`remit modules --local` lists those of this shell"


@command()
def modules(context: Context, *, local: LocalOption = False, module: ModuleOption = None) -> None:
    """List the modules that workers have announced, which execute directives, in each version.

    WORKERS is how many workers live that have this very version, and ANNOUNCED when one last
    started. A new grant is for the version of the newest worker that lives.
    """
    if local or module:
        _show_local(context, module or ())
        return
    try:
        engine = context.engine
        from remit.operations.runs.workers import read_modules

        found = read_modules(engine)
    except UnavailableError as error:
        raise UnavailableError(f"{error.message}; {_LOCALLY}") from error
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
    header = ("NAME", "VERSION", "DIGEST", "WORKERS", "ANNOUNCED", "SUMMARY")
    empty = f"no worker has announced a module yet: `remit worker` does; {_LOCALLY}"
    context.show({"modules": found}, lambda: write_list(header, rows, empty, stderr=False))


def _show_local(context: Context, module: Sequence[str]) -> None:
    from remit.execution.modules.registry import discover_modules

    references = (*services.module_references(services.load_settings(None)), *module)
    found = discover_modules(references).list_modules()
    rows = [
        (Cell(each.name, "bold"), each.kind, each.version, each.source, each.summary)
        for each in found
    ]
    header = ("NAME", "KIND", "VERSION", "SOURCE", "SUMMARY")
    context.show({"modules": found}, lambda: write_table(header, rows))


@command()
def workers(context: Context) -> None:
    """List the workers that live: since when, until when unless they say so again, and with what.

    A worker whose certificate does not verify here is given no work.
    """
    engine = context.engine
    from remit.operations.runs.workers import read_workers

    found = read_workers(engine, context.keys)
    rows = [
        (
            Cell(str(each.id), "bold"),
            Cell("holds", "green") if each.certified else Cell("does not verify", "red"),
            str(len(each.modules)),
            moment(each.started_at),
            moment(each.lease_until),
        )
        for each in found
    ]
    header = ("WORKER", "CERTIFICATE", "MODULES", "STARTED", "LEASE UNTIL")
    empty = "no worker lives: `remit up` starts one by itself, and `remit worker` is one"
    context.show({"workers": found}, lambda: write_list(header, rows, empty, stderr=False))


def schema(*, artifact: ArtifactOption = None, as_json: JsonOption = False) -> None:
    """Print the JSON Schema of a directive, as `remit propose FILE` takes it."""
    del as_json  # it is JSON in any case; scripts may say so everywhere
    if artifact is None:
        from remit.directives.models import directive_json_schema

        write_json(directive_json_schema())
        return
    from remit.artifacts.schemas import artifact_json_schema

    write_json(artifact_json_schema(artifact_type(artifact, "--artifact")))
